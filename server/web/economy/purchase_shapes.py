"""JSON objects around buying coins: packages, purchases, receipts, notifications, the pretend checkout."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from server.domain.packages import AMOUNT_MAX
from server.web.shapes import Coins, Next

Platform = Literal["web", "ios", "android"]
Region = Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z", description="ISO 3166-1 alpha-2")]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z", description="ISO 4217")]
At = Annotated[str, Meta(description="RFC 3339")]
PackageId = Annotated[str, Meta(max_length=64)]


class Money(Struct, frozen=True):
    """An amount of real money, in minor units: 129 USD are 1.29 dollars."""

    amount: Annotated[int, Meta(ge=0)]
    currency: Currency


class PackageDeal(Struct, frozen=True):
    """What promotions would make of a purchase now. price: what is left to pay; bonus_coins: on top, and counted in
    per_1000_coins.
    """

    promotions: list[str]
    bonus_coins: Coins
    price: Money
    per_1000_coins: Money


class PackageOffer(Struct, frozen=True):
    """Coins at a price. per_1000_coins: for comparison, rounded.

    coins_min, coins_max: only of a custom amount, which costs `price` for each `coins` coins, rounded up at the end.
    best_value: its coins cost less than those of everything else that is offered. deal: null without a promotion.
    """

    id: str
    version: Annotated[int, Meta(ge=1)]
    coins: Coins
    price: Money
    per_1000_coins: Money
    best_value: bool
    deal: PackageDeal | None
    coins_min: Coins | UnsetType = UNSET
    coins_max: Coins | UnsetType = UNSET


class PackageQuote(Struct, frozen=True):
    """What so many coins of a package cost now: `price`, or with promotions what `deal` says. region: it is for."""

    id: str
    version: Annotated[int, Meta(ge=1)]
    region: Region | None
    coins: Coins
    price: Money
    per_1000_coins: Money
    deal: PackageDeal | None


class PayMethod(Struct, frozen=True):
    """A way to pay."""

    id: str
    name: str


class Packages(Struct, frozen=True):
    """What is on sale on a platform and in a region. region_bound: the account buys there, and nowhere else.

    confirm_amount: from this amount on (minor units) a purchase carries a `confirmation`; 0: none does. pretend: no
    real money is moved. An empty list of packages: coins are not sold here.
    """

    platform: Platform
    region: Region | None
    region_bound: bool
    packages: list[PackageOffer]
    methods: list[PayMethod]
    confirm_amount: Annotated[int, Meta(ge=0)]
    pretend: bool


class NewPurchase(Struct, frozen=True):
    """What to buy. version: of the price that the buyer saw and agreed to. coins: of a custom amount.

    amount: what the buyer agreed to pay, in minor units, with promotions; another price by now is a `conflict`.

    bonus_coins: what the buyer was shown to get on top; fewer by now are a `conflict`.

    method: one of those that are offered, for the web. region: where the buyer lives; said once, it is held.
    """

    package: PackageId
    version: Annotated[int, Meta(ge=1, le=2_000_000_000)]
    coins: Annotated[int, Meta(ge=1, le=1_000_000_000)] | UnsetType = UNSET
    amount: Annotated[int, Meta(ge=1, le=AMOUNT_MAX)] | UnsetType = UNSET
    bonus_coins: Annotated[int, Meta(ge=0, le=10**12)] = 0
    method: Annotated[str, Meta(max_length=32)] | UnsetType = UNSET
    region: Region | UnsetType = UNSET
    confirmation: Annotated[str, Meta(max_length=64)] | UnsetType = UNSET


class PurchaseView(Struct, frozen=True):
    """A purchase. bonus_coins: given along with it, or promised. coins_back: of all these, taken back with the payment.

    transaction: the provider's own id of the payment. account: what an app passes to its store with the payment.
    """

    id: str
    status: Literal["created", "pending", "paid", "credited", "declined", "expired", "refunded", "charged_back"]
    coins: Coins
    bonus_coins: Coins
    coins_back: Coins
    price: Money
    package: str
    version: Annotated[int, Meta(ge=1)]
    platform: Platform
    region: Region
    provider: str
    method: str
    transaction: str | None
    created_at: At
    expires_at: At
    paid_at: At | None
    credited_at: At | None
    account: str | UnsetType = UNSET


class Purchases(Struct, frozen=True):
    """A page of one's purchases, newest first."""

    purchases: list[PurchaseView]
    next: Next


class PurchaseCheckout(Struct, frozen=True):
    """Where to pay."""

    url: str


class NewReceipt(Struct, frozen=True):
    """What a store gave the app: a signed transaction (ios), or a purchase token (android)."""

    package: PackageId
    receipt: Annotated[str, Meta(min_length=1, max_length=12_000)]


class NotificationHeard(Struct, frozen=True):
    """The notification was understood; `events` is what it told."""

    events: Annotated[int, Meta(ge=0)]


class PretendPayment(Struct, frozen=True):
    """A payment as the pretend provider knows it, and what can happen to it now."""

    purchase: str
    transaction: str
    price: Money
    method: str
    state: str
    outcomes: list[str]


class PretendOutcome(Struct, frozen=True):
    """What shall happen."""

    outcome: Annotated[str, Meta(max_length=32)]
