"""WebSocket frames (RFC 6455) as a client sends them.

The masking key is zero, which the protocol allows: masking changes nothing then, so frames can be made from ready
bytes. The server unmasks as it does with any other key.
"""

from __future__ import annotations

import os
import struct
from base64 import b64encode

TEXT = 0x1
CLOSE = 0x8
PING = 0x9
PONG = 0xA

_MASK = b"\0\0\0\0"
_FINAL = 0x80
_MASKED = 0x80

REQUEST_ID_CHARS = 16
"""Request ids of gifts are a label of 4 characters and a number of 12 digits, so that all frames have one size."""


def client_frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """A whole frame with a payload under 64 KiB."""
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", _FINAL | opcode, _MASKED | size) + _MASK + payload
    return struct.pack("!BBH", _FINAL | opcode, _MASKED | 126, size) + _MASK + payload


def gift_frame_halves(label: str, room: str, gift: str, count: int = 1) -> tuple[bytes, bytes]:
    """What stands before and after the twelve digits of the request id in the frame of a gift."""
    assert len(label) == REQUEST_ID_CHARS - 12
    head = f'{{"type":"gift","id":"{label}'
    tail = f'","room":"{room}","gift":"{gift}","count":{count}}}'
    whole = client_frame(f"{head}{0:012d}{tail}".encode())
    end = len(whole) - len(tail)
    return whole[: end - 12], whole[end:]


def handshake(host: str, path: str) -> bytes:
    """The request that opens a WebSocket."""
    key = b64encode(os.urandom(16)).decode()
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()
