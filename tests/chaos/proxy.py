"""A port on loopback in front of a store's Unix socket: connections that can be cut, and answers that get lost."""

from __future__ import annotations

import asyncio
import socket
import struct
from pathlib import Path

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class _Side(asyncio.Protocol):
    """One end of a proxied connection; what it receives goes to the other end."""

    def __init__(self, proxy: Proxy, *, from_store: bool) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: _Side | None = None
        self._proxy = proxy
        self._from_store = from_store
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if not self._from_store:
            self._proxy.accepted(self)

    def data_received(self, data: bytes) -> None:
        if self._from_store and self._proxy.losing_answers:
            return
        if self.other is None:
            self._early.append(data)
        elif self.other.transport is not None and not self.other.transport.is_closing():
            self.other.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._proxy.ended(self)
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.transport is not None and not self.other.transport.is_closing():
            self.other.transport.resume_reading()

    def meet(self, other: _Side) -> None:
        """From now on the two ends are one connection; what came before that goes out now."""
        self.other, other.other = other, self
        for end in (self, other):
            early, end._early = end._early, []
            for data in early:
                end.data_received(data)

    def reset(self) -> None:
        """End it as a network does that forgot the connection: with RST."""
        if self.transport is None or self.transport.is_closing():
            return
        raw = self.transport.get_extra_info("socket")
        if raw is not None and raw.family == socket.AF_INET:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.transport.abort()


class Proxy:
    """losing_answers: what the store says is dropped; what it is asked gets through."""

    def __init__(self, store_socket: Path) -> None:
        self.port = 0
        self.losing_answers = False
        self.shut = False
        self.cuts = 0
        self._store_socket = store_socket
        self._server: asyncio.Server | None = None
        self._sides: set[_Side] = set()
        self._connecting: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen on a free port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Side(self, from_store=False), "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """End everything."""
        self.cut()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def cut(self) -> None:
        """Reset every connection."""
        self.cuts += 1
        for side in list(self._sides):
            side.reset()

    async def lose_answers(self, for_s: float) -> None:
        """Drop what the store answers for a moment, then reset every connection."""
        self.losing_answers = True
        await asyncio.sleep(for_s)
        self.cut()
        self.losing_answers = False

    def shut_down(self) -> None:
        """Cut everything and take nothing new, until `open_up`."""
        self.shut = True
        self.cut()

    def open_up(self) -> None:
        self.shut = False

    def accepted(self, side: _Side) -> None:
        self._sides.add(side)
        task = asyncio.ensure_future(self._connect(side))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    def ended(self, side: _Side) -> None:
        self._sides.discard(side)

    async def _connect(self, side: _Side) -> None:
        if self.shut:
            side.reset()
            return
        loop = asyncio.get_running_loop()
        store = _Side(self, from_store=True)
        try:
            await loop.create_unix_connection(lambda: store, str(self._store_socket))
        except OSError:
            side.reset()
            return
        self._sides.add(store)
        if self.shut or side.transport is None or side.transport.is_closing():
            store.reset()
            side.reset()
            return
        side.meet(store)
