"""Looks at both stores before anything starts: do they answer, are they new enough, what do they promise?"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import asyncpg
from redis.exceptions import AuthenticationError, RedisError

from server.start_error import StartError
from server.stores import postgres as postgres_store
from server.stores import redis as redis_store

CONNECT_TIMEOUT_S = 10.0


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
    except (RedisError, OSError, TimeoutError) as error:
        raise StartError(f"REDIS_URL: no answer from {shown_url(url)}: {_reason(error)}") from error
    return f"{found.version}: {found.sentence}"


async def check_postgres(url: str) -> str:
    """Return in one line what answers at ``url``. Raises StartError."""
    try:
        connection = await postgres_store.connect_once(url)
        try:
            version = str(await connection.fetchval("SHOW server_version"))
        finally:
            await connection.close(timeout=CONNECT_TIMEOUT_S)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, ValueError) as error:
        raise StartError(f"DATABASE_URL: no connection to {shown_url(url)}: {_reason(error)}") from error
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
