"""The cashier: hears what providers say, one event at a time, and sees to what has to follow a commit."""

from collections.abc import Awaitable, Callable

import asyncpg
import structlog

from server.domain.errors import Code, Refusal
from server.economy.recharge import debts
from server.economy.recharge.applying import Applied, apply, apply_waiting
from server.economy.recharge.crediting import settle_payment
from server.economy.recharge.payment import PaymentEvent
from server.economy.recharge.providers.registry import Providers
from server.ledger.recharge import purchases
from server.stores.failures import STORE_AWAY
from server.stores.postgres import Connection, Pool
from server.wallet.wallets import Wallets

log = structlog.get_logger()

TRIES_MAX = 5
"""How often a transaction that others got in the way of is taken up again."""
DAY_S = 86_400.0

Tell = Callable[[set[str]], Awaitable[None]]


class Cashier:
    """The cashier of one process. tell: brings the news of changed balances to where people look."""

    def __init__(self, pool: Pool, wallets: Wallets, providers: Providers, *, hold_days: int, tell: Tell) -> None:
        self.providers = providers
        self._pool = pool
        self._wallets = wallets
        self._hold_s = hold_days * DAY_S
        self._tell = tell

    async def hear(self, event: PaymentEvent) -> Applied:
        """Does what a provider says. Raises Refusal (unavailable), and what Postgres raises."""
        return await self._in_transaction(lambda conn: apply(conn, event, self._hold_s))

    async def hear_waiting(self, provider: str, event_id: str) -> Applied:
        """Tries an event once more whose purchase was not known when it came; else as `hear`."""
        return await self._in_transaction(lambda conn: apply_waiting(conn, provider, event_id, self._hold_s))

    async def credit(self, purchase_id: str) -> Applied:
        """Credits a purchase that is paid; else as `hear`."""

        async def settle(conn: Connection) -> Applied:
            purchase = await purchases.lock(conn, purchase_id)
            users = await settle_payment(conn, purchase) if purchase.status == "paid" else set()
            return Applied("applied", purchase_id, users)

        return await self._in_transaction(settle)

    async def look_at_debt(self, user_id: str) -> None:
        """Brings what is held for a user's debts up to date. Raises Refusal (unavailable), what Postgres raises."""
        await debts.look(self._pool, self._wallets, user_id)

    async def _in_transaction(self, work: Callable[[Connection], Awaitable[Applied]]) -> Applied:
        for _ in range(TRIES_MAX):
            try:
                async with self._pool.acquire() as conn, conn.transaction():
                    applied = await work(conn)
            except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError):
                continue
            await self._follow_up(applied.users)
            return applied
        raise Refusal(Code.UNAVAILABLE)

    async def _follow_up(self, users: set[str]) -> None:
        """What is committed reaches Redis and the screens; whatever fails here, the sweepers make up for."""
        if not users:
            return
        try:
            for user_id in sorted(users):
                await self.look_at_debt(user_id)
            await self._tell(users)
        except (*STORE_AWAY, Refusal) as error:
            log.warning("a credit is booked, and the rest follows later", error=type(error).__name__)
