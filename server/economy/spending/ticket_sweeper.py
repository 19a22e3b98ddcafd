"""The worker's look after tickets: coins go back from cancelled rooms, diamonds go on to creators from all others."""

import structlog
from redis.asyncio import Redis

from server.ledger.spending import tickets
from server.settings import Settings
from server.stores.postgres import Pool
from server.wallet.balance_news import tell_balances
from server.wallet.wallets import Wallets

log = structlog.get_logger()

RETURNS_PER_SWEEP = 500
ROOMS_PER_SWEEP = 100


class TicketSweeper:
    """Ends tickets, one transaction each; whatever is left is found by the next sweep, of this worker or another."""

    def __init__(self, redis: Redis, pool: Pool, wallets: Wallets, settings: Settings) -> None:
        self._redis = redis
        self._pool = pool
        self._wallets = wallets
        self._settings = settings

    async def sweep(self) -> None:
        """One look. Raises Refusal (unavailable), and what the stores raise."""
        returned: list[str] = []
        try:
            for ticket in await tickets.due_for_return(self._pool, RETURNS_PER_SWEEP):
                async with self._pool.acquire() as conn, conn.transaction():
                    back = await tickets.give_back(conn, ticket)
                if back is not None:
                    returned.append(back.viewer)
                    log.info("ticket returned", gift_id=str(ticket), coins=back.coins)
                    await self._wallets.refresh(back.viewer)
        finally:
            if returned:
                await tell_balances(self._redis, self._settings.worker_id, set(returned))
        window_s = self._settings.ticket_cancel_window_s
        for room_id in await tickets.rooms_to_release(self._pool, window_s, ROOMS_PER_SWEEP):
            await tickets.release(self._pool, room_id, window_s)
