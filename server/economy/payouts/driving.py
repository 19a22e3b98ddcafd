"""Taking payouts from state to state: a duty of the worker, safe to be done by several at once.

Whatever asks the provider does so outside of transactions and under the payout's id, which the provider pays once; what
it answers is then kept by a step that only takes place in the state it was asked in. So a worker that dies between the
two, or a second one that asks the same, does no harm.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog

from server.domain.money import in_words
from server.economy.payouts.provider import (
    PayoutProvider,
    ProviderAwayError,
    Transfer,
    TransferOrder,
    TransferRefusedError,
)
from server.economy.payouts.requesting import expected
from server.economy.payouts.reviewing import RULES, approve_all_waiting, flags_of
from server.economy.payouts.states import State, step
from server.economy.payouts.terms import Terms
from server.economy.sealing import SealBrokenError, Sealer
from server.ledger.backoff import Outage
from server.ledger.creators import payout_methods, payouts
from server.ledger.creators.payouts import Payout
from server.ledger.notices import notify
from server.stores.postgres import Pool

log = structlog.get_logger()

AT_ONCE_MAX = 100
"""Payouts that one pass looks at, of each sort."""
ASK_EVERY_S = 600.0
ASKS_A_DAY = 10
"""Where days are shorter, the provider is asked so often in each."""
RETURNS_WITHIN_DAYS = 30
"""How long after it was paid a payout can still come back; then nobody asks any more."""


class PayoutDriver:
    """Drives all payouts. providers: by their names, as payouts name theirs."""

    def __init__(self, pool: Pool, terms: Terms, sealer: Sealer, providers: Mapping[str, PayoutProvider]) -> None:
        self._pool = pool
        self._terms = terms
        self._sealer = sealer
        self._providers = providers
        self._ask_every_s = min(ASK_EVERY_S, terms.day_s / ASKS_A_DAY)
        self._stuck = Outage("payouts")
        self._away = {name: Outage("payouts", provider=name) for name in providers}

    async def drive(self) -> None:
        """Takes every step that can be taken now, a bounded number of them; a provider that is away is waited for."""
        if self._terms.waived:
            await approve_all_waiting(self._pool, self._terms.day_s, AT_ONCE_MAX)
        stuck: Exception | None = None
        for payout in await payouts.to_drive(self._pool, AT_ONCE_MAX) + await payouts.to_ask(self._pool, AT_ONCE_MAX):
            try:
                await self._drive(payout)
            except asyncpg.IntegrityConstraintViolationError as error:
                # The books do not allow this step. Nothing was moved; the others go on.
                error.add_note(f"payout {payout.id}, which is {payout.state}")
                stuck = error
        if stuck is None:
            self._stuck.over()
        elif self._stuck.failed(stuck):
            log.error("a payout cannot go on", exc_info=stuck)

    async def _drive(self, payout: Payout) -> None:
        """The next step of a payout."""
        match payout.state:
            case "held":
                await self._review(payout)
            case "review":
                await self._send(payout)
            case "failed":
                await self._give_back(payout)
            case _:
                await self._ask(payout)

    async def _review(self, payout: Payout) -> None:
        """By the rules: what raises no flag is approved at once, the rest waits for a person."""
        async with self._pool.acquire() as conn, conn.transaction():
            method = await payout_methods.get(conn, payout.method_id)
            try:
                fingerprints = self._sealer.fingerprints(self._sealer.unseal(method.sealed))
            except SealBrokenError:
                fingerprints = []
            flags = await flags_of(conn, self._terms, payout, fingerprints)
            moved = await payouts.move(
                conn, payout, step("held", "review"), RULES, ", ".join(flags) or None, {"flags": flags}
            )
            if moved and not flags:
                await payouts.approve(conn, payout.id, RULES)

    async def _send(self, payout: Payout) -> None:
        provider, away = self._providers.get(payout.provider), self._away.get(payout.provider)
        # Whoever is told to send it may have done so before: only what the provider never heard of can still fail here.
        if provider is None or away is None or away.paused or not await payouts.begin_sending(self._pool, payout.id):
            return
        try:
            order = await self._order(payout)
            transfer = await (provider.send(order) if order else provider.look_up(payout.id))
        except ProviderAwayError as error:
            away.failed(error)
            return
        except TransferRefusedError as error:
            await self._fail(payout, payout.provider, str(error))
        else:
            if transfer is None:
                await self._fail(payout, RULES, "Its destination has to be given anew.")
            else:
                await self._sent(payout, transfer)
        away.over()

    async def _order(self, payout: Payout) -> TransferOrder | None:
        """What the provider is told; None when the destination cannot be opened any more."""
        async with self._pool.acquire() as conn:
            method = await payout_methods.get(conn, payout.method_id)
        try:
            destination = self._sealer.unseal(method.sealed)
        except SealBrokenError:
            log.exception("the destination of a payout cannot be read", payout=payout.id)
            return None
        return TransferOrder(
            reference=payout.id,
            kind=method.kind,  # type: ignore[arg-type]
            holder=method.holder,
            destination=destination,
            amount=payout.amount,
            currency=payout.currency,
        )

    async def _sent(self, payout: Payout, transfer: Transfer) -> None:
        now = datetime.now(UTC)
        first, last = expected(now)
        values = {
            "transfer": transfer.transfer,
            "expected_from": first.date(),
            "expected_to": last.date(),
            "ask_at": self._next_ask(),
        }
        said = f"Your cash-out of {_words(payout)} is on its way; it takes 3 to 5 business days."
        await self._step(payout, "sent", payout.provider, None, values, said)

    async def _fail(self, payout: Payout, by_id: str, reason: str) -> None:
        said = f"Your cash-out of {_words(payout)} failed: {reason} Its diamonds come back to you."
        await self._step(payout, "failed", by_id, reason, {"reason": reason, "ask_at": None}, said)

    async def _give_back(self, payout: Payout) -> None:
        said = f"The {payout.diamonds:,} diamonds of your cash-out are yours again."
        await self._step(payout, "returned", RULES, None, {}, said)

    async def _ask(self, payout: Payout) -> None:
        """What became of a payout that was sent."""
        provider, away = self._providers.get(payout.provider), self._away.get(payout.provider)
        if provider is None or away is None or away.paused:
            return
        try:
            transfer = await provider.look_up(payout.id)
        except ProviderAwayError as error:
            away.failed(error)
            return
        away.over()
        if transfer is None or transfer.transfer != payout.transfer:
            log.error("a provider does not know a payout that it took", payout=payout.id, provider=payout.provider)
        elif payout.state == "sent" and transfer.state != "accepted":
            await self._arrived(payout, transfer)
            return
        elif payout.state == "paid" and transfer.state == "returned":
            await self._came_back(payout, transfer)
            return
        over = payout.state == "paid" and datetime.now(UTC) - payout.changed_at > timedelta(
            seconds=RETURNS_WITHIN_DAYS * self._terms.day_s
        )
        await payouts.ask_again(self._pool, payout.id, None if over else self._ask_every_s)

    async def _arrived(self, payout: Payout, transfer: Transfer) -> None:
        """What a sent payout became; one that came back before anybody asked was paid meanwhile: that is told next."""
        if transfer.state == "failed":
            await self._fail(payout, payout.provider, transfer.reason or "The provider gives no reason.")
        else:
            said = f"Your cash-out of {_words(payout)} was paid."
            await self._step(payout, "paid", payout.provider, None, {"ask_at": self._next_ask()}, said)

    async def _came_back(self, payout: Payout, transfer: Transfer) -> None:
        reason = transfer.reason or "The bank sent the money back."
        said = f"Your cash-out of {_words(payout)} came back: {reason} Its diamonds are yours again."
        await self._step(payout, "returned", payout.provider, reason, {"reason": reason, "ask_at": None}, said)

    def _next_ask(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._ask_every_s)

    async def _step(  # noqa: PLR0917
        self, payout: Payout, to: State, by_id: str, detail: str | None, values: Mapping[str, object], said: str
    ) -> None:
        """Takes a step and tells its creator, unless somebody else took it."""
        async with self._pool.acquire() as conn, conn.transaction():
            if await payouts.move(conn, payout, step(payout.state, to), by_id, detail, values):
                await notify(conn, payout.creator_id, "payout", said, {"payout": payout.id})


def _words(payout: Payout) -> str:
    return in_words(payout.amount, payout.currency)
