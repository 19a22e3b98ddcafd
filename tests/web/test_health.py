"""Health and metrics: /readyz says which part is not there, over the ways that gifts take."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import redis as blocking_redis

from server.domain.ids import UserId
from server.settings import Settings
from server.stores import keys
from server.stores.embedded_valkey import EmbeddedValkey
from tests.web.conftest import StartGateway
from tests.web.gateways import Gateway, running_gateway


async def look(gateway: Gateway, path: str) -> tuple[int, Any]:
    async with gateway.http.get(gateway.url + path) as response:
        return response.status, await response.json(content_type=None)


async def until(gateway: Gateway, part: str, state: str) -> dict[str, Any]:
    """Waits until /readyz says so of a part."""
    async with asyncio.timeout(30):
        while True:
            _, body = await look(gateway, "/readyz")
            if body["checks"][part] == state:
                return dict(body)
            await asyncio.sleep(0.02)


async def test_ready_when_stores_functions_a_worker_and_the_rooms_are_there(gateway: Gateway):
    body = await until(gateway, "rooms", "ok")
    assert body["checks"]["worker"] == "not ready"
    assert (await look(gateway, "/readyz"))[0] == 503
    with blocking_redis.Redis.from_url(gateway.settings.redis_url) as client:
        client.zadd(keys.WORKERS, {"w": time.time() + 60})
        assert (await look(gateway, "/readyz")) == (
            200,
            {"ok": True, "process": "gateway-1", "checks": dict.fromkeys(body["checks"], "ok")},
        )
        client.zadd(keys.WORKERS, {"w": time.time() - 1})
        assert (await look(gateway, "/readyz"))[1]["checks"]["worker"] == "not ready"
        client.function_flush()
        assert (await look(gateway, "/readyz"))[1]["checks"]["functions"] == "not ready"
    assert await look(gateway, "/healthz") == (200, {"ok": True})


async def test_without_redis_the_answer_is_unavailable_and_with_it_again_everything_is(
    settings: Settings, stores_folder: Path
):
    valkey = EmbeddedValkey(stores_folder / f"own-{time.monotonic_ns()}", memory_mb=64)
    await valkey.start()
    async with running_gateway(replace(settings, redis_url=valkey.url)) as gateway:
        room = await gateway.open_room()
        token = await gateway.coins("vera", 100)
        client = await gateway.enter(token, room)
        await valkey.stop()
        assert (await client.gift(room, id="down"))["code"] == "unavailable"
        assert (await client.ask(type="chat", room=room, text="hi"))["code"] == "unavailable"
        for path in ("/wallet", "/wallet/gifts", "/rooms", f"/rooms/{room}/top"):
            status, problem = await gateway.get(path, token)
            assert (status, problem["code"]) == (503, "unavailable"), path
        status, problem = await gateway.post(f"/rooms/{room}/gifts", {"gift": "rose", "count": 1}, token)
        assert (status, problem["code"]) == (503, "unavailable")
        assert (await look(gateway, "/readyz"))[0] == 503
        assert (await look(gateway, "/healthz"))[0] == 200
        late = await gateway.connect()
        await late.send(type="hello", token=token)
        code, reason = await late.closed()
        assert (code, late.seen[0]["code"]) == (1012, "unavailable")
        assert orjson.loads(reason)["retry_ms"] > 0
        await valkey.start()
        await until(gateway, "redis", "ok")
        async with asyncio.timeout(30):
            while (answer := await client.gift(room, id="down"))["type"] != "gift_ack":
                assert answer["code"] == "unavailable"
        assert answer["coins"] == 99
    await valkey.stop()


async def test_metrics_name_the_process_and_count_gifts_by_result(start_gateway: StartGateway):
    gateway = await start_gateway(worker_id="the-process")
    room = await gateway.open_room()
    client = await gateway.enter(await gateway.coins(UserId("vera"), 1), room)
    before = await samples(gateway)
    await client.gift(room)
    await client.gift(room)
    after = await samples(gateway)
    accepted = 'giftstream_gifts_total{process="the-process",result="accepted"}'
    poor = 'giftstream_gifts_total{process="the-process",result="insufficient_coins"}'
    assert [after.get(name, 0) - before.get(name, 0) for name in (accepted, poor)] == [1, 1]
    assert after['giftstream_sockets{process="the-process"}'] == 1
    assert all('process="the-process"' in name for name in after)


async def samples(gateway: Gateway) -> dict[str, float]:
    async with gateway.http.get(f"{gateway.url}/metrics") as response:
        assert response.status == 200
        lines = [line for line in (await response.text()).splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


async def test_metrics_ask_for_their_token_and_can_be_switched_off(start_gateway: StartGateway):
    guarded, without = await start_gateway(metrics_token="m" * 20), await start_gateway(metrics=False)
    for headers, status in (
        ({}, 401),
        ({"Authorization": "Bearer x"}, 401),
        ({"Authorization": "Bearer " + "m" * 20}, 200),
    ):
        async with guarded.http.get(f"{guarded.url}/metrics", headers=headers) as response:
            assert response.status == status
    async with without.http.get(f"{without.url}/metrics") as response:
        assert response.status == 404
