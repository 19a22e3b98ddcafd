"""Purchases in apps: the store sells, and says afterwards which account bought what."""

from server.domain.ids import new_id
from server.economy.earning.deals import promise
from server.economy.recharge.payment import Fact, PaymentEvent
from server.ledger.recharge import packages, purchases, store_accounts
from server.ledger.recharge.purchases import REGION_UNKNOWN
from server.stores.postgres import Connection

PLATFORMS = {"apple": "ios", "google": "android"}
METHODS = {"apple": "app_store", "google": "google_play"}
EXPIRES_S = 24 * 3600.0


async def purchase_in_app(conn: Connection, event: PaymentEvent) -> str | None:
    """The purchase that a store's payment belongs to: the one that the app began, else a new one.

    None when the account is nobody's, or the product no package of ours.
    """
    if event.account is None or event.product is None or event.fact not in {Fact.PAID, Fact.PENDING}:
        return None
    user_id = await store_accounts.user_of(conn, event.account)
    package = await packages.newest(conn, event.product)
    if user_id is None or package is None or package.platform != PLATFORMS[event.provider]:
        return None
    # Two payments at once: each takes a purchase of its own.
    await purchases.lock_buyer(conn, user_id)
    if event.quantity == 1:
        found = await purchases.find_open(conn, event.provider, user_id, package.id)
        if found is not None:
            if event.amount and event.currency:
                await purchases.set_amount(conn, found, event.amount, event.currency)
            return found
    purchase_id, coins = new_id("p"), package.coins * event.quantity
    amount, region = event.amount or package.amount * event.quantity, event.region or REGION_UNKNOWN
    # The store's price stands: there is no discount on its platforms.
    deal = await promise(
        conn,
        purchase_id,
        user_id,
        package=package.id,
        coins=coins,
        amount=amount,
        region=region,
        platform=package.platform,
    )
    made = await purchases.add(
        conn,
        package,
        purchase_id=purchase_id,
        user_id=user_id,
        provider=event.provider,
        method=METHODS[event.provider],
        region=region,
        coins=coins,
        bonus_coins=deal.bonus_coins,
        amount=amount,
        currency=event.currency or package.currency,
        expires_s=EXPIRES_S,
    )
    return made.id
