"""Real stores with our functions and schema, and gifts as the wallet shards write them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from server.rooms.hub import Hub
from server.rooms.rooms import Rooms
from server.settings import Settings
from server.stores import postgres
from server.stores.postgres import Pool
from server.stores.redis import connect, load_functions
from server.web.frames import text_frame
from tests.rooms.shop import Shop
from tests.rooms.sockets import Sockets
from tests.rooms.waiting import eventually


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of an empty Valkey with our functions; bytes in and out."""
    client = await connect(redis_url)
    await load_functions(client)
    yield client
    await client.aclose()


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """A pool on a database with the schema and nothing else."""
    pool = await postgres.connect(database_url, size_max=4)
    yield pool
    await pool.close()


@pytest.fixture
async def shop(redis: Redis, settings: Settings) -> Shop:
    """Where gifts come from."""
    return Shop(redis, settings.wallet_shards)


@pytest.fixture
async def sockets() -> AsyncIterator[Sockets]:
    """Connected pairs of sockets, closed with the test."""
    sockets = Sockets()
    yield sockets
    sockets.close()


@pytest.fixture
async def start_hub(redis: Redis, pool: Pool, settings: Settings) -> AsyncIterator[Callable[..., Awaitable[Hub]]]:
    """Starts hubs that hear themselves, each as a gateway of its own; stopped with the test."""
    tasks: list[asyncio.Task[None]] = []

    async def start(gateway_id: str = "g1", **changes: Any) -> Hub:
        changed = replace(settings, **changes)
        hub = Hub(redis, Rooms(redis, pool, changed), changed, gateway_id, encode=text_frame)
        tasks.append(asyncio.create_task(hub.run()))
        await eventually(hub.healthy)
        return hub

    yield start
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(result, asyncio.CancelledError), result
