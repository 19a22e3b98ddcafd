"""The beginning of a conversation, and every way in which the server ends one."""

from __future__ import annotations

import asyncio

import aiohttp
import orjson
import pytest

from tests.web.conftest import StartGateway
from tests.web.gateways import Gateway


async def test_hello_is_welcomed_with_name_coins_session_and_heartbeat(gateway: Gateway):
    client = await gateway.connect()
    welcome = await client.hello(await gateway.coins("vera", 750))
    assert welcome["user"] == {"id": "vera", "name": "Vera"}
    assert welcome["coins"] == 750
    assert welcome["heartbeat_s"] == gateway.settings.heartbeat_s
    other = await (await gateway.connect()).hello(gateway.token("vera"))
    assert other["session"] != welcome["session"]


async def test_a_ping_is_answered_with_its_ts_and_a_protocol_ping_with_its_payload(gateway: Gateway):
    client = await gateway.enter(gateway.token("vera"))
    await client.send(type="ping", ts=-5)
    assert await client.receive("pong") == {"type": "pong", "ts": -5}
    await client.send(type="ping")
    assert await client.receive("pong") == {"type": "pong"}
    raw = await gateway.connect(autoping=False)
    await raw.socket.ping(b"are you there")
    message = await raw.socket.receive()
    assert (message.type, bytes(message.data)) == (aiohttp.WSMsgType.PONG, b"are you there")


async def test_no_hello_in_time_ends_with_4408(start_gateway: StartGateway):
    gateway = await start_gateway(hello_timeout_s=0.1)
    client = await gateway.connect()
    assert await client.closed() == (4408, "no hello in time")
    talking = await gateway.connect()
    await talking.send_text("not a hello")
    assert (await talking.closed())[0] == 4408


async def test_a_hello_in_time_stays(start_gateway: StartGateway):
    gateway = await start_gateway(hello_timeout_s=0.1)
    client = await gateway.enter(gateway.token("vera"))
    await asyncio.sleep(1.2)  # two sweeps that would end it
    await client.silent("error")


@pytest.mark.parametrize("hello", [{}, {"token": None}, {"token": ""}, {"token": "x"}])
async def test_a_missing_or_wrong_token_ends_with_4401(gateway: Gateway, hello: dict[str, object]):
    client = await gateway.connect()
    await client.send(type="hello", **hello)
    assert await client.closed() == (4401, "token missing, wrong or expired")


@pytest.mark.parametrize("token", [5, {"a": 1}])
async def test_a_token_that_is_no_text_is_a_bad_frame(gateway: Gateway, token: object):
    client = await gateway.connect()
    await client.send(type="hello", token=token)
    assert (await client.receive("error"))["code"] == "bad_frame"


async def test_an_expired_a_forged_and_an_unsigned_token_end_with_4401(start_gateway: StartGateway):
    gateway = await start_gateway(token_leeway_s=0)
    good = gateway.token("vera")
    head, body, _ = good.split(".")
    for token in (gateway.token("vera", ttl_s=-1), f"{head}.{body}.AAAA", f"eyJhbGciOiJub25lIn0.{body}."):
        client = await gateway.connect()
        await client.send(type="hello", token=token)
        assert (await client.closed())[0] == 4401


async def test_a_first_frame_that_is_no_hello_ends_with_4401(gateway: Gateway):
    for frame in (
        {"type": "join", "room": "r"},
        {"type": "ping"},
        {"type": "gift", "id": "1", "room": "r", "gift": "rose"},
    ):
        client = await gateway.connect()
        await client.send(**frame)
        assert (await client.closed())[0] == 4401


async def test_a_token_that_expires_meanwhile_ends_with_4401(start_gateway: StartGateway):
    gateway = await start_gateway(token_leeway_s=0)
    client = await gateway.enter(gateway.token("vera", ttl_s=1))
    assert (await client.closed())[0] == 4401


async def test_a_second_hello_is_a_bad_frame(gateway: Gateway):
    token = gateway.token("vera")
    client = await gateway.enter(token)
    await client.send(type="hello", token=token)
    assert (await client.receive("error"))["code"] == "bad_frame"


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://127.0.0.1:1", "ftp://127.0.0.1", "http://", "file://", "http://[x"],
)
async def test_another_origin_ends_with_4403(gateway: Gateway, origin: str):
    client = await gateway.connect(headers={"Origin": origin})
    assert await client.closed() == (4403, "forbidden origin")


async def test_our_own_origin_allowed_ones_and_none_may_connect(start_gateway: StartGateway):
    gateway = await start_gateway(allowed_origins=("https://friend.example",))
    for headers in ({"Origin": gateway.url}, {"Origin": gateway.url.upper()}, {"Origin": "https://friend.example"}, {}):
        client = await gateway.connect(headers=headers)
        await client.hello(gateway.token("vera"))
    enemy = await gateway.connect(headers={"Origin": "https://friend.example.evil"})
    assert (await enemy.closed())[0] == 4403


async def test_any_origin_may_connect_when_all_are_allowed(start_gateway: StartGateway):
    gateway = await start_gateway(allowed_origins=("*",))
    client = await gateway.connect(headers={"Origin": "https://anyone.example"})
    await client.hello(gateway.token("vera"))


async def test_too_many_connections_of_one_user_end_with_4409_over_all_gateways(start_gateway: StartGateway):
    first, second = await start_gateway(connections_per_user_max=2), await start_gateway(connections_per_user_max=2)
    one = await first.enter(first.token("vera"))
    await second.enter(first.token("vera"))
    for gateway in (first, second):
        client = await gateway.connect()
        await client.send(type="hello", token=gateway.token("vera"))
        assert await client.closed() == (4409, "too many connections")
    await first.enter(first.token("someone.else"))
    await one.close()
    await until_welcome(first, first.token("vera"))


async def until_welcome(gateway: Gateway, token: str) -> None:
    """A connection that was closed is counted out in its own time."""
    async with asyncio.timeout(10):
        while True:
            client = await gateway.connect()
            await client.send(type="hello", token=token)
            message = await client.socket.receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                assert orjson.loads(message.data)["type"] == "welcome"
                return


async def test_too_many_connections_of_a_gateway_end_with_4409(start_gateway: StartGateway):
    gateway = await start_gateway(connections_per_gateway_max=1)
    first = await gateway.enter(gateway.token("vera"))
    assert (await (await gateway.connect()).closed())[0] == 4409
    await first.close()
    await until_welcome(gateway, gateway.token("vera"))


async def test_the_eleventh_bad_frame_in_a_minute_ends_with_4400(gateway: Gateway):
    client = await gateway.enter(gateway.token("vera"))
    for number in range(10):
        await client.send_text("no json" if number % 2 else '{"type":"nope"}')
        error = await client.receive("error")
        assert (error["code"], error["message"]) == ("bad_frame", "This frame could not be read.")
    await client.silent("error")
    await client.send_text("{")
    assert await client.closed() == (4400, "too many bad frames")


async def test_a_binary_frame_and_one_that_is_not_utf8_are_bad_frames(gateway: Gateway):
    client = await gateway.enter(gateway.token("vera"))
    await client.socket.send_bytes(b'{"type":"ping"}')
    assert (await client.receive("error"))["code"] == "bad_frame"
    await client.send_raw(b'{"type":"ping","x":"\xff"}')
    assert (await client.receive("error"))["code"] == "bad_frame"
    await client.silent("error")


async def test_too_many_frames_end_with_4429(start_gateway: StartGateway):
    gateway = await start_gateway(frames_per_second=1, frames_burst=5)
    client = await gateway.enter(gateway.token("vera"))
    for _ in range(5):
        await client.send(type="ping")
    assert await client.closed() == (4429, "too many frames")


async def test_protocol_pings_count_as_frames(start_gateway: StartGateway):
    gateway = await start_gateway(frames_per_second=1, frames_burst=5)
    client = await gateway.connect()
    for _ in range(6):
        await client.socket.ping()
    assert (await client.closed())[0] == 4429


@pytest.mark.parametrize("size", [8193, 20_000, 60_000])
async def test_a_frame_over_the_limit_ends_with_1009(gateway: Gateway, size: int):
    client = await gateway.enter(gateway.token("vera"))
    await client.send_text('{"type":"ping","x":"' + "x" * (size - 22) + '"}')
    assert await client.closed() == (1009, "frame too big")


async def test_a_frame_of_a_megabyte_ends_the_connection_with_1009(gateway: Gateway):
    client = await gateway.enter(gateway.token("vera"))
    await client.send_text("x" * 1_000_000)
    assert (await client.closed())[0] == 1009


async def test_a_frame_of_exactly_the_limit_is_read(gateway: Gateway):
    client = await gateway.enter(gateway.token("vera"))
    frame = '{"type":"ping","ts":7,"x":"' + "x" * (8192 - 29) + '"}'
    assert len(frame) == 8192
    await client.send_text(frame)
    assert (await client.receive("pong"))["ts"] == 7


async def test_the_servers_own_close_is_answered_and_a_clients_close_too(gateway: Gateway):
    client = await gateway.enter(gateway.token("vera"))
    await client.socket.close(code=1000)
    assert client.close_code == 1000
    assert await gone(gateway)


async def test_a_peer_that_vanishes_is_forgotten(gateway: Gateway):
    client = await gateway.enter(gateway.token("vera"))
    transport = client.socket._response.connection.transport  # type: ignore[union-attr]
    transport.abort()
    assert await gone(gateway)


async def gone(gateway: Gateway) -> bool:
    """Polls /metrics until no socket is open."""
    async with asyncio.timeout(10):
        while True:
            async with gateway.http.get(f"{gateway.url}/metrics") as response:
                if any(
                    line.startswith("giftstream_sockets{") and line.endswith(" 0.0")
                    for line in (await response.text()).splitlines()
                ):
                    return True


async def test_a_silent_peer_is_pinged_and_one_that_never_answers_is_dropped(start_gateway: StartGateway):
    gateway = await start_gateway(heartbeat_s=1)
    client = await gateway.connect(autoping=False)
    await client.hello(gateway.token("vera"))
    kinds = []
    async with asyncio.timeout(15):
        while (message := await client.socket.receive()).type is aiohttp.WSMsgType.PING:
            kinds.append(message.type)
    assert len(kinds) == 2
    assert message.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}


async def test_a_peer_that_answers_pings_stays(start_gateway: StartGateway):
    gateway = await start_gateway(heartbeat_s=1)
    client = await gateway.enter(gateway.token("vera"))
    pump = asyncio.create_task(client.receive("pong", timeout_s=30))  # reading is what answers pings
    await asyncio.sleep(4.5)  # longer than three heartbeats
    await client.send(type="ping")
    await pump
