"""Settlement when a test says so."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from redis.asyncio import Redis

from server.ledger.settle import Settler
from server.settings import Settings
from server.stores import redis as redis_store
from server.stores.postgres import Pool

Settle = Callable[[], Awaitable[None]]


@pytest.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    """A connection that is closed also when the test fails: the loop would wait for it for ever."""
    client = await redis_store.connect(settings.redis_url)
    yield client
    await client.aclose()


@pytest.fixture
async def settle(redis: Redis, settings: Settings, pool: Pool) -> Settle:
    """Settles all that is in the logs."""
    settler = Settler(redis, pool, settings)

    async def run() -> None:
        for shard in range(settings.wallet_shards):
            while await settler.settle_once(shard):
                pass

    return run
