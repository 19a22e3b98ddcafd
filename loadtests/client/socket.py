"""The reading half of a WebSocket client on a bare transport: no queues, no tasks, one call per frame."""

from __future__ import annotations

import asyncio
from typing import cast

from loadtests.client.frames import CLOSE, PING, PONG, TEXT, client_frame, handshake

_HEAD_BYTES_MAX = 16_384


class LoadSocket(asyncio.Protocol):
    """One connection; subclasses say what to do with its frames.

    opened: set by the answer to the handshake. closed: the code that the server closed with, 1006 when it gave none.
    """

    def __init__(self, host: str, path: str) -> None:
        self.transport: asyncio.Transport | None = None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.closed: int | None = None
        self._request = handshake(host, path)
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self._request)

    def connection_lost(self, error: Exception | None) -> None:
        if self.closed is None:
            self.closed = 1006
        self.transport = None
        if not self.opened.done():
            self.opened.set_exception(ConnectionError(f"connection lost: {error}"))

    def send(self, frames: bytes) -> None:
        """Write finished frames; on a lost connection nothing happens."""
        if self.transport is not None:
            self.transport.write(frames)

    def close(self) -> None:
        """End the connection without a word."""
        if self.transport is not None:
            self.transport.abort()

    def on_text(self, data: bytes, start: int, end: int) -> None:
        """A text frame: its payload is data[start:end]."""
        raise NotImplementedError

    def data_received(self, data: bytes) -> None:
        if self._held:
            data = self._held + data
            self._held = b""
        at, size = 0, len(data)
        if not self.opened.done():
            at = self._read_head(data)
            if at < 0:
                self._held = data
                return
        while size - at >= 2:
            length, start = data[at + 1], at + 2
            if length == 126:
                start = at + 4
                length = int.from_bytes(data[at + 2 : start])
            elif length == 127:
                start = at + 10
                length = int.from_bytes(data[at + 2 : start])
            end = start + length
            if start > size or end > size:
                break
            if data[at] & 15 == TEXT:
                self.on_text(data, start, end)
            else:
                self._on_control(data[at] & 15, data[start:end])
            at = end
        if at < size:
            self._held = data[at:]

    def _read_head(self, data: bytes) -> int:
        """Where the answer to the handshake ends; -1 when it is not all there."""
        head, found, _ = data.partition(b"\r\n\r\n")
        if not found:
            if len(data) > _HEAD_BYTES_MAX:
                self.close()
            return -1
        if not head.startswith(b"HTTP/1.1 101"):
            self.opened.set_exception(ConnectionError(head[:200].decode("latin-1")))
            self.close()
            return len(data)
        self.opened.set_result(None)
        return len(head) + 4

    def _on_control(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self.send(client_frame(payload, PONG))
        elif opcode == CLOSE:
            self.closed = int.from_bytes(payload[:2]) if payload else 1005
            self.send(client_frame(payload[:2], CLOSE))
            if self.transport is not None:
                self.transport.close()
