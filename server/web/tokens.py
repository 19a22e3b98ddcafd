"""Signed tokens (JWT, HS256): who a client is, and what it may do."""

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import jwt
import msgspec

from server.domain import text
from server.domain.errors import Code, Refusal
from server.domain.ids import ROOM_ID, USER_ID, RoomId, UserId
from server.settings import Settings

ALGORITHM = "HS256"
"""The only one that is accepted; what a token's own header says is never believed."""

TOKEN_CHARS_MAX = 4096
TTL_DEFAULT_S = 12 * 3600


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


def issue_token(
    settings: Settings,
    user_id: str,
    name: str,
    role: str,
    ttl_s: float,
    *,
    room: str | None = None,
    read_only: bool = False,
) -> str:
    """A signed token. Raises ValueError for an id or role that no token may carry."""
    if not USER_ID.fullmatch(user_id):
        raise ValueError("a user id has 1 to 64 characters: letters, digits, and any of _ . @ -")
    if room is not None and not ROOM_ID.fullmatch(room):
        raise ValueError("a room id has 1 to 64 characters: letters, digits, _ and -")
    now = int(time.time())
    claims: dict[str, object] = {
        "sub": user_id,
        "name": text.clean(name, text.NAME_CHARS_MAX) or user_id[: text.NAME_CHARS_MAX],
        "role": Role(role).value,
        "iat": now,
        "exp": int(now + ttl_s),
    }
    if room is not None:
        claims["room"] = room
    if read_only:
        claims["ro"] = True
    return jwt.encode(claims, settings.token_secret, algorithm=ALGORITHM)


def verify(settings: Settings, token: object) -> Identity:
    """Who a token speaks for. Raises Refusal(unauthorized), which says nothing about why."""
    if not isinstance(token, str) or not 0 < len(token) <= TOKEN_CHARS_MAX:
        raise Refusal(Code.UNAUTHORIZED)
    try:
        claims = jwt.decode(
            token,
            settings.token_secret,
            algorithms=[ALGORITHM],
            leeway=settings.token_leeway_s,
            # When it was issued says nothing: a clock that was set back would keep everybody out, and for good.
            options={"require": ["sub", "exp"], "verify_iat": False},
        )
        return _identity(claims, settings.token_leeway_s)
    except (jwt.PyJWTError, ValueError, OverflowError, RecursionError):
        raise Refusal(Code.UNAUTHORIZED) from None


def _identity(claims: dict[str, Any], leeway_s: float) -> Identity:
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
