"""What clients say on the socket: one shape for each frame, and how frames are read."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct

from server.domain.ids import is_request_id
from server.web.shapes import PieceCount, RequestId
from server.web.strict_json import JsonError, StrictDecoder

LIKES_PER_FRAME_MAX = 100


class Hello(Struct, frozen=True, tag_field="type", tag="hello"):
    """The first frame: who is there. A missing token is a wrong one, and closes the socket as such."""

    token: str | None = None


class Join(Struct, frozen=True, tag_field="type", tag="join"):
    """Enter a room; with `since`, after the delta of that position."""

    room: str
    since: str | None = None


class Leave(Struct, frozen=True, tag_field="type", tag="leave"):
    """Leave a room."""

    room: str


class Gift(Struct, frozen=True, tag_field="type", tag="gift"):
    """Send a gift, in so many pieces."""

    id: RequestId
    room: str
    gift: str
    count: PieceCount = UNSET


class Spend(Struct, frozen=True, tag_field="type", tag="spend"):
    """Buy an item that is no gift. room: where, left out for what belongs to no room; note: a highlighted comment."""

    id: RequestId
    item: str
    room: str = ""
    count: PieceCount = 1
    note: str = ""


class Chat(Struct, frozen=True, tag_field="type", tag="chat"):
    """Say something in a room."""

    id: RequestId
    room: str
    text: str


class Like(Struct, frozen=True, tag_field="type", tag="like"):
    """Likes for a room; not answered."""

    room: str
    count: Annotated[int, Meta(ge=1, description=f"more than {LIKES_PER_FRAME_MAX} count as {LIKES_PER_FRAME_MAX}")]


class Ping(Struct, frozen=True, tag_field="type", tag="ping"):
    """Are you there? `ts` comes back as it is."""

    ts: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None


ClientFrame = Hello | Join | Leave | Gift | Spend | Chat | Like | Ping

CLIENT_FRAMES: tuple[type[Struct], ...] = (Hello, Join, Leave, Gift, Spend, Chat, Like, Ping)

_ANSWERED = {"gift": "gift_nack", "spend": "gift_nack", "chat": "nack"}
"""Frames whose sender waits for an answer under its id, and the refusal they get."""

_DECODER: StrictDecoder[ClientFrame] = StrictDecoder(
    ClientFrame,  # type: ignore[arg-type]
    keys_sure={Hello: 2, Join: 2, Leave: 2, Gift: 5, Spend: 4, Chat: 4, Like: 3, Ping: 1},
)


class FrameError(Exception):
    """A frame that cannot be read.

    request_id: its id, if it has a valid one. nack: the type of the refusal that its sender waits for.
    """

    def __init__(self, loose: dict[str, Any]) -> None:
        request_id, kind = loose.get("id"), loose.get("type")
        valid = is_request_id(request_id)
        self.request_id: str | None = request_id if valid else None
        self.nack = _ANSWERED.get(kind) if valid and isinstance(kind, str) else None
        super().__init__("bad frame")


def read(raw: bytes) -> ClientFrame:
    """The frame. Raises FrameError."""
    try:
        return _DECODER.decode(raw)
    except JsonError as error:
        raise FrameError(error.loose) from None
