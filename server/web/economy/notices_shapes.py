"""JSON objects of the notices feed."""

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct

from server.web.shapes import Next

NoticeId = Annotated[str, Meta(pattern=r"^\d{1,18}$")]
Unread = Annotated[int, Meta(ge=0, le=100, description="100 stands for that many and more")]


class FeedNotice(Struct, frozen=True):
    """Something that the user should know; `detail` names what it speaks of, by kind."""

    id: NoticeId
    kind: Annotated[str, Meta(description="such as `reward`, `promotion`, `purchase`, `payout` or `budget`")]
    message: str
    detail: Mapping[str, Any]
    at: Annotated[str, Meta(description="RFC 3339")]
    read: bool


class NoticesFeed(Struct, frozen=True):
    """A page of notices, newest first, and how many are unread in all."""

    notices: list[FeedNotice]
    unread: Unread
    next: Next


class ReadUpTo(Struct, frozen=True):
    """The newest notice that was on the screen: it and all before it are read."""

    up_to: NoticeId


class UnreadNotices(Struct, frozen=True):
    """How many notices are still unread."""

    unread: Unread
