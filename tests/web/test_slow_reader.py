"""A client that does not read is cut off with 4410 before it costs memory; the others notice nothing."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from server.web.close_codes import CloseCode
from server.web.connection import Connection
from server.web.frames import text_frame
from tests.web.conftest import StartGateway

Pipe = tuple[Connection, socket.socket, Counter[int]]


@pytest.fixture
async def pipe() -> AsyncIterator[Pipe]:
    """A connection with a small buffer, and its peer, who reads only when told to."""
    near, far = socket.socketpair()
    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    far.setblocking(False)
    closed: Counter[int] = Counter()
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=near)
    yield Connection(transport, buffer_max_bytes=100_000, closed=closed), far, closed
    transport.abort()
    far.close()


async def read_all(far: socket.socket) -> bytes:
    loop = asyncio.get_running_loop()
    data = b""
    async with asyncio.timeout(10):
        while piece := await loop.sock_recv(far, 65_536):
            data += piece
    return data


async def test_answers_of_one_turn_leave_together_and_in_order(pipe: Pipe):
    connection, far, _ = pipe
    for number in range(3):
        connection.answer(text_frame(b"%d" % number))
    connection.write(text_frame(b"w"))
    await asyncio.sleep(0)
    connection.cut_off(CloseCode.GOING_AWAY)
    connection.answer(text_frame(b"too late"))
    connection.transport.close()
    assert await read_all(far) == text_frame(b"w") + b"".join(text_frame(b"%d" % n) for n in range(3)) + (
        b"\x88\x0c\x03\xe9going away"
    )


async def test_answers_not_yet_written_leave_before_the_close(pipe: Pipe):
    connection, far, closed = pipe
    connection.answer(text_frame(b"answer"))
    connection.cut_off(CloseCode.RESTART, "{}")
    connection.transport.close()
    assert (await read_all(far)).startswith(text_frame(b"answer") + b"\x88")
    assert closed == {1012: 1}


async def test_who_leaves_more_than_the_buffer_unread_is_cut_off_and_torn_down(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("server.web.connection.CLOSE_WAIT_S", 0.2)
    connection, _, closed = pipe
    frame = text_frame(b"x" * 10_000)
    writes = 0
    while not connection.closing:
        connection.write(frame)
        writes += 1
        assert writes < 1000
    assert connection.transport.get_write_buffer_size() < 150_000
    connection.write(frame)
    assert connection.transport.get_write_buffer_size() < 150_000
    assert closed == {4410: 1}
    async with asyncio.timeout(10):
        while not connection.transport.is_closing():
            await asyncio.sleep(0.01)


async def test_a_client_that_stops_reading_is_closed_with_4410(start_gateway: StartGateway):
    gateway = await start_gateway(
        send_buffer_soft_bytes=10_000, send_buffer_hard_bytes=100_000, frames_per_second=100_000, frames_burst=1_000_000
    )
    client = await gateway.enter(gateway.token("vera"))
    client.socket._response.connection.transport.get_extra_info("socket").setsockopt(  # type: ignore[union-attr]
        socket.SOL_SOCKET, socket.SO_RCVBUF, 4096
    )
    client.socket._response.connection.transport.pause_reading()  # type: ignore[union-attr]
    # The refusal of a join repeats the room's name: much is said for what was asked.
    asking = b'{"type":"join","room":"' + b"x" * 8000 + b'"}'
    other = await gateway.enter(gateway.token("walt"))
    async with asyncio.timeout(60):
        while (await closes(gateway)).get("4410", 0) == 0:
            for _ in range(100):
                with contextlib.suppress(ConnectionError):
                    await client.send_raw(asking)
            await other.silent("error")


async def closes(gateway: object) -> dict[str, float]:
    async with gateway.http.get(f"{gateway.url}/metrics") as response:  # type: ignore[attr-defined]
        lines = (await response.text()).splitlines()
    return {
        line.split('code="')[1].split('"')[0]: float(line.rsplit(" ", 1)[1])
        for line in lines
        if line.startswith("giftstream_sockets_closed_total{")
    }
