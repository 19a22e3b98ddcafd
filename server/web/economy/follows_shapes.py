"""JSON objects of following over HTTP."""

from typing import Annotated

from msgspec import Meta, Struct

from server.web.shapes import Count, Next, User


class Creator(Struct, frozen=True):
    """A creator as the asking user sees them. following: whether that user follows."""

    creator: User
    followers: Count
    following: bool


class FollowedCreator(Struct, frozen=True):
    """A creator whom one follows, and since when."""

    creator: User
    followers: Count
    since: Annotated[str, Meta(description="RFC 3339")]


class FollowedCreators(Struct, frozen=True):
    """A page of the creators whom one follows, the latest first."""

    creators: list[FollowedCreator]
    next: Next
