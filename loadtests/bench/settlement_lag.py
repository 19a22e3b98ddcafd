"""How long a gift waits for its settlement: the cursors are looked at while the load runs, and read out afterwards."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from typing import Self

from loadtests.client.histogram import Histogram
from server.stores.postgres import Pool

LOOK_EVERY_S = 0.05
SETTLED_TIMEOUT_S = 120.0


class SettlementLag:
    """Looks at the cursors of the ledger in the background; a context manager."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._looks: dict[int, list[tuple[int, int]]] = {}
        """Shard → (number settled to, µs since the Unix epoch at which that was seen), each number once."""
        self._totals: list[tuple[int, float]] = []
        """(gifts settled in all shards, when that was seen on the monotonic clock)."""

    async def __aenter__(self) -> Self:
        self._began_us = time.time_ns() // 1000
        self._looking = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._looking.cancel()
        await asyncio.gather(self._looking, return_exceptions=True)

    async def settled(self, gifts: int) -> float:
        """Wait until the ledger has so many gifts; answers when it first had, on the monotonic clock.

        Raises TimeoutError.
        """
        deadline_s = time.monotonic() + SETTLED_TIMEOUT_S
        while not self._totals or self._totals[-1][0] < gifts:
            if self._looking.done():
                self._looking.result()
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{gifts} gifts are not settled after {SETTLED_TIMEOUT_S:.0f} s")
            await asyncio.sleep(LOOK_EVERY_S)
        return self._totals[bisect_left(self._totals, (gifts, 0.0))][1]

    async def read(self) -> Histogram:
        """Waits of all gifts accepted and settled since the beginning, in µs, at most one look too long."""
        await asyncio.sleep(2 * LOOK_EVERY_S)
        waits = Histogram()
        rows = await self._pool.fetch("SELECT shard, number, at_us FROM gifts WHERE at_us >= $1", self._began_us)
        for shard, number, at_us in rows:
            looks = self._looks.get(shard, [])
            found = bisect_left(looks, (number, 0))
            if found < len(looks):
                waits.record(looks[found][1] - at_us)
        return waits

    async def _look(self) -> None:
        while True:
            rows = await self._pool.fetch("SELECT shard, number FROM shards")
            now_us, now_s = time.time_ns() // 1000, time.monotonic()
            self._totals.append((sum(number for _, number in rows), now_s))
            for shard, number in rows:
                looks = self._looks.setdefault(shard, [])
                if not looks or looks[-1][0] != number:
                    looks.append((number, now_us))
            await asyncio.sleep(LOOK_EVERY_S)


async def settled_gifts(pool: Pool) -> int:
    """Gifts settled in all shards; exact as long as no shard began a new epoch."""
    return int(await pool.fetchval("SELECT coalesce(sum(number), 0) FROM shards"))


async def stand_still(pool: Pool) -> None:
    """Wait until the cursors stand still."""
    last = -1
    while (now := await settled_gifts(pool)) != last:
        last = now
        await asyncio.sleep(1.0)
