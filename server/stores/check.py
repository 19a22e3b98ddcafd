"""Looks at both stores before anything starts: do they answer, are they new enough, what do they promise?"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import asyncpg
from redis.exceptions import AuthenticationError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from server.settings import Settings
from server.start_error import StartError
from server.stores import postgres as postgres_store
from server.stores import redis as redis_store

CONNECT_TIMEOUT_S = 10.0
RETRY_S = 0.5

_REDIS_AWAY = (RedisConnectionError, RedisTimeoutError, OSError)
_POSTGRES_AWAY = (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError)


class StoreAwayError(StartError):
    """A store does not answer; it may later."""


async def check_stores(settings: Settings) -> None:
    """Return once both stores can be used, after ``stores_wait_s`` at most. Raises StartError with what is wrong."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + settings.stores_wait_s
    while True:
        try:
            await check_redis(settings.redis_url)
            await check_postgres(settings.database_url)
        except StoreAwayError:
            if loop.time() >= deadline:
                raise
        else:
            return
        await asyncio.sleep(RETRY_S)


async def check_redis(url: str) -> str:
    """Return in one line what answers at ``url`` and what a crash could lose. Raises StartError."""
    try:
        client = await redis_store.connect(url)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                found = await redis_store.durability(client)
        finally:
            await client.aclose()
    except redis_store.StoreUnfit as error:
        raise StartError(str(error)) from error
    except AuthenticationError as error:
        raise StartError(f"REDIS_URL: {shown_url(url)} refused the user or password") from error
    except (RedisError, OSError) as error:
        kind = StoreAwayError if isinstance(error, _REDIS_AWAY) else StartError
        raise kind(f"REDIS_URL: no answer from {shown_url(url)}: {_reason(error)}") from error
    return f"{found.version}: {found.sentence}"


async def check_postgres(url: str) -> str:
    """Return in one line what answers at ``url``. Raises StartError."""
    try:
        connection = await postgres_store.connect_once(url)
        try:
            version = str(await connection.fetchval("SHOW server_version"))
        finally:
            await connection.close(timeout=CONNECT_TIMEOUT_S)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError) as error:
        kind = StoreAwayError if isinstance(error, _POSTGRES_AWAY) else StartError
        raise kind(f"DATABASE_URL: no connection to {shown_url(url)}: {_reason(error)}") from error
    return f"PostgreSQL {version.split(maxsplit=1)[0]}"


def shown_url(url: str) -> str:
    """Return a URL without user and password, fit to be printed."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "that URL"
    place = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{place}{parts.path}"


def _reason(error: BaseException) -> str:
    """Return an error's text as one line, or its name if it has none."""
    if isinstance(error, TimeoutError):
        return f"nothing within {CONNECT_TIMEOUT_S:.0f} s"
    return " ".join(str(error).split()) or type(error).__name__
