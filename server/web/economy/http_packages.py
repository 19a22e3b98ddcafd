"""What is on sale, over HTTP: packages with their prices, and what promotions make of them."""

import re

from aiohttp import web
from msgspec import UNSET

from server.domain.errors import Code, Refusal
from server.domain.packages import ID
from server.economy.recharge.offers import Offer, offers, quote
from server.ledger.profiles import profile_of
from server.ledger.recharge import packages
from server.web.economy.purchase_shapes import Money, PackageDeal, PackageOffer, PackageQuote, Packages, PayMethod
from server.web.http import answer, identity_of, services_of
from server.web.route import Route

PLATFORMS = ("web", "ios", "android")
REGION = re.compile(r"[A-Z]{2}", re.ASCII)
PACKAGE_ID = re.compile(ID, re.ASCII)
COINS = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)


async def list_packages(request: web.Request) -> web.Response:
    """What coins cost on a platform (`web` unless given), in the account's region or the one given."""
    services, providers = services_of(request), services_of(request).cashier.providers
    platform = platform_of(request)
    user_id, bound, region = await _buyer(request)
    found: list[Offer] = []
    if providers.selling_on(platform):
        async with services.pool.acquire() as conn:
            found = await offers(conn, user_id, region, platform)
    methods = providers.web.methods if platform == "web" and providers.web is not None else ()
    return answer(
        Packages(
            platform=platform,  # type: ignore[arg-type]
            region=region,
            region_bound=bound,
            packages=[_offer(offer) for offer in found],
            methods=[PayMethod(method.id, method.name) for method in methods],
            confirm_amount=services.settings.purchase_confirm_amount if platform == "web" else 0,
            pretend=platform == "web" and providers.sandbox is not None,
        )
    )


async def quote_package(request: web.Request) -> web.Response:
    """What a package, or so many `coins` of a custom amount, costs now, and what promotions make of it."""
    services = services_of(request)
    user_id, _, region = await _buyer(request)
    async with services.pool.acquire() as conn:
        package = await packages.newest(conn, _package_id(request))
        if package is None or not package.active or not services.cashier.providers.selling_on(package.platform):
            raise Refusal(Code.NOT_FOUND, "There is no such package on sale.")
        offer = await quote(conn, user_id, region, package, _coins(request))
    return answer(
        PackageQuote(
            id=offer.package.id,
            version=offer.package.version,
            region=region,
            coins=offer.package.coins,
            price=Money(offer.package.amount, offer.package.currency),
            per_1000_coins=Money(offer.package.amount_per_1000_coins, offer.package.currency),
            deal=_deal(offer) if offer.deal.applied else None,
        )
    )


async def _buyer(request: web.Request) -> tuple[str | None, bool, str | None]:
    """Who asks, if anybody; whether their account is bound to a region; and the region that prices are for."""
    said = region_of(request)
    if "Authorization" not in request.headers:
        return None, False, said
    identity = await identity_of(request)
    async with services_of(request).pool.acquire() as conn:
        bound = (await profile_of(conn, identity.user_id)).region
    return identity.user_id, bound is not None, bound or said


def _package_id(request: web.Request) -> str:
    """The package that the address names. Raises Refusal (not_found) for what can be none."""
    given: str = request.match_info["package"]
    if not PACKAGE_ID.fullmatch(given):
        raise Refusal(Code.NOT_FOUND, "There is no such package on sale.")
    return given


def _coins(request: web.Request) -> int | None:
    """The query's `coins`. Raises Refusal (bad_request)."""
    given = request.query.get("coins")
    if given is not None and not COINS.fullmatch(given):
        raise Refusal(Code.BAD_REQUEST, "Coins are a whole number from 1.")
    return None if given is None else int(given)


def platform_of(request: web.Request) -> str:
    """The query's `platform`, `web` unless given. Raises Refusal (bad_request)."""
    platform = request.query.get("platform", "web")
    if platform not in PLATFORMS:
        raise Refusal(Code.BAD_REQUEST, f"A platform is one of {', '.join(PLATFORMS)}.")
    return platform


def region_of(request: web.Request) -> str | None:
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
    Route(
        method="GET",
        path="/packages/{package}",
        handler=quote_package,
        answer=PackageQuote,
        needs_token=False,
        query={"coins": "of a custom amount", "region": "ISO 3166-1 alpha-2, for an account without one"},
        codes=(Code.UNAUTHORIZED, Code.FORBIDDEN, Code.NOT_FOUND, Code.CONFLICT),
    ),
)
