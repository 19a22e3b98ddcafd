"""A WebSocket client that can be rude: it reads when it likes, sends half of things, and says what the server did."""

from __future__ import annotations

import asyncio
import os
import re
import socket

import orjson

RECEIVE_BUFFER_BYTES = 4096
READ_BYTES = 65_536
CLOSE = 0x8
TEXT = 0x1


def text_frame(data: bytes) -> bytes:
    """A masked text frame with the mask zero, so that its bytes stay as they are."""
    assert len(data) < 65_536
    size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
    return bytes([0x80 | TEXT]) + size + bytes(4) + data


def close_code(stream: bytes) -> int | None:
    """The code of the close frame among complete frames of a server, if one is there."""
    at = 0
    while at + 2 <= len(stream):
        opcode, size = stream[at] & 0x0F, stream[at + 1] & 0x7F
        at += 2
        if size == 126:
            size, at = int.from_bytes(stream[at : at + 2], "big"), at + 2
        elif size == 127:
            size, at = int.from_bytes(stream[at : at + 8], "big"), at + 8
        if opcode == CLOSE and at + 2 <= len(stream):
            return int.from_bytes(stream[at : at + 2], "big")
        at += size
    return None


class RawSocket:
    """A connection with a small receive buffer, by hand."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self._socket.setblocking(False)
        self._rest = b""

    async def open(self, address: str) -> None:
        """Connect and upgrade. address: host:port."""
        await self.connect(address)
        await self.send(
            f"GET /ws HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {os.urandom(16).hex()[:22]}==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self._rest:
            self._rest += await self.receive()
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        assert b" 101 " in head.split(b"\r\n")[0], head

    async def connect(self, address: str) -> None:
        """Connect, and say nothing."""
        host, _, port = address.partition(":")
        await asyncio.get_running_loop().sock_connect(self._socket, (host, int(port)))

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._socket, data)

    @staticmethod
    def json_frame(**frame: object) -> bytes:
        return text_frame(orjson.dumps(frame))

    async def send_json(self, **frame: object) -> None:
        await self.send(self.json_frame(**frame))

    async def receive(self) -> bytes:
        """What is there next. Raises ConnectionError at the end."""
        data = await asyncio.get_running_loop().sock_recv(self._socket, READ_BYTES)
        if not data:
            raise ConnectionResetError("the server closed")
        return data

    async def receive_until(self, wanted: bytes) -> None:
        """Read until these bytes were seen."""
        while wanted not in self._rest:
            self._rest += await self.receive()
        self._rest = b""

    async def receive_match(self, wanted: re.Pattern[bytes]) -> re.Match[bytes]:
        """Read until this was seen."""
        try:
            while (found := wanted.search(self._rest)) is None:
                self._rest += await self.receive()
        except ConnectionError as error:
            raise ConnectionResetError(f"closed with {close_code(self._rest)} after {self._rest[-200:]!r}") from error
        self._rest = self._rest[found.end() :]
        return found

    async def read_to_end(self) -> int | None:
        """Read all there is; the server's close code, None if it said none."""
        stream = self._rest
        try:
            while True:
                stream += await self.receive()
        except ConnectionError:
            return close_code(stream)

    def close(self) -> None:
        self._socket.close()
