"""A provider that moves no money: it takes 3 to 5 business days, on a clock that can be made to run faster.

A destination or holder that says so has another end: `sandbox-refuse` is not taken, `sandbox-fail` fails when it should
arrive, `sandbox-return` comes back two business days after it did, and the first answer to `sandbox-lost` is lost.
"""

import zlib
from datetime import UTC, datetime, timedelta

from server.domain.ids import new_id
from server.economy.payouts import business_days
from server.economy.payouts.destinations import masked
from server.economy.payouts.provider import (
    BUSINESS_DAYS_MAX,
    BUSINESS_DAYS_MIN,
    ProviderAwayError,
    Transfer,
    TransferOrder,
    TransferRefusedError,
)
from server.ledger.creators import sandbox_transfers as ledger
from server.ledger.creators.sandbox_transfers import Kept
from server.stores.postgres import Pool

RETURNS_AFTER_DAYS = 2
_DAY_S = 86_400.0


class SandboxProvider:
    """Keeps books of its own, as a real provider does: in transactions that know nothing of the payouts'.

    day_s: how long a day lasts.
    """

    name = "sandbox"

    def __init__(self, pool: Pool, day_s: float) -> None:
        self._pool = pool
        self._day_s = day_s

    async def send(self, order: TransferOrder) -> Transfer:
        """As PayoutProvider says."""
        wish = f"{order.holder} {order.destination}".lower()
        if "sandbox-refuse" in wish:
            raise TransferRefusedError("The account does not exist.")
        spread = BUSINESS_DAYS_MAX - BUSINESS_DAYS_MIN + 1
        kept, is_new = await ledger.accept(
            self._pool,
            Kept(
                reference=order.reference,
                transfer=new_id("tr"),
                kind=order.kind,
                masked=masked(order.kind, order.destination),
                amount=order.amount,
                currency=order.currency,
                outcome="fails" if "sandbox-fail" in wish else "returns" if "sandbox-return" in wish else "pays",
                arrives_days=BUSINESS_DAYS_MIN + zlib.crc32(order.reference.encode()) % spread,
                accepted_at=datetime.now(UTC),
            ),
        )
        if (kept.amount, kept.currency, kept.masked) != (
            order.amount,
            order.currency,
            masked(order.kind, order.destination),
        ):
            raise TransferRefusedError("This reference was used for another transfer.")
        if is_new and "sandbox-lost" in wish:
            raise ProviderAwayError("the answer was lost on the way")
        return self._seen(kept)

    async def look_up(self, reference: str) -> Transfer | None:
        """As PayoutProvider says."""
        kept = await ledger.find(self._pool, reference)
        return None if kept is None else self._seen(kept)

    def _seen(self, kept: Kept) -> Transfer:
        """A transfer by the sandbox's own calendar, in which real time since its acceptance runs faster."""
        elapsed_s = (datetime.now(UTC) - kept.accepted_at).total_seconds() * _DAY_S / self._day_s
        now = kept.accepted_at + timedelta(seconds=elapsed_s)
        arrives = business_days.after(kept.accepted_at, kept.arrives_days)
        if now < arrives:
            return Transfer(kept.transfer, "accepted")
        if kept.outcome == "fails":
            return Transfer(kept.transfer, "failed", "The account could not be credited.")
        if kept.outcome == "returns" and now >= business_days.after(arrives, RETURNS_AFTER_DAYS):
            return Transfer(kept.transfer, "returned", "The bank sent the money back.")
        return Transfer(kept.transfer, "paid")
