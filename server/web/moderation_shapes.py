"""JSON objects of moderation over HTTP."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from server.web.shapes import Next, User

MUTE_S_MAX = 30 * 24 * 3600

RoleInRoom = Literal["viewer", "moderator", "creator"]


class NewMute(Struct, frozen=True):
    """How long somebody cannot chat."""

    seconds: Annotated[int, Meta(ge=1, le=MUTE_S_MAX)]


class Standing(Struct, frozen=True):
    """One user in one room. banned: from this room; blocked: by its creator, in all of the creator's rooms."""

    user: str
    role: RoleInRoom
    muted_until: Annotated[str | None, Meta(description="RFC 3339; null when not muted")]
    banned: bool
    blocked: bool


class Block(Struct, frozen=True):
    """Whether a creator blocks a user."""

    user: str
    blocked: bool


class Listed(Struct, frozen=True):
    """One line of a list: who, until when (null: until lifted), by whom, since when."""

    user: User
    until: Annotated[str | None, Meta(description="RFC 3339")]
    by: str
    at: Annotated[str, Meta(description="RFC 3339")]


class People(Struct, frozen=True):
    """A page of users, in the order of their ids."""

    people: list[Listed]
    next: Next
