"""What a store being away looks like from here."""

import asyncpg
from redis.exceptions import RedisError

POSTGRES_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.InternalClientError,  # said of a connection whose server died in the middle of a statement
)
REDIS_AWAY = (OSError, TimeoutError, RedisError)
STORE_AWAY = (*REDIS_AWAY, *POSTGRES_AWAY, asyncpg.PostgresError)
"""For callers that answer `unavailable` whatever the store's trouble is."""
