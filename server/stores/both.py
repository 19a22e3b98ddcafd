"""Both stores, for a process that may have been started before them."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from server.settings import Settings
from server.start_error import StartError
from server.stores import postgres, redis
from server.stores.failures import STORE_AWAY
from server.stores.postgres import Pool

log = structlog.get_logger()

STORES_WAIT_S = 30.0
"""How long a process waits at its start for stores that do not answer."""
STORES_POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class Stores:
    """Ready to be used. wait_aof: what is acknowledged needs WAITAOF (server/stores/redis.py)."""

    redis: Redis
    pool: Pool
    wait_aof: bool


async def connect_both(settings: Settings, stack: AsyncExitStack, stop: asyncio.Event) -> Stores | None:
    """Both stores, closed with the stack; None when told to stop while they were waited for. Raises StartError."""
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + STORES_WAIT_S
    client = await redis.connect(settings.redis_url)
    stack.push_async_callback(client.aclose)
    waiting = False
    while not stop.is_set():
        try:
            wait_aof = (await redis.durability(client)).wait_aof
            await redis.load_functions(client)
            pool = await postgres.connect(settings.database_url, size_max=settings.database_connections_max)
        except STORE_AWAY as error:
            store = "Redis" if isinstance(error, RedisError) else "Postgres"
            if loop.time() > deadline_s:
                raise StartError(f"{store} does not answer: {type(error).__name__}") from error
            if not waiting:
                log.warning("waiting for the stores", store=store, error=type(error).__name__, wait_s=STORES_WAIT_S)
            waiting = True
            await asyncio.sleep(STORES_POLL_S)
        else:
            stack.push_async_callback(pool.close)
            return Stores(client, pool, wait_aof)
    return None
