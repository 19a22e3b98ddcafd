"""Asking for a cash-out: everything that must be true of it, and its diamonds reserved, in one transaction."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from server.domain.errors import Code, Refusal
from server.domain.ids import new_id
from server.domain.money import in_words
from server.economy.creators.eligibility import eligibility_of
from server.economy.payouts import business_days
from server.economy.payouts.provider import BUSINESS_DAYS_MAX, BUSINESS_DAYS_MIN
from server.economy.payouts.states import step
from server.economy.payouts.terms import Terms
from server.ledger.creators import payout_methods, payouts
from server.ledger.creators.balances import Balances, balances, unripe
from server.ledger.creators.payouts import Payout
from server.ledger.notices import notify
from server.stores.postgres import Connection


@dataclass(frozen=True, slots=True)
class Payable:
    """A creator's diamonds, how many of the available ones are still held back as too young, and what is payable."""

    balances: Balances
    maturing: int

    @property
    def diamonds(self) -> int:
        return self.balances.available - self.maturing


async def payable(conn: Connection, terms: Terms, creator_id: str, *, lock: bool = False) -> Payable:
    """What a creator could cash out now; with lock it stays so until the transaction ends."""
    held = await balances(conn, creator_id, lock=lock)
    young = await unripe(conn, creator_id, terms.hold_days) if terms.hold_days else 0
    return Payable(held, min(young, held.available))


async def request(  # noqa: PLR0917
    conn: Connection, terms: Terms, creator_id: str, method_id: str, diamonds: int, now: datetime
) -> Payout:
    """Asks for a cash-out in the caller's transaction, which has confirmed it.

    The amount is rounded down to a whole minor unit, and only the diamonds that make it are taken. Raises Refusal:
    not_found where nobody is paid out and for a method that is not the creator's, what `Eligibility.demand` raises,
    limit_exceeded under the minimum and over the day's maximum, conflict for more than is payable.
    """
    if terms.provider is None:
        raise Refusal(Code.NOT_FOUND, "Cash-out is not switched on on this server.")
    await payouts.lock_creator(conn, creator_id)
    (await eligibility_of(conn, terms, creator_id, now.date())).demand()
    method = await payout_methods.get(conn, method_id)
    if method.creator_id != creator_id or method.removed_at is not None:
        raise Refusal(Code.NOT_FOUND, "There is no such way to be paid.")
    amount = terms.rate.amount(diamonds)
    await _within_limits(conn, terms, creator_id, amount, now)
    taken = terms.rate.diamonds(amount)
    can = await payable(conn, terms, creator_id, lock=True)
    if taken > can.diamonds:
        raise Refusal(Code.CONFLICT, f"{can.diamonds:,} diamonds can be cashed out now.")
    first, last = expected(now)
    payout = Payout(
        id=new_id("po"),
        creator_id=creator_id,
        method_id=method_id,
        provider=terms.provider,
        diamonds=taken,
        amount=amount,
        currency=terms.rate.currency,
        rate=str(terms.rate),
        state="requested",
        flags=[],
        approved_by=None,
        sending=False,
        transfer=None,
        reason=None,
        requested_at=now,
        changed_at=now,
        expected_from=first.date(),
        expected_to=last.date(),
    )
    await payouts.add(conn, payout)
    await payouts.move(conn, payout, step("requested", "held"), creator_id, None, {})
    words = in_words(amount, payout.currency)
    await notify(conn, creator_id, "payout", f"Your cash-out of {words} was requested.", {"payout": payout.id})
    held = await payouts.get(conn, payout.id)
    assert held is not None
    return held


def expected(start: datetime) -> tuple[datetime, datetime]:
    """When money that is on its way from now arrives: the first and the last day of it."""
    return business_days.after(start, BUSINESS_DAYS_MIN), business_days.after(start, BUSINESS_DAYS_MAX)


async def left_today(conn: Connection, terms: Terms, creator_id: str, now: datetime) -> int:
    """How much more a creator may cash out on this day (UTC), in minor units."""
    return max(0, terms.daily_max - await payouts.requested_on(conn, creator_id, now.date()))


async def _within_limits(conn: Connection, terms: Terms, creator_id: str, amount: int, now: datetime) -> None:
    currency = terms.rate.currency
    if amount < terms.amount_min:
        raise Refusal(Code.LIMIT_EXCEEDED, f"The least that is cashed out is {in_words(terms.amount_min, currency)}.")
    left = await left_today(conn, terms, creator_id, now)
    if amount > left:
        midnight = (now.astimezone(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        raise Refusal(
            Code.LIMIT_EXCEEDED,
            f"{in_words(left, currency)} more can be cashed out today, until midnight UTC.",
            retry_ms=max(1, int((midnight - now).total_seconds() * 1000)),
        )
