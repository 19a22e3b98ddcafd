"""Members of rooms on real TCP connections, and what their clients read."""

import asyncio
import json
import socket
import struct
from typing import Any


class Client:
    """The far end: reads text frames, when asked to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.frames: list[dict[str, Any]] = []

    async def next(self, deadline_s: float = 10.0) -> dict[str, Any]:
        """The next frame."""
        async with asyncio.timeout(deadline_s):
            first, size = await self._reader.readexactly(2)
            assert first == 0x81, "a whole, unmasked text frame"
            if size == 126:
                (size,) = struct.unpack("!H", await self._reader.readexactly(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", await self._reader.readexactly(8))
            frame: dict[str, Any] = json.loads(await self._reader.readexactly(size))
            self.frames.append(frame)
            return frame

    async def until(self, position: str) -> list[dict[str, Any]]:
        """All frames so far, once the one with this position has come."""
        while not self.frames or self.frames[-1].get("position") != position:
            await self.next()
        return self.frames

    async def closed(self, deadline_s: float = 10.0) -> None:
        """Returns when the connection has ended."""
        async with asyncio.timeout(deadline_s):
            try:
                while await self._reader.read(65_536):
                    pass
            except ConnectionError:
                return

    def close(self) -> None:
        self._writer.close()

    @property
    def positions(self) -> list[str]:
        return [frame["position"] for frame in self.frames if frame["type"] != "joined"]


class SocketMember:
    """The near end, as the web side has it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.writes = 0
        self.cut: tuple[int, str] | None = None

    @property
    def unsent(self) -> int:
        return self.transport.get_write_buffer_size()

    def write(self, data: bytes) -> bool:
        self.writes += 1
        self.transport.write(data)
        return not self.transport.is_closing()

    def cut_off(self, code: int, reason: str) -> None:
        self.cut = (code, reason)
        self.transport.abort()


class Sockets:
    """Makes connected pairs; small buffers below, so that a client that does not read is felt at once."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        self._listener.setblocking(False)
        self._open: list[SocketMember | Client] = []
        self._connecting = asyncio.Lock()

    async def pair(self) -> tuple[SocketMember, Client]:
        loop = asyncio.get_running_loop()
        far = socket.socket()
        far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        far.setblocking(False)
        async with self._connecting:
            connecting = asyncio.ensure_future(loop.sock_connect(far, self._listener.getsockname()))
            near, _ = await loop.sock_accept(self._listener)
            await connecting
        near.setblocking(False)
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=near)
        member = SocketMember(transport)
        client = Client(*await asyncio.open_connection(sock=far, limit=1 << 16))
        self._open += [member, client]
        return member, client

    def close(self) -> None:
        for end in self._open:
            end.transport.abort() if isinstance(end, SocketMember) else end.close()
        self._listener.close()
