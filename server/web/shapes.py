"""JSON objects of the public interface that HTTP and the socket share, or that HTTP alone speaks.

The API documents are generated from these shapes, and answers are encoded from them.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from server.domain.controls import Period
from server.domain.gift import COUNT_MAX
from server.domain.ids import REQUEST_ID_CHARS_MAX, REQUEST_ID_PATTERN
from server.domain.levels import LEVEL_MAX

Coins = Annotated[int, Meta(ge=0, description="whole coins")]
SignedCoins = Annotated[int, Meta(description="whole coins; below zero only after a refund")]
Diamonds = Annotated[int, Meta(ge=0, description="whole diamonds")]
Count = Annotated[int, Meta(ge=0)]
TimeUs = Annotated[int, Meta(ge=0, description="microseconds since the Unix epoch, UTC")]
RequestId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=REQUEST_ID_CHARS_MAX,
        pattern=REQUEST_ID_PATTERN,
        description="chosen by the client",
    ),
]
GiftIdText = Annotated[str, Meta(pattern=r"^w\d{2,4}-\d{1,9}-\d{1,16}$")]
PieceCount = Annotated[Any, Meta(extra_json_schema={"type": "integer", "minimum": 1, "maximum": COUNT_MAX})]
"""Read as it is: what is wrong with a count has a code of its own."""
Next = Annotated[str | None, Meta(description="give it back as `cursor` for the next page; null on the last one")]


OverBudget = Annotated[Period, Meta(description="the viewer's own budget that this is over")]
NearBudgets = Annotated[
    list[Period], Meta(description="the viewer's own budgets of which this brought 80% or more to be spent")
]
Level = Annotated[int, Meta(ge=0, le=LEVEL_MAX, description="as a gifter; 0 before the first coin")]


class User(Struct, frozen=True):
    """A user as others see it. level: as a gifter; frame, badge: upgrades that are worn."""

    id: str
    name: str
    level: Annotated[int, Meta(ge=1, le=LEVEL_MAX)] | UnsetType = UNSET
    frame: str | UnsetType = UNSET
    badge: str | UnsetType = UNSET


class TopGifter(Struct, frozen=True):
    """One place of a room's ranking."""

    user: User
    coins: Coins
    rank: Annotated[int, Meta(ge=1)]


class GiftKind(Struct, frozen=True):
    """A gift that can be bought; coins and diamonds are per piece."""

    id: str
    name: str
    coins: Coins
    diamonds: Diamonds
    tier: str
    streakable: bool
    effect: dict[str, Any]


class GiftKinds(Struct, frozen=True):
    """The catalogue, cheapest first."""

    gifts: list[GiftKind]


class Ticket(Struct, frozen=True):
    """What an exclusive room asks for; starts_at is when it was announced to begin."""

    item: str
    coins: Coins
    starts_at: Annotated[str, Meta(description="RFC 3339")] | UnsetType = UNSET


class Room(Struct, frozen=True):
    """A live room, with its running totals. ticket: where one is needed; promoted: in a place that was paid for."""

    id: str
    title: str
    state: Literal["live", "ended"]
    creator: User
    diamonds: Diamonds
    gifts: Count
    viewers: Count
    started_at: Annotated[str, Meta(description="RFC 3339")]
    ticket: Ticket | UnsetType = UNSET
    promoted: bool | UnsetType = UNSET


class Rooms(Struct, frozen=True):
    """A page of rooms."""

    rooms: list[Room]
    next: Next


class Top(Struct, frozen=True):
    """The room's gifters, the highest first."""

    top: list[TopGifter]


class NewRoom(Struct, frozen=True):
    """A room to open. ticket: the item that lets viewers in; starts_at: when it is going to begin, RFC 3339."""

    title: str
    ticket: str | None = None
    starts_at: str | None = None


class NewGift(Struct, frozen=True):
    """A gift to send, in so many pieces."""

    gift: str
    count: PieceCount = UNSET


class GiftSent(Struct, frozen=True):
    """A gift that was paid. coins: what is left. combo: running number of the combo."""

    gift_id: GiftIdText
    coins: Coins
    combo: Annotated[int, Meta(ge=1)]
    at: TimeUs
    near: NearBudgets | UnsetType = UNSET


class Wallet(Struct, frozen=True):
    """coins: spendable now. pending: coins sent and not yet settled."""

    coins: SignedCoins
    pending: Coins


class WalletGift(Struct, frozen=True):
    """One gift of a viewer's history."""

    gift_id: GiftIdText
    room: str
    gift: str
    count: Annotated[int, Meta(ge=1, le=9999)]
    coins: Coins
    at: TimeUs
    status: Literal["accepted", "settled"]


class WalletGifts(Struct, frozen=True):
    """A page of a viewer's gifts, newest first."""

    gifts: list[WalletGift]
    next: Next


class SettledAndPending(Struct, frozen=True):
    """settled: in the ledger. pending: accepted and on its way there."""

    settled: Diamonds
    pending: Diamonds


class RoomEarnings(Struct, frozen=True):
    """What one room earned: `diamonds` in all, and `pending` of these not yet settled."""

    id: str
    title: str
    state: Literal["live", "ended"]
    started_at: Annotated[str, Meta(description="RFC 3339")]
    diamonds: Diamonds
    pending: Diamonds
    gifts: Count


class Earnings(Struct, frozen=True):
    """What a creator earned, in all and by room; newest rooms first."""

    diamonds: SettledAndPending
    rooms: list[RoomEarnings]
    next: Next


class NewLogin(Struct, frozen=True):
    """Who wants to come in."""

    name: str


class Login(Struct, frozen=True):
    """A demo viewer's token and first coins."""

    token: str
    user: User
    coins: Coins


class OverlayToken(Struct, frozen=True):
    """A token that can only watch one room, and the page that it is for."""

    token: str
    url: str


class Problem(Struct, frozen=True):
    """An error, as RFC 9457 describes it; `code` says which one."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    retry_ms: Annotated[int, Meta(ge=0, description="come back after this long")] | UnsetType = UNSET
    limit: OverBudget | UnsetType = UNSET
    until: Annotated[str, Meta(description="when the budget begins anew or the pause ends")] | UnsetType = UNSET
