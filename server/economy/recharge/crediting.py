"""From paid to credited: a purchase's coins, and what comes along with them, in one transaction with its status."""

import asyncpg
import structlog

from server.domain.ids import UserId
from server.economy.earning.on_purchase import on_purchase
from server.ledger.notices import notify
from server.ledger.recharge import purchases
from server.ledger.recharge.purchases import Purchase
from server.ledger.wallets import book_credit
from server.stores.failures import POSTGRES_AWAY
from server.stores.postgres import Connection

log = structlog.get_logger()

NEEDS_FINISH = frozenset({"google"})
"""Providers that want to be told when the coins are delivered, or give the money back."""


async def settle_payment(conn: Connection, purchase: Purchase) -> set[str]:
    """The money of a locked purchase is there: notes that, and credits the coins; answers whose balances changed.

    What goes wrong with the credit leaves the purchase paid, for the sweeper: that it was paid is never forgotten.
    """
    if purchase.status in purchases.CREDITED:
        return set()
    await purchases.set_status(conn, purchase.id, "paid")
    try:
        async with conn.transaction():
            return await _credit(conn, purchase)
    except (*POSTGRES_AWAY, asyncpg.SerializationError, asyncpg.DeadlockDetectedError):
        raise
    except Exception:
        log.exception("a purchase is paid and could not be credited; it will be tried again", purchase=purchase.id)
        return set()


async def _credit(conn: Connection, purchase: Purchase) -> set[str]:
    user = UserId(purchase.user_id)
    await book_credit(conn, user, purchase.coins, "purchase", purchase.id, f"bought with {purchase.method}")
    await purchases.set_status(conn, purchase.id, "credited")
    changed = await on_purchase(conn, purchase.id, user)
    bonus = await purchases.set_bonus(conn, purchase.id)
    if purchase.provider not in NEEDS_FINISH:
        await purchases.set_finished(conn, purchase.id)
    extra = f", and {bonus:,} on top" if bonus else ""
    await notify(
        conn,
        user,
        "purchase",
        f"{purchase.coins:,} coins have arrived{extra}.",
        {"purchase": purchase.id, "coins": purchase.coins, "bonus_coins": bonus},
    )
    return {user, *changed}
