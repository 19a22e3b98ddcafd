"""JSON objects of the admin calls."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from server.domain import packages
from server.web.economy.history_shapes import TraceView
from server.web.economy.purchase_shapes import Currency, Money, Platform
from server.web.shapes import Coins, Count, Diamonds, Next, User

At = Annotated[str, Meta(description="RFC 3339")]
Reason = Annotated[str, Meta(description="for the record")]
Signed = Annotated[int, Meta(description="whole coins; below zero takes them")]
ItemKindName = Literal["gift", "highlight", "effect", "sticker", "ticket", "promote", "upgrade"]


class FoundUser(Struct, frozen=True):
    """A user in a list of findings."""

    user: User
    frozen: bool
    banned: bool
    created_at: At


class FoundUsers(Struct, frozen=True):
    """Users by id or the beginning of their name."""

    users: list[FoundUser]


class DiamondsHeld(Struct, frozen=True):
    """A creator's diamonds, by where they are."""

    available: Diamonds
    held: Diamonds
    paid: Diamonds


class UserDetails(Struct, frozen=True):
    """One user. coins: spendable now; settled: the ledger's balance; pending: sent and not settled.

    purchased, promotional: ever credited, less what was taken back. banned: the reason, if so.
    """

    user: User
    frozen: bool
    banned: str | None
    region: str | None
    created_at: At
    coins: int
    pending: Coins
    settled: int
    purchased: int
    promotional: int
    spent: int
    diamonds: DiamondsHeld
    rooms: Count
    purchases: Count


class Because(Struct, frozen=True):
    """Why something is done."""

    reason: Reason


class NewAdjustment(Struct, frozen=True):
    """A correction of somebody's coins, for a second person to approve."""

    user: str
    coins: Signed
    reason: Reason


class AdjustmentView(Struct, frozen=True):
    """A correction: asked for, approved or rejected."""

    id: str
    user: str
    coins: int
    reason: str
    state: Literal["proposed", "approved", "rejected"]
    proposed_by: str
    proposed_at: At
    decided_by: str | None
    decided_at: At | None


class Adjustments(Struct, frozen=True):
    """A page of corrections that wait for a second person."""

    adjustments: list[AdjustmentView]
    next: Next


class Deed(Struct, frozen=True):
    """One line of the record."""

    id: str
    admin: str
    action: str
    subject: str
    detail: dict[str, Any]
    at: At


class Record(Struct, frozen=True):
    """A page of what admins did, newest first."""

    deeds: list[Deed]
    next: Next


class ItemVersion(Struct, frozen=True):
    """One version of a gift or another item; coins and diamonds are per piece."""

    id: str
    version: Annotated[int, Meta(ge=1)]
    kind: ItemKindName
    name: str
    coins: Coins
    diamonds: Diamonds
    tier: str
    streakable: bool
    effect: dict[str, Any]
    active: bool


class ItemVersions(Struct, frozen=True):
    """The newest versions of all items, or all versions of one."""

    items: list[ItemVersion]


class NewItem(Struct, frozen=True):
    """A new version of an item, or a new item. preview: answer what it would be, and change nothing."""

    id: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_]{0,63}\Z")]
    name: Annotated[str, Meta(min_length=1, max_length=64)]
    coins: Annotated[int, Meta(ge=1, le=1_000_000_000)]
    diamonds: Annotated[int, Meta(ge=0, le=1_000_000_000)]
    tier: Annotated[str, Meta(min_length=1, max_length=32)]
    effect: dict[str, Any]
    kind: ItemKindName = "gift"
    streakable: bool = False
    active: bool = True
    preview: bool = False


class PackageVersion(Struct, frozen=True):
    """One version of a package of coins. coins_min, coins_max: bounds of a custom amount; null for a fixed one."""

    id: str
    version: Annotated[int, Meta(ge=1)]
    platform: Platform
    region: str
    coins: Coins
    price: Money
    per_1000_coins: Money
    coins_min: Coins | None
    coins_max: Coins | None
    active: bool


class PackageVersions(Struct, frozen=True):
    """The newest versions of all packages, on sale or not, or all versions of one."""

    packages: list[PackageVersion]


class NewPackage(Struct, frozen=True):
    """A new version of a package, or a new package. region: ISO 3166-1 alpha-2, or `*` for everywhere else.

    coins_min, coins_max: bounds of a custom amount, of which `amount` buys `coins`; both, or none for a fixed package.
    """

    id: Annotated[str, Meta(pattern=rf"^{packages.ID}\Z")]
    platform: Platform
    coins: Annotated[int, Meta(ge=1, le=1_000_000_000)]
    amount: Annotated[int, Meta(ge=1, le=1_000_000_000)]
    currency: Currency
    region: Annotated[str, Meta(pattern=r"^([A-Z]{2}|\*)\Z")] = "*"
    coins_min: Annotated[int, Meta(ge=1, le=1_000_000_000)] | None = None
    coins_max: Annotated[int, Meta(ge=1, le=1_000_000_000)] | None = None
    active: bool = True
    preview: bool = False


class RevenueLine(Struct, frozen=True):
    """What one provider sold in one currency. taken_back: refunds and chargebacks that stand."""

    provider: str
    sold: Money
    taken_back: Money
    purchases: Count
    coins: Coins


class OutstandingSums(Struct, frozen=True):
    """What users and creators hold now, and where the coins came from."""

    coins: Coins
    coins_owed: Coins
    coins_purchased: int
    coins_promotional: int
    coins_corrected: int
    coins_spent: Coins
    diamonds: DiamondsHeld


class Figures(Struct, frozen=True):
    """Revenue of a period (days of UTC, `until` not included), and what is outstanding now."""

    since: Annotated[str, Meta(description="YYYY-MM-DD")]
    until: Annotated[str, Meta(description="YYYY-MM-DD")]
    revenue: list[RevenueLine]
    outstanding: OutstandingSums


class DifferenceLine(Struct, frozen=True):
    """A payment that the two sides see differently; null where a side does not have it."""

    transaction: str
    purchase: str | None
    theirs: int | None
    ours: int | None
    currency: str


class Reconciliation(Struct, frozen=True):
    """The differences, 1,000 at most. agree: there are none."""

    agree: bool
    lines: Count
    differences: list[DifferenceLine]


class UserTrace(Struct, frozen=True):
    """Where something is, and whose it is."""

    user: str
    trace: TraceView
