"""Identifiers: their shapes, and how a viewer finds its wallet shard.

Ids travel as strings. They are restricted to characters that mean nothing in a Redis key, a JSON
string, a URL or a log line, so that none of these ever needs escaping.
"""

import base64
import re
import secrets
import zlib
from functools import cache
from typing import NamedTuple, NewType

UserId = NewType("UserId", str)
RoomId = NewType("RoomId", str)
GiftName = NewType("GiftName", str)
"""Catalogue id of a kind of gift, such as `rose`."""
RequestId = NewType("RequestId", str)
"""A client's own id of one gift, 1 to 64 characters; it is what makes a retry free of charge."""

USER_ID = re.compile(r"[A-Za-z0-9_.@-]{1,64}", re.ASCII)
ROOM_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
REQUEST_ID_CHARS_MAX = 64
REQUEST_ID_PATTERN = r"^[^\u0000]*$"
"""Any characters but the one that Postgres cannot keep."""

_REQUEST_ID = re.compile(rf"[^\u0000\ud800-\udfff]{{1,{REQUEST_ID_CHARS_MAX}}}")
_GIFT_ID = re.compile(r"w(\d{2,4})-(\d{1,9})-(\d{1,16})", re.ASCII)
_READABLE = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789abcdefghjkmnpqrstvwxyz")
"""From the letters of base32 to digits and letters that are not taken for each other."""


class GiftId(NamedTuple):
    """Where a gift stands in the logs; unique for ever."""

    shard: int
    epoch: int
    number: int

    def __str__(self) -> str:
        shard, epoch, number = self
        return f"{shard_label(shard)}-{epoch}-{number}"

    @classmethod
    def parse(cls, text: str) -> "GiftId":
        """Reads `w07-3-123`. Raises ValueError for anything else."""
        match = _GIFT_ID.fullmatch(text)
        if match is None:
            raise ValueError(f"not a gift id: {text[:80]!r}")
        return cls(int(match[1]), int(match[2]), int(match[3]))


def is_request_id(value: object) -> bool:
    """Whether this can be a client's id of a request: 1 to 64 characters that can be written and kept."""
    return isinstance(value, str) and _REQUEST_ID.fullmatch(value) is not None


@cache
def shard_label(shard: int) -> str:
    """`w07` for shard 7."""
    return f"w{shard:02d}"


def shard_of(viewer: str, shards: int) -> int:
    """The wallet shard (0 … shards-1) that a viewer belongs to for ever."""
    return zlib.crc32(viewer.encode()) % shards


def new_id(prefix: str) -> str:
    """A fresh random id such as `r_4h2k9m…` (80 random bits)."""
    return f"{prefix}_{base64.b32encode(secrets.token_bytes(10)).translate(_READABLE).decode()}"
