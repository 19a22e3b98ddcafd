"""What the server says on the socket: one shape for each frame, and how frames are written.

`joined`, `delta` and `room_ended` come from the room as finished bytes; their shapes are here for the API document.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.json import Encoder

from server.domain.controls import Restraint
from server.domain.errors import RULES, Code, Refusal
from server.domain.gift import Accepted
from server.web.economy.spending_shapes import ShownItem
from server.web.frames import text_frame
from server.web.shapes import (
    Coins,
    Count,
    Diamonds,
    GiftIdText,
    NearBudgets,
    OverBudget,
    RequestId,
    SignedCoins,
    TimeUs,
    TopGifter,
    User,
)

Position = Annotated[str, Meta(min_length=1, description="opaque; one per delta and room, in order")]
RetryMs = Annotated[int, Meta(ge=0, description="come back after this long")]


class Welcome(Struct, frozen=True, tag_field="type", tag="welcome"):
    """The answer to `hello`."""

    user: User
    coins: SignedCoins
    session: str
    heartbeat_s: Annotated[int, Meta(ge=1)]


class Joined(Struct, frozen=True, tag_field="type", tag="joined"):
    """The room as it is now. recovered: the deltas after `since` follow, none missing. effects: none when left out."""

    room: str
    position: Position
    recovered: bool
    diamonds: Diamonds
    gifts: Count
    viewers: Count
    top: list[TopGifter]
    creator: User
    title: str
    effects: list[ShownItem] | UnsetType = UNSET


class Left(Struct, frozen=True, tag_field="type", tag="left"):
    """The answer to `leave`; with a code and without being asked for, the member was put out."""

    room: str
    code: Code | UnsetType = UNSET
    message: str | UnsetType = UNSET


class RoomStanding(Struct, frozen=True, tag_field="type", tag="standing"):
    """What the member is in the room, if not a viewer who may chat: after `joined`, and whenever it changes."""

    room: str
    role: Literal["viewer", "moderator", "creator"]
    muted_until: TimeUs | UnsetType = UNSET


class GiftAck(Struct, frozen=True, tag_field="type", tag="gift_ack"):
    """Paid, on disk, and it will reach the ledger exactly once."""

    id: RequestId
    gift_id: GiftIdText
    coins: Coins
    combo: Annotated[int, Meta(ge=1)]
    at: TimeUs
    near: NearBudgets | UnsetType = UNSET


class GiftNack(Struct, frozen=True, tag_field="type", tag="gift_nack"):
    """Not paid. coins: the balance, where it was looked at. until: when a pause or the budget `limit` ends."""

    id: RequestId
    code: Code
    message: str
    coins: SignedCoins | UnsetType = UNSET
    retry_ms: RetryMs | UnsetType = UNSET
    limit: OverBudget | UnsetType = UNSET
    until: TimeUs | UnsetType = UNSET


class Ack(Struct, frozen=True, tag_field="type", tag="ack"):
    """Done."""

    id: RequestId


class Nack(Struct, frozen=True, tag_field="type", tag="nack"):
    """Refused."""

    id: RequestId
    code: Code
    message: str
    retry_ms: RetryMs | UnsetType = UNSET


class Pong(Struct, frozen=True, tag_field="type", tag="pong"):
    """The answer to `ping`."""

    ts: int | UnsetType = UNSET


class Error(Struct, frozen=True, tag_field="type", tag="error"):
    """A frame that could not be read, or a room that could not be joined; the connection stays."""

    code: Code
    message: str
    id: RequestId | UnsetType = UNSET
    room: str | UnsetType = UNSET
    retry_ms: RetryMs | UnsetType = UNSET


class WalletChanged(Struct, frozen=True, tag_field="type", tag="wallet"):
    """The balance changed elsewhere."""

    coins: SignedCoins


class Notice(Struct, frozen=True, tag_field="type", tag="notice"):
    """Something that the user should know, as in the feed of `GET /notices`; each socket is told once."""

    id: Annotated[str, Meta(pattern=r"^\d{1,18}$")]
    kind: Annotated[str, Meta(description="such as `reward`, `promotion`, `purchase`, `payout` or `budget`")]
    message: str
    detail: Mapping[str, Any]
    at: TimeUs


class RoomEnded(Struct, frozen=True, tag_field="type", tag="room_ended"):
    """The room is over."""

    room: str
    position: Position | UnsetType = UNSET


class DeltaGift(Struct, frozen=True, rename={"from_": "from"}):
    """Gifts of one combo in one delta. count, coins: what this delta adds; combo: the combo's running number."""

    gift_id: GiftIdText
    from_: User
    gift: str
    count: Annotated[int, Meta(ge=1)]
    coins: Coins
    combo: Annotated[int, Meta(ge=1)]
    combo_id: GiftIdText
    at: TimeUs


class DeltaMore(Struct, frozen=True):
    """What the delta does not list: entries, gifts and coins."""

    gifts: Count
    count: Count
    coins: Coins


class ChatLine(Struct, frozen=True, rename={"from_": "from"}):
    """What someone said."""

    from_: User
    text: str
    at: TimeUs


class Entrance(Struct, frozen=True, rename={"from_": "from"}):
    """Somebody who came in, and how it is shown."""

    from_: User
    look: str
    at: TimeUs


class Delta(Struct, frozen=True, tag_field="type", tag="delta"):
    """What happened in a room since the delta before; keys that did not change are left out.

    effects: everything that stands on the screen now, each until its own end.
    """

    room: str
    position: Position
    ts: TimeUs
    gifts: Annotated[list[DeltaGift], Meta(max_length=500)] | UnsetType = UNSET
    more: DeltaMore | UnsetType = UNSET
    diamonds: Diamonds | UnsetType = UNSET
    gifts_total: Count | UnsetType = UNSET
    top: list[TopGifter] | UnsetType = UNSET
    viewers: Count | UnsetType = UNSET
    chat: list[ChatLine] | UnsetType = UNSET
    likes: Count | UnsetType = UNSET
    effects: list[ShownItem] | UnsetType = UNSET
    entrances: list[Entrance] | UnsetType = UNSET


SERVER_FRAMES: tuple[type[Struct], ...] = (
    Welcome,
    Joined,
    Left,
    RoomStanding,
    GiftAck,
    GiftNack,
    Ack,
    Nack,
    Pong,
    Error,
    WalletChanged,
    Notice,
    RoomEnded,
    Delta,
)

_encode = Encoder().encode


def write(frame: Struct) -> bytes:
    """The frame as it goes over the wire."""
    return text_frame(_encode(frame))


def gift_ack(request_id: str, answer: Accepted) -> bytes:
    """The acknowledgement of a gift."""
    near = list(answer.near) if answer.near else UNSET
    return write(GiftAck(request_id, str(answer.gift_id), answer.coins, answer.combo, answer.at_us, near))


def gift_nack(
    request_id: str,
    code: Code,
    *,
    message: str | None = None,
    coins: int | None = None,
    retry_ms: int | None = None,
    restraint: Restraint | None = None,
) -> bytes:
    """The refusal of a gift, with the code's own sentence unless there is another."""
    if restraint is not None:
        limit, until = restraint.limit or UNSET, restraint.until_us
        return write(GiftNack(request_id, code, restraint.message, limit=limit, until=until))
    return write(GiftNack(request_id, code, message or RULES[code].message, _given(coins), _given(retry_ms)))


def nack(request_id: str, refusal: Refusal) -> bytes:
    """The refusal of anything else that has an id."""
    return write(Nack(request_id, refusal.code, refusal.message, _given(refusal.retry_ms)))


def error(refusal: Refusal, *, request_id: str | None = None, room: str | None = None) -> bytes:
    """The refusal of a frame that has no answer of its own."""
    return write(
        Error(
            refusal.code,
            refusal.message,
            UNSET if request_id is None else request_id,
            UNSET if room is None else room,
            _given(refusal.retry_ms),
        )
    )


def _given(value: int | None) -> int | UnsetType:
    return UNSET if value is None else value
