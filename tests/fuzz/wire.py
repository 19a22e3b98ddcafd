"""WebSocket frames by hand, right and wrong, and what a server's bytes say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
MASK = b"\x37\xfa\x21\x3d"


def frame(opcode: int, payload: bytes, *, fin: bool = True, rsv: int = 0, masked: bool = True) -> bytes:
    """One frame of a client."""
    size = len(payload)
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    mask_bit = 0x80 if masked else 0
    if size < 126:
        head += bytes([mask_bit | size])
    elif size < 65_536:
        head += bytes([mask_bit | 126]) + size.to_bytes(2, "big")
    else:
        head += bytes([mask_bit | 127]) + size.to_bytes(8, "big")
    return head + MASK + _masked(payload) if masked else head + payload


def _masked(payload: bytes) -> bytes:
    size = len(payload)
    mask = (MASK * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(mask, "big")).to_bytes(size, "big") if size else b""


def upgrade(address: str) -> bytes:
    """The request that opens a socket. address: host:port."""
    return (
        f"GET /ws HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {os.urandom(16).hex()[:22]}==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


@dataclass(frozen=True, slots=True)
class ServerFrame:
    """One frame of the server. sound: unmasked, whole, without reserved bits."""

    opcode: int
    payload: bytes
    sound: bool


class Reader:
    """Cuts what a server sent into frames; the rest waits for more."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[ServerFrame]:
        self._rest += data
        at = 0
        rest = self._rest
        while len(rest) - at >= 2:
            size, head = rest[at + 1] & 0x7F, 2
            if size == 126:
                size, head = int.from_bytes(rest[at + 2 : at + 4], "big"), 4
            elif size == 127:
                size, head = int.from_bytes(rest[at + 2 : at + 10], "big"), 10
            if len(rest) - at < head + size:
                break
            first = rest[at]
            sound = first & 0xF0 == 0x80 and not rest[at + 1] & 0x80
            yield ServerFrame(first & 0x0F, rest[at + head : at + head + size], sound)
            at += head + size
        self._rest = rest[at:]
