"""Who may buy which package, where, and at which price: checked before anybody is sent to a provider."""

from dataclasses import dataclass
from datetime import UTC, datetime

from server.domain.errors import Code, Refusal
from server.domain.ids import UserId, new_id
from server.domain.packages import Package
from server.economy import step_up
from server.economy.age import old_enough
from server.economy.earning.deals import promise
from server.economy.recharge.app_purchases import EXPIRES_S, METHODS
from server.economy.recharge.providers.registry import Providers
from server.ledger import wallets
from server.ledger.care import purchase_blocks
from server.ledger.profiles import profile_of, settle_region
from server.ledger.recharge import packages, purchases, store_accounts
from server.ledger.recharge.purchases import REGION_UNKNOWN, Purchase
from server.settings import Settings
from server.stores.postgres import Connection

UNDER_WAY_MAX = 20
"""Purchases of one user that wait for their payment."""
UNDER_WAY_RETRY_MS = 60_000
DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What somebody wants to buy. version: of the price that was shown; coins: of a custom amount.

    amount: what the buyer agreed to pay, minor units; None for whatever it is. bonus_coins: at least so many on top.

    region: where the buyer says to live, ISO 3166-1 alpha-2; confirmation: of the step-up, for large amounts.
    """

    package: str
    version: int
    coins: int | None = None
    amount: int | None = None
    bonus_coins: int = 0
    method: str | None = None
    region: str | None = None
    confirmation: str | None = None


async def buy(conn: Connection, user_id: UserId, order: Order, providers: Providers, settings: Settings) -> Purchase:
    """Writes a purchase down, its price settled, in the caller's transaction; nothing is paid yet.

    Raises Refusal: not_found, bad_request, conflict for a price or region that is another now, rate_limited,
    wallet_blocked, step_up_required, age_restricted, forbidden.
    """
    package = await packages.newest(conn, order.package)
    if package is None or not package.active or not providers.selling_on(package.platform):
        raise Refusal(Code.NOT_FOUND, "There is no such package on sale.")
    if order.version != package.version:
        raise Refusal(Code.CONFLICT, "The price of this package has changed.")
    try:
        coins, amount = package.price_of(order.coins)
    except ValueError as error:
        raise Refusal(Code.BAD_REQUEST, str(error)) from error
    provider, method = _paid_with(package, order.method, providers)
    await wallets.ensure(conn, user_id)
    await purchases.lock_buyer(conn, user_id)
    region = await _region(conn, user_id, order.region, package)
    await _may_buy(conn, user_id, settings)
    purchase_id = new_id("p")
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
    amount -= deal.discount
    if order.amount not in {None, amount}:
        raise Refusal(Code.CONFLICT, "The price of this package is another one now.")
    if deal.bonus_coins < order.bonus_coins:
        raise Refusal(Code.CONFLICT, "The coins on top of this package are fewer now.")
    if package.platform == "web" and 0 < settings.purchase_confirm_amount <= amount:
        await step_up.confirm(conn, user_id, order.confirmation)
    if package.platform != "web":
        await store_accounts.remember(conn, user_id)
    return await purchases.add(
        conn,
        package,
        purchase_id=purchase_id,
        user_id=user_id,
        provider=provider,
        method=method,
        region=region,
        coins=coins,
        bonus_coins=deal.bonus_coins,
        amount=amount,
        currency=package.currency,
        expires_s=settings.purchase_expires_s if package.platform == "web" else EXPIRES_S,
    )


def _paid_with(package: Package, method: str | None, providers: Providers) -> tuple[str, str]:
    """Provider and method of a purchase. Raises Refusal (bad_request)."""
    if package.platform != "web":
        provider = providers.stores[package.platform].name
        return provider, METHODS[provider]
    assert providers.web is not None
    offered = [known.id for known in providers.web.methods]
    if method not in offered:
        raise Refusal(Code.BAD_REQUEST, f"A method is one of {', '.join(offered)}.")
    return providers.web.name, method


async def _region(conn: Connection, user_id: str, said: str | None, package: Package) -> str:
    """Where the buyer lives: said once, and held from then on. Raises Refusal (conflict)."""
    held = (await profile_of(conn, user_id)).region if said is None else await settle_region(conn, user_id, said)
    region = held or REGION_UNKNOWN
    if said not in {None, held}:
        raise Refusal(Code.CONFLICT, f"This account buys in {held}, not in {said}.")
    if package.id not in {offer.id for offer in await packages.offered(conn, package.platform, region)}:
        raise Refusal(Code.CONFLICT, f"This package is not sold in {region}.")
    return region


async def _may_buy(conn: Connection, user_id: str, settings: Settings) -> None:
    """Raises Refusal: wallet_blocked, age_restricted, forbidden by a parent, rate_limited.

    Who is in debt may buy: that is how it is paid.
    """
    profile = await profile_of(conn, user_id)
    unknown_in_demo = settings.demo and not settings.age_gate and profile.birth_date is None
    if not unknown_in_demo and not old_enough(profile, datetime.now(UTC).date()):
        raise Refusal(Code.AGE_RESTRICTED)
    if await purchase_blocks.is_blocked(conn, user_id):
        raise Refusal(Code.FORBIDDEN, "Purchases are blocked on this account; the PIN lifts the block.")
    if await purchases.count_begun(conn, user_id, DAY_S) >= settings.purchases_per_day_max:
        raise Refusal(Code.RATE_LIMITED, "That are many purchases for one day.", retry_ms=UNDER_WAY_RETRY_MS)
    if await wallets.is_blocked(conn, UserId(user_id)):
        raise Refusal(Code.WALLET_BLOCKED)
    if await purchases.count_under_way(conn, user_id) >= UNDER_WAY_MAX:
        raise Refusal(Code.RATE_LIMITED, "Many purchases wait for their payment already.", retry_ms=UNDER_WAY_RETRY_MS)
