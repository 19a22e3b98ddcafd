"""A gateway asked to stop takes no new gifts, acknowledges the accepted ones, and tells every socket to come back."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import aiohttp
import orjson
import pytest

from server.listening import reserve_port
from server.settings import Settings
from tests.serve_process import plain_environ
from tests.web.client import Client
from tests.web.conftest import StartGateway
from tests.web.gateways import Gateway

GIFTS = 40


async def test_every_gift_sent_before_is_answered_and_the_others_change_nothing(start_gateway: StartGateway):
    gateway, other = await start_gateway(gifts_burst=1000), await start_gateway(gifts_burst=1000)
    room = await gateway.open_room()
    token = await gateway.coins("vera", 1000)
    client = await gateway.enter(token, room)
    await client.gift(room, id="first")
    for number in range(GIFTS):
        await client.send(type="gift", id=f"g{number}", room=room, gift="rose", count=1)
    gateway.stopping.set()
    code, reason = await client.closed()
    assert code == 1012
    assert 1000 <= orjson.loads(reason)["retry_ms"] <= 30_000
    answered = {frame["id"]: frame for frame in client.seen if frame["type"] == "gift_ack"}
    refused = {frame["id"]: frame["code"] for frame in client.seen if frame["type"] == "gift_nack"}
    assert set(refused.values()) <= {"unavailable"}
    await asyncio.wait_for(gateway.ended.wait(), 20)
    # What was acknowledged was paid, what was not was not: the retries elsewhere tell.
    back = await other.enter(token, room)
    again = [await back.gift(room, id=f"g{number}") for number in range(GIFTS)]
    assert all(answer["type"] == "gift_ack" for answer in again)
    assert all(answered[answer["id"]] == answer for answer in again if answer["id"] in answered)
    assert (await other.get("/wallet", token))[1]["coins"] == 1000 - 1 - GIFTS


async def test_while_draining_a_gift_is_unavailable_but_an_answered_one_gets_its_answer(
    start_gateway: StartGateway, monkeypatch: pytest.MonkeyPatch
):
    hold = asyncio.Event()

    async def held(_: object, timeout_s: float) -> None:
        await asyncio.wait_for(hold.wait(), timeout_s)

    monkeypatch.setattr("server.web.drain._wait_until", lambda holds, deadline_s: held(holds, 10))
    gateway = await start_gateway()
    room = await gateway.open_room()
    token = await gateway.coins("vera", 100)
    client = await gateway.enter(token, room)
    first = await client.gift(room, id="before")
    gateway.stopping.set()
    async with asyncio.timeout(10):
        while await gateway_listens(gateway):
            await asyncio.sleep(0.01)
    assert (await client.gift(room, id="after"))["code"] == "unavailable"
    assert await client.gift(room, id="before") == first
    hold.set()
    assert (await client.closed())[0] == 1012


async def gateway_listens(gateway: Gateway) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    except OSError:
        return False
    writer.close()
    return True


async def test_a_peer_that_does_not_listen_does_not_hold_up_the_end(start_gateway: StartGateway):
    gateway = await start_gateway()
    stalled = await gateway.enter(gateway.token("vera"))
    stalled.socket._response.connection.transport.pause_reading()  # type: ignore[union-attr]
    gateway.stopping.set()
    await asyncio.wait_for(gateway.ended.wait(), 10)


class GatewayProcess:
    """`giftstream gateway` as its own process."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        with reserve_port("127.0.0.1", 0) as kept:
            self.settings = replace(settings, port=kept.getsockname()[1], data_dir=folder, drain_timeout_s=8.0)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "server", "gateway"],
            env=plain_environ(**self.settings.as_environ()),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    async def end(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGTERM)
        out, _ = await asyncio.to_thread(self.process.communicate, None, 30)
        return self.process.returncode, out


async def say_no_http(gateway: Gateway, request: bytes) -> None:
    """Sends what cannot be parsed; it is answered with 400."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(request)
    assert b" 400 " in (await reader.read(4096)).split(b"\r\n")[0]
    writer.close()


async def test_a_process_told_to_stop_closes_with_1012_and_exits_with_0_and_logs_no_secrets(
    settings: Settings, tmp_path: Path
):
    running = GatewayProcess(settings, tmp_path)
    try:
        async with aiohttp.ClientSession() as http:
            gateway = Gateway(running.settings, running.settings.port, asyncio.Event(), http)
            async with asyncio.timeout(60):
                while not await gateway_listens(gateway):
                    assert running.process.poll() is None
                    await asyncio.sleep(0.05)
            room = await gateway.open_room()
            token = await gateway.coins("vera", 10)
            clients: list[Client] = [await gateway.enter(token, room) for _ in range(3)]
            await clients[0].gift(room, id="a-request-id-nobody-should-log")
            await clients[0].ask(type="chat", room=room, text="a line nobody should log")
            await clients[0].send_text('{"type":"chat","text":"a bad frame nobody should log"')
            await clients[0].receive("error")
            await gateway.get("/wallet", "a.wrong.token-nobody-should-log")
            await gateway.connect(protocols=["nobody-should-log"])
            await say_no_http(
                gateway, b"GET /nobody-should-log HTTP/1.1\r\nAuthorization: nobody-should-log\x00\r\n\r\n"
            )
            await say_no_http(gateway, b"nobody-should-log\r\n\r\n")
            ending = asyncio.create_task(running.end())
            assert [(await client.closed())[0] for client in clients] == [1012] * 3
            code, output = await ending
    finally:
        running.process.kill()
        running.process.wait()
    assert code == 0, output
    assert "Traceback" not in output
    assert "nobody should log" not in output
    assert "nobody-should-log" not in output
    assert token not in output


def test_a_gateway_without_stores_says_so_in_one_line_and_fails(tmp_path: Path):
    ended = subprocess.run(
        [sys.executable, "-m", "server", "gateway"],
        env=plain_environ(
            REDIS_URL="redis://127.0.0.1:1",
            DATABASE_URL="postgresql://127.0.0.1:1/x",
            GIFTSTREAM_TOKEN_SECRET="s" * 40,
            GIFTSTREAM_DATA_DIR=str(tmp_path),
        ),
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert ended.returncode != 0
    assert len(ended.stderr.strip().splitlines()) == 1
    assert "REDIS_URL" in ended.stderr


async def test_a_port_that_is_taken_is_said_in_one_line(settings: Settings, tmp_path: Path):
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "server", "gateway"],
        env=plain_environ(**replace(settings, port=port, data_dir=tmp_path).as_environ()),
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    server.close()
    assert ended.returncode == 1
    assert f"port {port} on 127.0.0.1 is taken" in ended.stderr
    assert "Traceback" not in ended.stderr
