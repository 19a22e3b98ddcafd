"""What one can get on top of coins bought, and what one got: promotions, referrals, rewards."""

from aiohttp import web

from server.domain.errors import Code
from server.domain.promotion import Promotion, Usage
from server.ledger.earning import promotions, referrals, rewards
from server.ledger.profiles import profile_of
from server.stores.postgres import Connection
from server.web.economy.rewards_shapes import (
    CoinsIssued,
    PromotionOffered,
    PromotionsOffered,
    ReferralCode,
    ReferralCoins,
    Referrals,
    RewardGiven,
    Rewards,
)
from server.web.http import answer, identity_of, limit_of, read_body, rfc3339, services_of
from server.web.route import Route
from server.web.services import Services
from server.web.shapes import User
from server.web.strict_json import StrictDecoder

_referral_code = StrictDecoder(ReferralCode)


async def list_rewards(request: web.Request) -> web.Response:
    """Coins that were given to one, newest first."""
    pool, identity = services_of(request).pool, await identity_of(request)
    found, following = await rewards.page(pool, identity.user_id, limit_of(request), request.query.get("cursor"))
    issued = await rewards.issued(pool, identity.user_id)
    given = [RewardGiven(str(one.id), one.source, one.coins, one.message, rfc3339(one.at)) for one in found]
    return answer(Rewards(given, CoinsIssued(issued.purchased, issued.promotional), following))


async def list_promotions(request: web.Request) -> web.Response:
    """The promotions that one's next purchase may have."""
    pool, identity = services_of(request).pool, await identity_of(request)
    async with pool.acquire() as conn:
        live = await promotions.live(conn, await conn.fetchval("SELECT now()"))
        used = await promotions.usages(conn, identity.user_id, [one.id for one in live])
        region = (await profile_of(conn, identity.user_id)).region
        first = not await rewards.has_bought(conn, identity.user_id)
    offered = [
        _offered(one)
        for one in sorted(live, key=lambda one: (one.ends_at, one.id))
        if (one.regions is None or region in one.regions)
        and (first or not one.first_purchase_only)
        and used.get(one.id, Usage()).leaves(one, 1)
    ]
    return answer(PromotionsOffered(offered))


def _offered(one: Promotion) -> PromotionOffered:
    return PromotionOffered(
        id=one.id,
        name=one.name,
        kind=one.kind,
        percent=one.percent,
        coins=one.coins,
        ends_at=rfc3339(one.ends_at),
        platforms=None if one.platforms is None else sorted(one.platforms),
        packages=None if one.packages is None else sorted(one.packages),
        first_purchase_only=one.first_purchase_only,
    )


async def get_referrals(request: web.Request) -> web.Response:
    """One's code for inviting others, and what came of it."""
    services, identity = services_of(request), await identity_of(request)
    async with services.pool.acquire() as conn:
        return answer(await _referrals(services, conn, identity.user_id))


async def enter_referral(request: web.Request) -> web.Response:
    """Tell who invited one, before the first purchase."""
    services, identity = services_of(request), await identity_of(request)
    body = await read_body(request, _referral_code)
    async with services.pool.acquire() as conn, conn.transaction():
        # In the demo everybody may well sit in front of one machine.
        look = not services.settings.demo
        await referrals.enter(conn, identity.user_id, body.code.strip().upper(), look_at_devices=look)
        return answer(await _referrals(services, conn, identity.user_id))


async def _referrals(services: Services, conn: Connection, user_id: str) -> Referrals:
    found = await referrals.standing(conn, user_id)
    if found.invited_by is not None:
        state = {"given": "rewarded", "refused": "refused"}.get(found.reward or "", "entered")
    else:
        state = "closed" if await rewards.has_bought(conn, user_id) else "open"
    inviter = None if found.invited_by is None else User(found.invited_by, found.inviter_name or found.invited_by)
    settings = services.settings
    return Referrals(
        code=found.code,
        state=state,  # type: ignore[arg-type]
        invited_by=inviter,
        invited=found.invited,
        rewarded=found.rewarded,
        coins=ReferralCoins(settings.referral_invited_coins, settings.referral_inviter_coins),
        per_month_max=settings.referrals_per_month_max,
    )


ROUTES = (
    Route(method="GET", path="/rewards", handler=list_rewards, answer=Rewards, pages=True),
    Route(method="GET", path="/promotions", handler=list_promotions, answer=PromotionsOffered),
    Route(method="GET", path="/referrals", handler=get_referrals, answer=Referrals),
    Route(
        method="POST",
        path="/referrals",
        handler=enter_referral,
        body=ReferralCode,
        answer=Referrals,
        codes=(Code.NOT_FOUND, Code.CONFLICT, Code.NOT_ELIGIBLE),
    ),
)
