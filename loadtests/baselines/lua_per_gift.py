"""One Redis script for each gift; a task writes what happened to Postgres behind it.

Faster than a transaction for each gift, and weaker: Redis writes to disk once a second, so a crash loses gifts that
were acknowledged.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

import asyncpg
from redis.asyncio import BlockingConnectionPool, Redis

from loadtests.baselines.prices import PRICES
from loadtests.baselines.store import Paid

CONNECTIONS_MAX = 64
SETTLE_ROWS_MAX = 5000
SETTLE_PAUSE_S = 0.2
DEDUPE_S = 600

SCHEMA = """
    CREATE TABLE IF NOT EXISTS gifts (
        id text PRIMARY KEY, viewer text NOT NULL, room text NOT NULL, gift text NOT NULL, count integer NOT NULL,
        coins bigint NOT NULL
    );
"""

# KEYS: wallet, request, number, log. ARGV: cost, viewer, room, gift, count, dedupe_s.
PAY = """
    if redis.call('EXISTS', KEYS[2]) == 1 then return {0, 0} end
    local coins = tonumber(redis.call('GET', KEYS[1]) or '0')
    local cost = tonumber(ARGV[1])
    if coins < cost then return false end
    redis.call('SET', KEYS[1], coins - cost)
    redis.call('SET', KEYS[2], 1, 'EX', ARGV[6])
    local number = redis.call('INCR', KEYS[3])
    redis.call('XADD', KEYS[4], '*', 'v', ARGV[2], 'r', ARGV[3], 'g', ARGV[4], 'c', ARGV[5], 'p', ARGV[1])
    return {number, coins - cost}
"""


class LuaPerGift:
    """Acknowledged from memory; settled by whichever process reads the log first."""

    async def start(self) -> None:
        pool = BlockingConnectionPool.from_url(
            os.environ["BASELINE_REDIS_URL"], max_connections=CONNECTIONS_MAX, timeout=None
        )
        self._redis = Redis.from_pool(pool)
        self._pay = self._redis.register_script(PAY)
        self._pool = await asyncpg.create_pool(os.environ["BASELINE_DATABASE_URL"], min_size=1, max_size=4)
        await self._pool.execute(SCHEMA)
        if os.environ.get("BASELINE_SETTLES") == "1":
            self._settling = asyncio.create_task(self._settle())

    async def pay(self, viewer: str, room: str, gift: str, count: int, request_id: str) -> Paid | None:
        paid: Any = await self._pay(
            keys=[f"wallet:{viewer}", f"request:{viewer}:{request_id}", "number", "log"],
            args=[PRICES[gift] * count, viewer, room, gift, count, DEDUPE_S],
        )
        return None if paid is None else Paid(*paid)

    async def fund(self, viewers: list[str], coins: int) -> None:
        await self._redis.mset({f"wallet:{viewer}": coins for viewer in viewers})

    async def settled(self) -> int:
        return int(await self._pool.fetchval("SELECT count(*) FROM gifts"))

    async def stop(self) -> None:
        await self._pool.close()
        await self._redis.aclose()

    async def _settle(self) -> None:
        while True:
            entries: Any = await self._redis.xrange("log", count=SETTLE_ROWS_MAX)
            if not entries:
                await asyncio.sleep(SETTLE_PAUSE_S)
                continue
            rows = [
                (key.decode(), f[b"v"].decode(), f[b"r"].decode(), f[b"g"].decode(), int(f[b"c"]), int(f[b"p"]))
                for key, f in entries
            ]
            await self._pool.copy_records_to_table("gifts", records=rows)
            await self._redis.xtrim("log", minid=_after(entries[-1][0]), approximate=False)


def _after(entry: bytes) -> str:
    """The smallest id greater than an entry's."""
    at, _, sequence = entry.decode().partition("-")
    return f"{at}-{int(sequence) + 1}"
