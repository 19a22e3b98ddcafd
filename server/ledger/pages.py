"""Page cursors: where a list goes on, as a text that clients hand back unread."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

import orjson

from server.domain.errors import Code, Refusal

_CURSOR_CHARS_MAX = 400


def encode(*place: str | float) -> str:
    """The cursor for a place in a list."""
    return urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def decode(cursor: str, *kinds: type) -> list[Any]:
    """The place that `encode` was given, values of these types. Raises Refusal(BAD_REQUEST) for anything else."""
    place: object = None
    if len(cursor) <= _CURSOR_CHARS_MAX:
        try:
            text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            # No text that Postgres cannot hold gets to it.
            place = None if rb"\u0000" in text else orjson.loads(text)
        except ValueError:
            place = None
    if not isinstance(place, list) or [type(value) for value in place] != list(kinds):
        raise not_ours()
    return place


def moment(text: str) -> datetime:
    """The moment that a place names in ISO 8601. Raises Refusal(BAD_REQUEST) for what is none."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise not_ours() from None


def not_ours() -> Refusal:
    """The refusal of a cursor that was not made here."""
    return Refusal(Code.BAD_REQUEST, "This cursor is not one of ours.")
