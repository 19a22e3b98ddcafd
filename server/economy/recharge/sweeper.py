"""What the worker does for purchases: asks about those that nothing is heard of, and makes up for what got lost.

A webhook that never came, a process that died after its commit, a credit that failed: each is found by looking at what
the ledger says, and put right by the same functions that do it at once.
"""

from datetime import UTC, datetime

import structlog

from server.economy.recharge.cashier import Cashier
from server.economy.recharge.payment import Fact, PaymentEvent
from server.economy.recharge.providers.provider import ProviderAwayError
from server.ledger.recharge import due, events, purchases, recoveries
from server.ledger.recharge.purchases import Purchase
from server.stores.postgres import Pool

log = structlog.get_logger()

ASK_AFTER_S = 10.0
CREDIT_AFTER_S = 5.0
LOOK_AGAIN_S = 10.0
PER_SWEEP_MAX = 50


class PurchaseSweeper:
    """One look at a time; several workers share the work."""

    def __init__(self, pool: Pool, cashier: Cashier) -> None:
        self._pool = pool
        self._cashier = cashier

    async def sweep(self) -> None:
        """Raises what the stores raise, Refusal (unavailable); what is left is found by the next look."""
        for purchase in await due.to_ask_about(self._pool, ASK_AFTER_S, PER_SWEEP_MAX):
            await self._ask(purchase)
        for purchase_id in await due.uncredited(self._pool, CREDIT_AFTER_S, PER_SWEEP_MAX):
            log.warning("a purchase was paid and not credited", purchase=purchase_id)
            await self._cashier.credit(purchase_id)
        for purchase in await due.unfinished(self._pool, PER_SWEEP_MAX):
            await self._finish(purchase)
        for user_id in await recoveries.to_look_at(self._pool, LOOK_AGAIN_S, PER_SWEEP_MAX):
            await self._cashier.look_at_debt(user_id)

    async def sweep_waiting(self) -> None:
        """Payments whose purchase, account or package was not known; it may be by now."""
        for provider, event in await events.waiting(self._pool, PER_SWEEP_MAX):
            await self._cashier.hear_waiting(provider, event)

    async def _ask(self, purchase: Purchase) -> None:
        provider = self._cashier.providers.get(purchase.provider)
        try:
            said = [] if provider is None else await provider.ask(purchase)
        except ProviderAwayError as error:
            log.warning("a payment provider could not be asked", provider=purchase.provider, error=str(error))
            return
        for event in said:
            applied = await self._cashier.hear(event)
            if applied.users:
                log.warning("a payment was found that no webhook told of", purchase=purchase.id)
        if not said and purchase.status == "created" and purchase.expires_at < datetime.now(UTC):
            over = PaymentEvent(
                provider=purchase.provider,
                event=f"expired:{purchase.id}",
                fact=Fact.EXPIRED,
                purchase_id=purchase.id,
            )
            await self._cashier.hear(over)

    async def _finish(self, purchase: Purchase) -> None:
        provider = self._cashier.providers.get(purchase.provider)
        try:
            if provider is not None:
                await provider.finish(purchase)
        except ProviderAwayError as error:
            log.warning("a payment provider could not be told", provider=purchase.provider, error=str(error))
            return
        await purchases.set_finished(self._pool, purchase.id)
