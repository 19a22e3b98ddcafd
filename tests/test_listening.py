"""The gateways share one port that nobody else has, and a health check goes through it."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from server.listening import listens, reserve_port
from server.readiness import ask
from server.start_error import StartError


def _listen_too(kept: socket.socket) -> socket.socket:
    shared = socket.socket()
    shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    shared.bind(kept.getsockname())
    shared.listen()
    return shared


def test_a_kept_port_is_open_to_those_who_share_it_and_takes_no_connection_itself() -> None:
    with reserve_port("127.0.0.1", 0) as kept:
        port = kept.getsockname()[1]
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)
        with _listen_too(kept):
            for _ in range(20):
                socket.create_connection(("127.0.0.1", port), timeout=5).close()


def test_a_port_that_someone_listens_on_is_refused_even_if_they_would_share_it() -> None:
    with reserve_port("127.0.0.1", 0) as kept, _listen_too(kept) as theirs:
        port = theirs.getsockname()[1]
        with pytest.raises(StartError, match=f"port {port} on 127.0.0.1 is taken"):
            reserve_port("127.0.0.1", port)


def test_a_port_that_another_serve_keeps_is_refused_before_its_gateways_listen() -> None:
    with reserve_port("127.0.0.1", 0) as kept, pytest.raises(StartError, match="is taken"):
        reserve_port("127.0.0.1", kept.getsockname()[1])


def test_a_host_that_is_not_this_machine_is_one_line() -> None:
    with pytest.raises(StartError, match=r"cannot listen on 192\.0\.2\.1 port 8080"):
        reserve_port("192.0.2.1", 8080)
    with pytest.raises(StartError, match="GIFTSTREAM_HOST: 'no such host' is no address"):
        reserve_port("no such host", 8080)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_who_listens_is_seen(host: str) -> None:
    with reserve_port(host, 0) as kept:
        port = kept.getsockname()[1]
        assert not listens(os.getpid(), port)
        with socket.socket(kept.family) as shared:
            shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            shared.bind(kept.getsockname())
            shared.listen()
            assert listens(os.getpid(), port)
            assert not listens(os.getppid(), port)


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok"),
        (b'HTTP/1.1 503 Service Unavailable\r\n\r\n{"missing":["worker"]}', 503, '{"missing":["worker"]}'),
        (b"\x00\xff nonsense\r\n\r\n", 0, ""),
        (b"", 0, ""),
    ],
)
async def test_status_and_reason_are_told_and_nonsense_has_no_status(answer: bytes, status: int, said: str) -> None:
    asked = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        assert await ask("127.0.0.1", server.sockets[0].getsockname()[1]) == (status, said)
    assert asked[0].startswith(b"GET /readyz HTTP/1.1\r\n")


async def test_a_port_where_nobody_listens_is_not_ready() -> None:
    with reserve_port("127.0.0.1", 0) as kept:
        status, said = await ask("127.0.0.1", kept.getsockname()[1])
    assert status == 0
    assert said
