"""Looks for patterns of fraud and flags them for a person; it never takes anything from anybody by itself."""

import time

import structlog

from server.ledger.care import logins, patterns
from server.ledger.care.cases import flag
from server.stores.postgres import Pool

log = structlog.get_logger()

WINDOW_DAYS = 7
DAY_S = 86_400


class FraudWatch:
    """coins_min: below it no pattern is worth a look."""

    def __init__(self, pool: Pool, coins_min: int) -> None:
        self._pool = pool
        self._coins_min = coins_min

    async def look(self) -> int:
        """One look at all patterns; answers how many users were newly flagged. Raises what Postgres raises."""
        since_day = int(time.time()) // DAY_S - WINDOW_DAYS
        flagged = 0
        for pattern in patterns.PATTERNS:
            async with self._pool.acquire() as conn:
                for found in await patterns.find(conn, pattern, self._coins_min, since_day):
                    flagged += await flag(conn, found.pattern, found.user_id, found.detail)
        await logins.forget(self._pool)
        if flagged:
            log.warning("users to look at", flagged=flagged)
        return flagged
