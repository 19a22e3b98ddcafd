"""The worker's look after placements of rooms that ended: what was not delivered comes back."""

import structlog
from redis.asyncio import Redis

from server.ledger.spending import placements
from server.settings import Settings
from server.stores.postgres import Pool
from server.wallet.balance_news import tell_balances
from server.wallet.wallets import Wallets

log = structlog.get_logger()

CLOSED_PER_SWEEP = 200


class PlacementSweeper:
    """Ends placements, one transaction each; whatever is left is found by the next sweep, of this worker or another."""

    def __init__(self, redis: Redis, pool: Pool, wallets: Wallets, settings: Settings) -> None:
        self._redis = redis
        self._pool = pool
        self._wallets = wallets
        self._settings = settings

    async def sweep(self) -> None:
        """One look. Raises Refusal (unavailable), and what the stores raise."""
        returned: set[str] = set()
        try:
            for placement in await placements.due_for_return(self._pool, CLOSED_PER_SWEEP):
                async with self._pool.acquire() as conn, conn.transaction():
                    viewer = await placements.close(conn, placement)
                if viewer is not None:
                    returned.add(viewer)
                    await self._wallets.refresh(viewer)
        finally:
            if returned:
                await tell_balances(self._redis, self._settings.worker_id, returned)
