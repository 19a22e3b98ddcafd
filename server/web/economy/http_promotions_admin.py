"""Admin calls: promotions, made in versions, tried before they are made, and ended."""

from dataclasses import asdict, replace
from datetime import UTC, datetime

from aiohttp import web

from server.domain.errors import Code, Refusal
from server.domain.promotion import Buying, Promotion
from server.economy.earning.trial import try_promotions
from server.ledger import pages
from server.ledger.earning import promotions
from server.ledger.earning.promotions import PromotionVersion
from server.web.economy.promotions_admin_shapes import (
    NewPromotion,
    PromotionApplied,
    PromotionMade,
    PromotionPreview,
    PromotionsMade,
    PromotionTerms,
    PromotionTrial,
)
from server.web.http import admin_of, answer, limit_of, read_body, rfc3339, services_of
from server.web.route import Route
from server.web.strict_json import StrictDecoder

_new_promotion = StrictDecoder(NewPromotion)
_promotion_trial = StrictDecoder(PromotionTrial)
_SCOPES = ("regions", "platforms", "packages")


async def list_promotions_made(request: web.Request) -> web.Response:
    """All promotions with their versions and what of them is used."""
    await admin_of(request)
    limit, cursor = limit_of(request), request.query.get("cursor")
    after = pages.decode(cursor, str)[0] if cursor else ""
    found = await promotions.listing(services_of(request).pool, limit + 1, after)
    ids = list(dict.fromkeys(one.promotion.id for one in found))
    made = [_made(one) for one in found if one.promotion.id in ids[:limit]]
    return answer(PromotionsMade(made, pages.encode(ids[limit - 1]) if len(ids) > limit else None))


async def make_promotion(request: web.Request) -> web.Response:
    """Make a promotion, or a new version of one."""
    identity, body = await admin_of(request), await read_body(request, _new_promotion)
    return await _keep(request, _promotion(body), identity.user_id, 201, announced=body.announce)


async def end_promotion(request: web.Request) -> web.Response:
    """End a promotion now: a version that is not active any more. What purchases were promised is kept."""
    identity = await admin_of(request)
    async with services_of(request).pool.acquire() as conn:
        newest = await promotions.newest(conn, request.match_info["promotion"])
    if newest is None:
        raise Refusal(Code.NOT_FOUND, "There is no such promotion.")
    return await _keep(request, replace(newest.promotion, active=False), identity.user_id, 200)


async def _keep(
    request: web.Request, promotion: Promotion, by: str, status: int, *, announced: bool = False
) -> web.Response:
    async with services_of(request).pool.acquire() as conn, conn.transaction():
        await promotions.add_version(conn, promotion, by, announced=announced)
        made = await promotions.newest(conn, promotion.id)
    assert made is not None
    return answer(_made(made), status)


async def preview_promotions(request: web.Request) -> web.Response:
    """What a purchase would get, by the promotions there are and by terms that are not made yet."""
    await admin_of(request)
    body = await read_body(request, _promotion_trial)
    buying = Buying(
        coins=body.coins,
        amount=body.amount,
        region=body.region,
        platform=body.platform,
        package=body.package,
        first=body.first,
        at=body.at or datetime.now(UTC),
    )
    drafts = [] if body.terms is None else [_promotion(body.terms)]
    async with services_of(request).pool.acquire() as conn:
        deal = await try_promotions(conn, buying, drafts)
    applied = [
        PromotionApplied(one.promotion.id, one.promotion.version, one.promotion.kind, one.worth) for one in deal.applied
    ]
    return answer(PromotionPreview(deal.bonus_coins, deal.discount, body.amount - deal.discount, applied))


def _promotion(body: PromotionTerms) -> Promotion:
    values = {name: getattr(body, name) for name in PromotionTerms.__struct_fields__}
    for scope in _SCOPES:
        values[scope] = None if values[scope] is None else frozenset(values[scope])
    made = Promotion(**values, version=0, active=True)
    if made.contradiction:
        raise Refusal(Code.BAD_REQUEST, made.contradiction)
    return made


def _made(one: PromotionVersion) -> PromotionMade:
    values = asdict(one.promotion)
    version, active = values.pop("version"), values.pop("active")
    for scope in _SCOPES:
        values[scope] = None if values[scope] is None else sorted(values[scope])
    return PromotionMade(
        terms=PromotionTerms(**values),
        version=version,
        active=active,
        used_coins=one.usage.coins,
        uses=one.usage.uses,
        created_by=one.created_by,
        created_at=rfc3339(one.created_at),
    )


ROUTES = (
    Route(method="GET", path="/admin/promotions", handler=list_promotions_made, answer=PromotionsMade, pages=True),
    Route(
        method="POST",
        path="/admin/promotions",
        handler=make_promotion,
        body=NewPromotion,
        answer=PromotionMade,
        status=201,
        codes=(Code.NOT_FOUND, Code.LIMIT_EXCEEDED),
    ),
    Route(
        method="POST",
        path="/admin/promotions/{promotion}/end",
        handler=end_promotion,
        answer=PromotionMade,
        codes=(Code.NOT_FOUND,),
    ),
    Route(
        method="POST",
        path="/admin/promotions/preview",
        handler=preview_promotions,
        body=PromotionTrial,
        answer=PromotionPreview,
        codes=(Code.NOT_FOUND,),
    ),
)
