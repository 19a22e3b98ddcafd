"""Who a client is, and what the claims of a token whose signature is right say about that."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from server.domain import text
from server.domain.ids import ROOM_ID, USER_ID, RoomId, UserId


class Role(StrEnum):
    """What a user is, apart from being able to watch and to send gifts."""

    VIEWER = "viewer"
    CREATOR = "creator"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a verified token speaks for.

    room, read_only: an overlay's token may only watch that one room. expires_at: seconds since the epoch.
    """

    user_id: UserId
    name: str
    role: Role
    room: RoomId | None
    read_only: bool
    expires_at: float

    @property
    def public(self) -> dict[str, str]:
        """As other users see it."""
        return {"id": self.user_id, "name": self.name}


class _Claims(msgspec.Struct):
    """What a token says. ro: read-only."""

    sub: Annotated[str, msgspec.Meta(pattern=rf"^{USER_ID.pattern}\Z")]
    exp: float
    name: str = ""
    role: Role = Role.VIEWER
    room: Annotated[str, msgspec.Meta(pattern=rf"^{ROOM_ID.pattern}\Z")] | None = None
    ro: bool = False


def read_identity(claims: Mapping[str, Any], leeway_s: float) -> Identity:
    """Reads claims whose signature is right. Raises ValueError for any that is not what it should be."""
    read = msgspec.convert(claims, _Claims)
    name = text.clean(read.name, text.NAME_CHARS_MAX)
    return Identity(
        user_id=UserId(read.sub),
        name=name or read.sub[: text.NAME_CHARS_MAX],
        role=read.role,
        room=None if read.room is None else RoomId(read.room),
        read_only=read.ro,
        expires_at=read.exp + leeway_s,
    )
