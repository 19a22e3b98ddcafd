"""WebSocket frames (RFC 6455) as a server sends them: unmasked, whole, uncompressed.

Written by hand so that an answer, or a delta for thousands of members, is encoded once and leaves in one write.
"""

import struct

_TEXT = 0x81
_CLOSE = 0x88
_PING = 0x89
_PONG = 0x8A

CLOSE_REASON_BYTES_MAX = 123
"""A control frame holds 125 bytes, two of them the close code."""

_SHORT = struct.Struct("!BB")
_MIDDLE = struct.Struct("!BBH")
_LONG = struct.Struct("!BBQ")
_CODE = struct.Struct("!H")

PING = _SHORT.pack(_PING, 0)
"""A ping without payload."""


def text_frame(payload: bytes) -> bytes:
    """A text frame; payload is UTF-8."""
    size = len(payload)
    if size < 126:
        return _SHORT.pack(_TEXT, size) + payload
    if size < 65_536:
        return _MIDDLE.pack(_TEXT, 126, size) + payload
    return _LONG.pack(_TEXT, 127, size) + payload


def pong_frame(payload: bytes) -> bytes:
    """The answer to a ping, with the ping's payload (at most 125 bytes)."""
    return _SHORT.pack(_PONG, len(payload)) + payload


def close_frame(code: int, reason: str = "") -> bytes:
    """A close frame. Raises ValueError for a reason that is too long for one."""
    encoded = reason.encode()
    if len(encoded) > CLOSE_REASON_BYTES_MAX:
        raise ValueError(f"a close reason has at most {CLOSE_REASON_BYTES_MAX} bytes")
    return _SHORT.pack(_CLOSE, 2 + len(encoded)) + _CODE.pack(code) + encoded
