"""A task that speaks to Redis can always be cancelled."""

from __future__ import annotations

import asyncio

import pytest

from server.stores import redis

TURNS = 12


@pytest.mark.parametrize("turns", range(TURNS))
async def test_a_command_cancelled_at_any_turn_of_the_loop_stays_cancelled(redis_url: str, turns: int):
    client = await redis.connect(redis_url)
    await client.ping()

    async def talk() -> None:
        while True:
            await client.ping()

    talking = asyncio.create_task(talk())
    for _ in range(turns):
        await asyncio.sleep(0)
    talking.cancel()
    done, _ = await asyncio.wait({talking}, timeout=5)
    ended = talking in done
    while not talking.done():
        talking.cancel()
        await asyncio.sleep(0)
    await client.aclose()
    assert ended
