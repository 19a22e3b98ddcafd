"""Real stores with our functions and schema, and gifts as the wallet shards write them."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from server.settings import Settings
from server.stores import postgres
from server.stores.postgres import Pool
from server.stores.redis import connect, load_functions
from tests.rooms.shop import Shop


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
