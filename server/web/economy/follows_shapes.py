"""JSON objects of following over HTTP."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from server.web.shapes import Count, Next, User


class Creator(Struct, frozen=True):
    """A creator as the asking user sees them. following: whether that user follows."""

    creator: User
    followers: Count
    following: bool


class LiveRoom(Struct, frozen=True):
    """A room that is live."""

    id: str
    title: str


class FollowedCreator(Struct, frozen=True):
    """A creator whom one follows, and since when. live: the latest of their rooms that is live, when one is."""

    creator: User
    followers: Count
    since: Annotated[str, Meta(description="RFC 3339")]
    live: LiveRoom | UnsetType = UNSET


class FollowedCreators(Struct, frozen=True):
    """A page of the creators whom one follows, the latest first."""

    creators: list[FollowedCreator]
    next: Next
