"""One event of a provider becomes what it means for its purchase, in one transaction; heard again, it changes nothing.

Order does not matter. What is said of a payment whose purchase is not known yet waits until it is; a claim implies that
the payment was made; and a payment that comes after its purchase seemed to be over is a payment all the same.
"""

from dataclasses import dataclass, field

import asyncpg
import structlog

from server.economy.recharge.app_purchases import purchase_in_app
from server.economy.recharge.crediting import settle_payment
from server.economy.recharge.payment import CLAIMS, Fact, PaymentEvent
from server.economy.recharge.taking_back import hear_claim
from server.ledger.recharge import events, purchases
from server.ledger.recharge.events import Outcome
from server.ledger.recharge.purchases import UNDER_WAY, Purchase, Status
from server.ledger.recharge.store_accounts import account_of
from server.stores.postgres import Connection

log = structlog.get_logger()

_OVER: dict[Fact, Status] = {Fact.DECLINED: "declined", Fact.EXPIRED: "expired"}


@dataclass(frozen=True, slots=True)
class Applied:
    """What an event did. users: whose wallets are to be looked at. again: it was heard before, and nothing was done."""

    outcome: Outcome
    purchase_id: str | None = None
    users: set[str] = field(default_factory=set)
    again: bool = False


async def apply(conn: Connection, event: PaymentEvent, hold_s: float) -> Applied:
    """Does what an event says, in the caller's transaction. hold_s: as of `hear_claim`. Raises what Postgres raises."""
    if event.transaction is not None:
        await events.take_turn(conn, event.provider, event.transaction)
    if not await events.claim(conn, event.provider, event.event, event.fact, event.transaction, event.as_detail()):
        return Applied("applied", again=True)
    return await _apply_all(conn, event, hold_s)


async def apply_waiting(conn: Connection, provider: str, event_id: str, hold_s: float) -> Applied:
    """Tries an event once more whose purchase was not known when it came."""
    detail = await events.take_waiting(conn, provider, event_id)
    if detail is None:
        return Applied("applied", again=True)
    return await _apply_all(conn, PaymentEvent.of_detail(detail), hold_s)


async def _apply_all(conn: Connection, event: PaymentEvent, hold_s: float) -> Applied:
    """Does what an event says, and then what others said of the same payment that waited for it."""
    applied = await _apply(conn, event, hold_s)
    if applied.outcome != "unmatched" and event.transaction is not None:
        for detail in await events.unmatched(conn, event.provider, event.transaction):
            applied.users.update((await _apply(conn, PaymentEvent.of_detail(detail), hold_s)).users)
    return applied


async def _apply(conn: Connection, event: PaymentEvent, hold_s: float) -> Applied:
    purchase_id = await _find(conn, event)
    if purchase_id is None:
        log.info("a payment of no known purchase waits for it", provider=event.provider, fact=event.fact)
        return Applied("unmatched")
    purchase = await purchases.lock(conn, purchase_id)
    wrong = _mismatch(purchase, event)
    if wrong is None and not await _take_ids(conn, purchase, event):
        wrong = "a payment of another purchase"
    if wrong is not None:
        log.error("an event of a payment provider does not fit its purchase", purchase=purchase_id, reason=wrong)
        await events.conclude(conn, event.provider, event.event, purchase_id, "mismatch")
        return Applied("mismatch", purchase_id)
    users = await _advance(conn, purchase, event, hold_s)
    await events.conclude(conn, event.provider, event.event, purchase_id, "applied")
    return Applied("applied", purchase_id, users)


async def _find(conn: Connection, event: PaymentEvent) -> str | None:
    """The purchase that is meant; one that was begun in an app's store is written down now."""
    found = await purchases.find(conn, event.provider, transaction=event.transaction, checkout=event.checkout)
    if found is None and event.purchase_id is not None:
        named = await purchases.get(conn, event.purchase_id)
        found = None if named is None else named.id
    if found is None and event.account is not None:
        found = await purchase_in_app(conn, event)
    return found


def _mismatch(purchase: Purchase, event: PaymentEvent) -> str | None:
    """What of an event does not fit its purchase, if anything. What an app's store charges is its own business."""
    paid_as_agreed = (event.amount or purchase.amount, event.currency or purchase.currency) == (
        purchase.amount,
        purchase.currency,
    )
    fits = {
        "another provider": event.provider == purchase.provider,
        "another purchase": event.purchase_id in {None, purchase.id},
        "another account": event.account in {None, account_of(purchase.user_id)},
        "another product": event.product in {None, purchase.package_id},
        "another payment": None in {event.transaction, purchase.transaction}
        or event.transaction == purchase.transaction,
        "another amount": event.fact is not Fact.PAID or event.product is not None or paid_as_agreed,
    }
    return next((reason for reason, fit in fits.items() if not fit), None)


async def _take_ids(conn: Connection, purchase: Purchase, event: PaymentEvent) -> bool:
    """Takes down what the provider calls the payment; False when that is another purchase's."""
    try:
        async with conn.transaction():
            if event.transaction is not None and purchase.transaction is None:
                await purchases.set_transaction(conn, purchase.id, event.transaction)
            if event.checkout is not None and purchase.checkout is None:
                await purchases.set_checkout(conn, purchase.id, event.checkout)
    except asyncpg.UniqueViolationError:
        return False
    return True


async def _advance(conn: Connection, purchase: Purchase, event: PaymentEvent, hold_s: float) -> set[str]:
    """Moves a locked purchase on; answers whose balances changed."""
    if event.fact is Fact.PENDING:
        if purchase.status == "created":
            await purchases.set_status(conn, purchase.id, "pending")
        return set()
    if event.fact in _OVER:
        if purchase.status in UNDER_WAY:
            await purchases.set_status(conn, purchase.id, _OVER[event.fact])
        return set()
    users = await settle_payment(conn, purchase)
    if event.fact in CLAIMS:
        purchase = await purchases.lock(conn, purchase.id)
        if purchase.status not in purchases.CREDITED:
            raise RuntimeError(f"purchase {purchase.id} could not be credited before coins are taken back of it")
        users |= await hear_claim(conn, purchase, event, hold_s)
    return users
