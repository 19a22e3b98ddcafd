"""Settlement when a test says so."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from server.ledger.settle import Settler
from server.settings import Settings
from server.stores import redis as redis_store
from server.stores.postgres import Pool

Settle = Callable[[], Awaitable[None]]


@pytest.fixture
async def settle(settings: Settings, pool: Pool) -> AsyncIterator[Settle]:
    """Settles all that is in the logs."""
    redis = await redis_store.connect(settings.redis_url)
    settler = Settler(redis, pool, settings)

    async def run() -> None:
        for shard in range(settings.wallet_shards):
            while await settler.settle_once(shard):
                pass

    yield run
    await redis.aclose()
