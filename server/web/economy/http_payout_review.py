"""Cash-outs that wait for a person, for admins."""

from aiohttp import web

from server.domain import text
from server.domain.errors import Code, Refusal
from server.economy.payouts import reviewing
from server.ledger.creators import payouts
from server.ledger.profiles import names_of
from server.web.economy.payout_views import payout_details, payout_views
from server.web.economy.payouts_shapes import PayoutCase, PayoutCases, PayoutDetails, PayoutRefusal
from server.web.http import admin_of, answer, id_of, limit_of, read_body, services_of
from server.web.route import Route
from server.web.shapes import User
from server.web.strict_json import StrictDecoder

REASON_CHARS_MAX = 200

_refusal = StrictDecoder(PayoutRefusal)


async def list_payout_cases(request: web.Request) -> web.Response:
    """Cash-outs that wait for a person, longest first."""
    await admin_of(request)
    services = services_of(request)
    found, following = await payouts.waiting(services.pool, limit_of(request), request.query.get("cursor"))
    async with services.pool.acquire() as conn:
        views = await payout_views(conn, found)
        names = await names_of(conn, [payout.creator_id for payout in found])
    cases = [
        PayoutCase(view, User(kept.creator_id, names.get(kept.creator_id, kept.creator_id)), kept.flags)
        for view, kept in zip(views, found, strict=True)
    ]
    return answer(PayoutCases(cases, following))


async def approve_payout(request: web.Request) -> web.Response:
    """Let a cash-out be sent; nobody decides about their own."""
    services, admin, payout_id = services_of(request), await admin_of(request), id_of(request, "payout")
    async with services.pool.acquire() as conn, conn.transaction():
        payout = await reviewing.approve(conn, payout_id, admin.user_id)
        return answer(await payout_details(conn, payout))


async def refuse_payout(request: web.Request) -> web.Response:
    """Refuse a cash-out that no provider was told of; its diamonds go back to the creator."""
    services, admin, payout_id = services_of(request), await admin_of(request), id_of(request, "payout")
    reason = text.clean((await read_body(request, _refusal)).reason, REASON_CHARS_MAX)
    if not reason:
        raise Refusal(Code.BAD_REQUEST, "A refusal has a reason.")
    async with services.pool.acquire() as conn, conn.transaction():
        await reviewing.refuse(conn, payout_id, admin.user_id, reason)
        payout = await payouts.get(conn, payout_id)
        assert payout is not None
        details = await payout_details(conn, payout)
    services.notices.changed(payout.creator_id)
    return answer(details)


_DECIDES = (Code.NOT_FOUND, Code.CONFLICT)

ROUTES = (
    Route(
        method="GET",
        path="/admin/payouts",
        handler=list_payout_cases,
        answer=PayoutCases,
        pages=True,
        codes=(Code.NOT_FOUND,),
    ),
    Route(
        method="POST",
        path="/admin/payouts/{payout}/approval",
        handler=approve_payout,
        answer=PayoutDetails,
        codes=_DECIDES,
    ),
    Route(
        method="POST",
        path="/admin/payouts/{payout}/refusal",
        handler=refuse_payout,
        body=PayoutRefusal,
        answer=PayoutDetails,
        codes=_DECIDES,
    ),
)
