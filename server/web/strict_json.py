"""JSON from outside, read into a given shape; whatever two readers could understand differently is refused.

Fields that the shape does not have are ignored, as the public interface says.
"""

import json
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")


class JsonError(Exception):
    """Not JSON, or not of the shape. `loose` is the object as far as it could be read, for its `id` and `type`."""

    def __init__(self, loose: dict[str, Any] | None = None) -> None:
        self.loose = loose or {}
        super().__init__("bad JSON")


class StrictDecoder(Generic[T]):
    """Reads objects of one shape, or of one of several told apart by `type`."""

    def __init__(self, shape: type[T], *, keys_sure: dict[type, int] | None = None) -> None:
        """keys_sure: how many keys an object of each type has at least; without it every object is looked at twice."""
        self._decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(shape)
        self._keys_sure = keys_sure or {}

    def decode(self, raw: bytes) -> T:
        """The object. Raises JsonError."""
        try:
            found = self._decoder.decode(raw)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise JsonError(_loosely(raw)) from None
        # An object with no more colons than keys it must have cannot hold one twice, nor anything that was skipped
        # unread. It is what nearly all frames are; the others are read again, slowly.
        if raw.count(b":") != self._keys_sure.get(type(found)) or not raw.isascii():
            try:
                _read(raw)
            except (ValueError, RecursionError):
                raise JsonError from None
        return found


def _read(raw: bytes) -> Any:
    return json.loads(raw.decode(), object_pairs_hook=_without_duplicates, parse_constant=_refuse)


def _loosely(raw: bytes) -> dict[str, Any] | None:
    try:
        found = _read(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands twice")
    return made


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
