"""What the stores do meanwhile: Valkey by command, from its own counts; Postgres by statement, from many looks."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from redis.asyncio import Redis

from server.stores.postgres import Pool

LOOK_EVERY_S = 0.005
STATEMENT_CHARS = 60

_STATEMENTS = """
    SELECT query, wait_event_type, wait_event FROM pg_stat_activity
    WHERE state = 'active' AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


async def commands(redis: Redis) -> dict[str, tuple[int, int]]:
    """Command → (calls, µs), since the server started; those that functions call are among them, and in their time."""
    held: Mapping[str, Any] = await redis.info("commandstats")
    return {name.removeprefix("cmdstat_"): (row["calls"], row["usec"]) for name, row in held.items()}


def spent(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """What was called in between."""
    none = (0, 0)
    return {
        name: (calls - before.get(name, none)[0], us - before.get(name, none)[1])
        for name, (calls, us) in after.items()
        if calls > before.get(name, none)[0]
    }


async def statements(pool: Pool, seconds: float) -> Counter[str]:
    """How often each statement was seen at work, and whether it waited then."""
    seen: Counter[str] = Counter()
    clock = asyncio.get_running_loop().time
    until_s = clock() + seconds
    async with pool.acquire() as conn:
        while clock() < until_s:
            for query, kind, event in await conn.fetch(_STATEMENTS):
                waits = f", waits for {event}" if kind not in {None, "Client"} else ""
                seen[f"`{_first_words(query)}`{waits}"] += 1
            await asyncio.sleep(LOOK_EVERY_S)
    return seen


def _first_words(query: str) -> str:
    return re.sub(r"\s+", " ", query).strip()[:STATEMENT_CHARS].rpartition(" ")[0] or query.strip()[:STATEMENT_CHARS]
