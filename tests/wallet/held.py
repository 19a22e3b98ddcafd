"""A wallet in Redis, taken apart: for tests that need one to be other than the functions would leave it."""

import struct
from typing import Any

from redis import Redis

_HEAD = struct.Struct("<ddddB")
HEAD_BYTES = _HEAD.size
_FIELDS = ("pending", "coins", "credit", "tat", "standing")
_CONTROLS = struct.Struct("<11d")
"""Version, pause, and for each period limit (-1: none), spent, end."""


def wallet_fields(held: bytes) -> dict[str, int]:
    """What a wallet's value says, its combos left out."""
    return dict(zip(_FIELDS, map(int, _HEAD.unpack_from(held)), strict=True))


def controls_numbers(held: bytes) -> list[int]:
    """A wallet's controls as they are kept; nothing if it has none."""
    return [*map(int, _CONTROLS.unpack_from(held, HEAD_BYTES))] if wallet_fields(held)["standing"] >= 2 else []


def changed_wallet(held: bytes, **fields: int) -> bytes:
    """The value with other fields."""
    return _HEAD.pack(*(wallet_fields(held) | fields).values()) + held[_HEAD.size :]


def changed_controls(held: bytes, place: int, by: int) -> bytes:
    """The value of a wallet with controls, one of these numbers changed."""
    numbers = list(_CONTROLS.unpack_from(held, HEAD_BYTES))
    numbers[place] += by
    return held[:HEAD_BYTES] + _CONTROLS.pack(*numbers) + held[HEAD_BYTES + _CONTROLS.size :]


def change_wallet(redis: Redis, key: str, **fields: int) -> None:
    """Changes a wallet where it is."""
    held: Any = redis.get(key)
    redis.set(key, changed_wallet(held, **fields), keepttl=True)
