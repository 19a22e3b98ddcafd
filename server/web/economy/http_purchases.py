"""Buying coins over HTTP: purchases, their checkout, and receipts of app stores."""

from aiohttp import web
from msgspec import UNSET

from server.domain.errors import Code, Refusal
from server.domain.ids import ROOM_ID
from server.economy.recharge.buying import Order, buy
from server.economy.recharge.providers.provider import BadNotificationError, ProviderAwayError, Site
from server.ledger.care.cases import flag
from server.ledger.profiles import profile_of
from server.ledger.recharge import packages, purchases
from server.ledger.recharge.purchases import Purchase
from server.ledger.recharge.store_accounts import account_of
from server.stores.postgres import Connection
from server.web.economy.purchase_shapes import (
    Money,
    NewPurchase,
    NewReceipt,
    PurchaseCheckout,
    Purchases,
    PurchaseView,
)
from server.web.http import answer, identity_of, limit_of, read_body, rfc3339, services_of
from server.web.once import once
from server.web.route import Route
from server.web.strict_json import StrictDecoder

_new_purchase = StrictDecoder(NewPurchase)
_new_receipt = StrictDecoder(NewReceipt)


async def add_purchase(request: web.Request) -> web.Response:
    """Begin a purchase, at the price that its buyer agreed to; its checkout or the app's store comes next."""
    services, identity = services_of(request), await identity_of(request)
    body = await read_body(request, _new_purchase)
    order = Order(
        package=body.package,
        version=body.version,
        coins=None if body.coins is UNSET else body.coins,
        amount=None if body.amount is UNSET else body.amount,
        bonus_coins=body.bonus_coins,
        method=None if body.method is UNSET else body.method,
        region=None if body.region is UNSET else body.region,
        confirmation=None if body.confirmation is UNSET else body.confirmation,
    )

    if order.region is not None:
        async with services.pool.acquire() as conn:
            held = (await profile_of(conn, identity.user_id)).region
            if held not in {None, order.region}:
                # Kept although the purchase is refused: a person should look.
                await flag(conn, "another_region", identity.user_id, {"held": held, "said": order.region})

    async def begin(conn: Connection) -> PurchaseView:
        return view(await buy(conn, identity.user_id, order, services.cashier.providers, services.settings))

    return await once(request, identity.user_id, body, begin, 201)


async def list_purchases(request: web.Request) -> web.Response:
    """One's own purchases, newest first."""
    services, identity = services_of(request), await identity_of(request)
    found, following = await purchases.of_user(
        services.pool, identity.user_id, limit_of(request), request.query.get("cursor")
    )
    return answer(Purchases([view(purchase) for purchase in found], following))


async def get_purchase(request: web.Request) -> web.Response:
    """One purchase of one's own: its receipt, and what became of it."""
    return answer(view(await _own(request)))


async def open_checkout(request: web.Request) -> web.Response:
    """Where to pay for a purchase; the same place again as long as it waits for its payment."""
    services, purchase = services_of(request), await _own(request)
    provider = services.cashier.providers.web
    if provider is None or provider.name != purchase.provider:
        raise Refusal(Code.NOT_FOUND)
    if purchase.status != "created":
        raise Refusal(Code.CONFLICT, f"This purchase is {purchase.status}.")
    try:
        checkout = await provider.begin(purchase, _site(request))
    except ProviderAwayError as error:
        raise Refusal(Code.UNAVAILABLE, "The payment provider does not answer.") from error
    async with services.pool.acquire() as conn:
        await purchases.set_checkout(conn, purchase.id, checkout.id)
    return answer(PurchaseCheckout(checkout.url))


async def add_receipt(request: web.Request) -> web.Response:
    """Hand over what an app's store gave for a payment; its coins are credited, once."""
    services, identity = services_of(request), await identity_of(request)
    body = await read_body(request, _new_receipt)
    async with services.pool.acquire() as conn:
        package = await packages.newest(conn, body.package)
    store = None if package is None else services.cashier.providers.stores.get(package.platform)
    if store is None:
        raise Refusal(Code.NOT_FOUND, "There is no such package on sale.")
    try:
        said = await store.read_receipt(body.receipt, body.package)
    except BadNotificationError as error:
        raise Refusal(Code.BAD_REQUEST, f"This receipt is not good: {error}.") from error
    except ProviderAwayError as error:
        raise Refusal(Code.UNAVAILABLE, "The store does not answer.") from error
    if any(event.account != account_of(identity.user_id) for event in said):
        raise Refusal(Code.FORBIDDEN, "This receipt is of another account.")
    heard = [await services.cashier.hear(event) for event in said]
    async with services.pool.acquire() as conn:
        purchase_id = await purchases.find(conn, store.name, transaction=said[0].transaction, checkout=said[0].checkout)
        found = None if purchase_id is None else await purchases.get(conn, purchase_id)
    if found is None or found.user_id != identity.user_id or any(one.outcome == "mismatch" for one in heard):
        raise Refusal(Code.CONFLICT, "This receipt fits no purchase.")
    return answer(view(found))


def view(purchase: Purchase) -> PurchaseView:
    """A purchase as its buyer sees it."""
    return PurchaseView(
        id=purchase.id,
        status=purchase.status,
        coins=purchase.coins,
        bonus_coins=purchase.bonus_coins,
        coins_back=purchase.coins_back + purchase.bonus_back,
        price=Money(purchase.amount, purchase.currency),
        package=purchase.package_id,
        version=purchase.package_version,
        platform=purchase.platform,  # type: ignore[arg-type]
        region=purchase.region,
        provider=purchase.provider,
        method=purchase.method,
        transaction=purchase.transaction,
        created_at=rfc3339(purchase.created_at),
        expires_at=rfc3339(purchase.expires_at),
        paid_at=None if purchase.paid_at is None else rfc3339(purchase.paid_at),
        credited_at=None if purchase.credited_at is None else rfc3339(purchase.credited_at),
        account=UNSET if purchase.platform == "web" else account_of(purchase.user_id),
    )


async def _own(request: web.Request) -> Purchase:
    """The purchase that the address names. Raises Refusal: not_found also for somebody else's."""
    services, identity = services_of(request), await identity_of(request)
    purchase_id = request.match_info["purchase"]
    if not ROOM_ID.fullmatch(purchase_id):
        raise Refusal(Code.NOT_FOUND)
    found = await purchases.get(services.pool, purchase_id)
    if found is None or found.user_id != identity.user_id:
        raise Refusal(Code.NOT_FOUND)
    return found


def _site(request: web.Request) -> Site:
    """Where this server is: as the buyer sees it, and the socket that this request came in by."""
    settings = services_of(request).settings
    host, port = settings.host, settings.port
    if request.transport is not None:
        host, port = request.transport.get_extra_info("sockname")[:2]
    own = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    return Site(public=settings.public_url.rstrip("/") or str(request.url.origin()), own=own)


ROUTES = (
    Route(
        method="POST",
        path="/purchases",
        handler=add_purchase,
        body=NewPurchase,
        answer=PurchaseView,
        status=201,
        moves_money=True,
        codes=(
            Code.NOT_FOUND,
            Code.CONFLICT,
            Code.RATE_LIMITED,
            Code.WALLET_BLOCKED,
            Code.STEP_UP_REQUIRED,
            Code.AGE_RESTRICTED,
        ),
    ),
    Route(method="GET", path="/purchases", handler=list_purchases, answer=Purchases, pages=True),
    Route(
        method="GET",
        path="/purchases/{purchase}",
        handler=get_purchase,
        answer=PurchaseView,
        codes=(Code.NOT_FOUND,),
    ),
    Route(
        method="POST",
        path="/purchases/{purchase}/checkout",
        handler=open_checkout,
        answer=PurchaseCheckout,
        codes=(Code.NOT_FOUND, Code.CONFLICT),
    ),
    Route(
        method="POST",
        path="/receipts",
        handler=add_receipt,
        body=NewReceipt,
        answer=PurchaseView,
        codes=(Code.NOT_FOUND, Code.CONFLICT),
    ),
)
