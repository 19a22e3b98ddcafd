"""Connections to Postgres."""

from typing import TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg
from asyncpg.pool import PoolConnectionProxy

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

CONNECT_TIMEOUT_S = 5.0
COMMAND_TIMEOUT_S = 60.0
"""A statement that takes longer is given up; those known to be long say their own limit."""
_STATEMENT_CACHE = 100


async def connect(url: str, *, size_max: int = 10) -> Pool:
    """A pool on `url`. Raises one of POSTGRES_AWAY (failures.py), or another asyncpg error when the server refuses.

    Behind a pooler that hands each transaction to another server connection, prepared statements must not be kept:
    add `?statement_cache_size=0` to the URL.
    """
    dsn, statement_cache_size = _statement_cache_size(url)
    return await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=size_max,
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=COMMAND_TIMEOUT_S,
        statement_cache_size=statement_cache_size,
        reset=_leave_as_it_is,
    )


async def _leave_as_it_is(_: object) -> None:
    """Instead of a statement that clears a connection each time it is given back, which doubles the trips of a single
    query: whatever we set or lock ends with its transaction, and those that are still open are ended all the same.
    """


async def connect_once(url: str) -> "asyncpg.Connection[asyncpg.Record]":
    """One connection outside any pool. Raises as `connect` does."""
    dsn, statement_cache_size = _statement_cache_size(url)
    return await asyncpg.connect(
        dsn,
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=COMMAND_TIMEOUT_S,
        statement_cache_size=statement_cache_size,
    )


def _statement_cache_size(url: str) -> tuple[str, int]:
    """The URL without what is ours in it, and how many prepared statements to keep for each connection."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    sizes = [int(value) for name, value in query if name == "statement_cache_size"]
    if not sizes:
        return url, _STATEMENT_CACHE
    kept = urlencode([pair for pair in query if pair[0] != "statement_cache_size"])
    return urlunsplit(parts._replace(query=kept)), sizes[-1]
