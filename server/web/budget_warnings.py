"""Leaves notices of budgets that are nearly spent, behind the gifts that bring them there.

The answer to a gift names such a budget; a gift does not wait for its notice, and is not refused for want of one. While
Postgres is away the notices wait, as many as there is room for, until their period is over.
"""

import asyncio
import time
from collections.abc import Callable

import structlog

from server.domain.gift import Accepted
from server.ledger.backoff import Outage
from server.ledger.near_budgets import NearBudget, warn
from server.stores.failures import STORE_AWAY
from server.stores.postgres import Pool

log = structlog.get_logger()

INTERVAL_S = 0.25
WAITING_MAX = 5_000
"""Warnings that wait for the ledger; for those beyond, the answer to the gift was the only word."""
WRITTEN_AT_ONCE_MAX = 500
LAST_WRITE_S = 1.0
"""How long a gateway that ends tries to write what waits."""


class BudgetWarnings:
    """Warnings of one gateway on their way to the ledger. tell: is called with each user who has a new notice."""

    def __init__(self, pool: Pool, tell: Callable[[str], None]) -> None:
        self._pool = pool
        self._tell = tell
        self._waiting: dict[NearBudget, None] = {}
        self._outage = Outage("leaving notices of budgets")

    def near(self, user_id: str, sent: Accepted) -> None:
        """A debit was accepted: notes the budgets that its answer names, if there are any and there is room."""
        for period in sent.near:
            if len(self._waiting) >= WAITING_MAX:
                return
            self._waiting[NearBudget(user_id, period, period.bounds_us(sent.at_us)[1])] = None

    async def run(self) -> None:
        """Writes what waits until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL_S)
            if not self._outage.paused:
                await self._write()

    async def finish(self) -> None:
        """Writes what waits once more; what cannot be written in LAST_WRITE_S is lost."""
        try:
            async with asyncio.timeout(LAST_WRITE_S):
                await self._write()
        except TimeoutError:
            pass
        if self._waiting:
            log.warning("notices of budgets are lost", waiting=len(self._waiting))

    async def _write(self) -> None:
        while self._waiting:
            batch = list(self._waiting)[:WRITTEN_AT_ONCE_MAX]
            now_us = time.time_ns() // 1000
            # Of a period that is over nobody need be warned any more.
            current = [near for near in batch if near.ends_us > now_us]
            try:
                told = await warn(self._pool, current) if current else set()
            except STORE_AWAY as error:
                self._outage.failed(error)
                return
            self._outage.over()
            for near in batch:
                self._waiting.pop(near, None)
            for user_id in told:
                self._tell(user_id)
