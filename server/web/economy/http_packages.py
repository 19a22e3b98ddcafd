"""What is on sale, over HTTP: packages with their prices, and what promotions make of them."""

import re

from aiohttp import web
from msgspec import UNSET

from server.domain.errors import Code, Refusal
from server.economy.recharge.offers import Offer, offers
from server.ledger.profiles import profile_of
from server.web.economy.purchase_shapes import Money, PackageDeal, PackageOffer, Packages, PayMethod
from server.web.http import answer, identity_of, services_of
from server.web.route import Route

PLATFORMS = ("web", "ios", "android")
REGION = re.compile(r"[A-Z]{2}", re.ASCII)


async def list_packages(request: web.Request) -> web.Response:
    """What coins cost on a platform (`web` unless given), in the account's region or the one given."""
    services = services_of(request)
    platform = request.query.get("platform", "web")
    if platform not in PLATFORMS:
        raise Refusal(Code.BAD_REQUEST, f"A platform is one of {', '.join(PLATFORMS)}.")
    said, bound, identity = _region(request), None, None
    if "Authorization" in request.headers:
        identity = await identity_of(request)
        async with services.pool.acquire() as conn:
            bound = (await profile_of(conn, identity.user_id)).region
    region, providers = bound or said, services.cashier.providers
    found: list[Offer] = []
    if providers.selling_on(platform):
        async with services.pool.acquire() as conn:
            found = await offers(conn, identity.user_id if identity is not None else None, region, platform)
    methods = providers.web.methods if platform == "web" and providers.web is not None else ()
    return answer(
        Packages(
            platform=platform,  # type: ignore[arg-type]
            region=region,
            region_bound=bound is not None,
            packages=[_offer(offer) for offer in found],
            methods=[PayMethod(method.id, method.name) for method in methods],
            confirm_amount=services.settings.purchase_confirm_amount if platform == "web" else 0,
            pretend=platform == "web" and providers.sandbox is not None,
        )
    )


def _region(request: web.Request) -> str | None:
    """The query's `region`. Raises Refusal (bad_request)."""
    region = request.query.get("region")
    if region is not None and not REGION.fullmatch(region):
        raise Refusal(Code.BAD_REQUEST, "A region has two capital letters, such as PT.")
    return region


def _offer(offer: Offer) -> PackageOffer:
    package = offer.package
    return PackageOffer(
        id=package.id,
        version=package.version,
        coins=package.coins,
        price=Money(package.amount, package.currency),
        per_1000_coins=Money(package.amount_per_1000_coins, package.currency),
        best_value=offer.best,
        deal=_deal(offer) if offer.deal.applied else None,
        coins_min=UNSET if package.coins_min is None else package.coins_min,
        coins_max=UNSET if package.coins_max is None else package.coins_max,
    )


def _deal(offer: Offer) -> PackageDeal:
    return PackageDeal(
        promotions=[one.promotion.name for one in offer.deal.applied],
        bonus_coins=offer.deal.bonus_coins,
        price=Money(offer.amount, offer.package.currency),
        per_1000_coins=Money(offer.amount_per_1000_coins, offer.package.currency),
    )


ROUTES = (
    Route(
        method="GET",
        path="/packages",
        handler=list_packages,
        answer=Packages,
        needs_token=False,
        query={"platform": "`web`, `ios` or `android`", "region": "ISO 3166-1 alpha-2, for an account without one"},
        codes=(Code.UNAUTHORIZED, Code.FORBIDDEN),
    ),
)
