"""Which rooms somebody really watched: what challenges about visits count, and only while there is one.

A join is a dictionary entry; whoever stays for a while is written to the ledger with all others, every few seconds.
"""

import asyncio
import time

import structlog

from server.ledger.earning import progress
from server.stores.failures import STORE_AWAY
from server.stores.postgres import Pool

log = structlog.get_logger()

WATCHED_S = 30.0
"""A visit counts from here on."""
INTERVAL_S = 5.0
LOOK_EVERY_S = 30.0
"""Between two looks at whether visits count for anything."""
STAYING_MAX = 50_000
"""Visits that are looked after at once; those beyond do not count."""


class Watching:
    """Visits to rooms on this gateway."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._counts = False
        self._staying: dict[tuple[str, str], float] = {}
        """(user, room) → loop time of the join, in that order."""

    def came(self, user_id: str, room_id: str) -> None:
        """The user joined the room."""
        if self._counts and len(self._staying) < STAYING_MAX:
            self._staying.setdefault((user_id, room_id), asyncio.get_running_loop().time())

    def left(self, user_id: str, room_id: str) -> None:
        """The user left the room."""
        self._staying.pop((user_id, room_id), None)

    async def run(self) -> None:
        """Writes visits until cancelled."""
        loop = asyncio.get_running_loop()
        looked_s = -LOOK_EVERY_S
        while True:
            try:
                if loop.time() - looked_s >= LOOK_EVERY_S:
                    self._counts = await progress.visits_count(self._pool)
                    looked_s = loop.time()
                await self._write(loop.time())
            except STORE_AWAY as error:
                log.warning("visits wait for the ledger", waiting=len(self._staying), error=type(error).__name__)
            await asyncio.sleep(INTERVAL_S)

    async def _write(self, now_s: float) -> None:
        stayed = []
        for visit, since_s in self._staying.items():
            if now_s - since_s < WATCHED_S:
                break
            stayed.append(visit)
        if stayed:
            await progress.add_visits(self._pool, stayed, int(time.time() * 1_000_000))
            for visit in stayed:
                self._staying.pop(visit, None)
