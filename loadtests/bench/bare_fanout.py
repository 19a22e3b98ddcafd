"""The limit of fan-out, a loop that writes the same bytes to all sockets: ``python -m loadtests.bench.bare_fanout``.

It answers the handshake, `hello` and `join` with ready bytes and decides nothing. Orders: `listen`, answered with the
port; `write` with the payload's size, the tick and how long, answered with the frames written and the CPU they took.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Callable
from typing import Any, cast

import uvloop

from loadtests.line_process import follow_orders
from server.web.frames import text_frame

ACCEPTED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: unchecked\r\n\r\n"
)
ANSWERS = (ACCEPTED, text_frame(b'{"type":"welcome"}'), text_frame(b'{"type":"joined"}'))
MEMBERS_PER_TURN = 256
"""As the server's own loop: after so many writes other work gets a turn."""


class Listener(asyncio.Protocol):
    """One connection; whatever arrives, the next ready answer goes back."""

    def __init__(self, members: dict[asyncio.Transport, None]) -> None:
        self._members = members
        self._answers = iter(ANSWERS)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, _: bytes) -> None:
        answer = next(self._answers, None)
        if answer is not None:
            self._transport.write(answer)
            if answer is ANSWERS[-1]:
                self._members[self._transport] = None

    def connection_lost(self, _: Exception | None) -> None:
        self._members.pop(self._transport, None)


def payload_of(size: int) -> bytes:
    """A delta without gifts, filled up to a size."""
    head, tail = b'{"type":"delta","room":"bare","likes":1,"filled":"', b'"}'
    return head + b"x" * (size - len(head) - len(tail)) + tail


async def _main() -> None:
    members: dict[asyncio.Transport, None] = {}
    make: Callable[[], asyncio.Protocol] = lambda: Listener(members)  # noqa: E731

    async def listen(_: None) -> int:
        server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0, backlog=4096)
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def write(told: dict[str, Any]) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        frame = text_frame(payload_of(told["frame_bytes"]))
        cpu_s, frames, until_s = _cpu_s(), 0, loop.time() + told["seconds"]
        while (began_s := loop.time()) < until_s:
            for turn, transport in enumerate(list(members), 1):
                if turn % MEMBERS_PER_TURN == 0:
                    await asyncio.sleep(0)
                transport.write(frame)
                frames += 1
            await asyncio.sleep(max(0.0, began_s + told["tick_s"] - loop.time()))
        return {"frames": frames, "cpu_s": _cpu_s() - cpu_s, "members": len(members)}

    await follow_orders({"listen": listen, "write": write})


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    uvloop.run(_main())
