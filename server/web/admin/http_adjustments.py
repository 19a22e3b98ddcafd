"""Corrections of coins: one admin proposes, another approves; and the record of what admins did."""

from aiohttp import web

from server.domain import text
from server.domain.errors import Code, Refusal
from server.ledger.admin import adjustments
from server.ledger.admin.adjustments import COINS_MAX, Adjustment
from server.ledger.admin.record import deeds
from server.stores.postgres import Connection
from server.web.admin.http_users import REASON_CHARS_MAX
from server.web.admin.shapes import Adjustments, AdjustmentView, Deed, NewAdjustment, Record
from server.web.http import admin_of, answer, limit_of, read_body, rfc3339, services_of
from server.web.once import once
from server.web.route import Route
from server.web.strict_json import StrictDecoder

_new_adjustment = StrictDecoder(NewAdjustment)


async def add_adjustment(request: web.Request) -> web.Response:
    """Propose a correction of somebody's coins; nothing moves until another admin approves."""
    admin = await admin_of(request)
    body = await read_body(request, _new_adjustment)
    reason = text.clean(body.reason, REASON_CHARS_MAX)
    if not reason or "\0" in body.user:
        raise Refusal(Code.BAD_REQUEST, "A reason is needed, for the record.")
    if body.coins == 0 or abs(body.coins) > COINS_MAX:
        raise Refusal(Code.BAD_REQUEST, f"A correction is of 1 to {COINS_MAX:,} coins, either way.")

    async def propose(conn: Connection) -> AdjustmentView:
        return view(await adjustments.propose(conn, admin.user_id, body.user, body.coins, reason))

    return await once(request, admin.user_id, body, propose, 201)


async def list_adjustments(request: web.Request) -> web.Response:
    """Corrections that wait for a second person, longest first."""
    await admin_of(request)
    found, following = await adjustments.proposed(
        services_of(request).pool, limit_of(request), request.query.get("cursor")
    )
    return answer(Adjustments([view(adjustment) for adjustment in found], following))


async def approve_adjustment(request: web.Request) -> web.Response:
    """Approve another admin's correction: it is booked, and the wallet has it at once."""
    return await _decide(request, approve=True)


async def reject_adjustment(request: web.Request) -> web.Response:
    """Reject a correction, or take one's own back."""
    return await _decide(request, approve=False)


async def list_deeds(request: web.Request) -> web.Response:
    """What admins did, newest first."""
    await admin_of(request)
    subject = request.query.get("subject")
    if subject is not None and "\0" in subject:
        raise Refusal(Code.BAD_REQUEST)
    found, following = await deeds(services_of(request).pool, limit_of(request), request.query.get("cursor"), subject)
    lines = [Deed(str(deed.id), deed.admin, deed.action, deed.subject, deed.detail, rfc3339(deed.at)) for deed in found]
    return answer(Record(lines, following))


async def _decide(request: web.Request, *, approve: bool) -> web.Response:
    services, admin = services_of(request), await admin_of(request)
    adjustment_id = request.match_info["adjustment"]
    if "\0" in adjustment_id:
        raise Refusal(Code.NOT_FOUND)
    async with services.pool.acquire() as conn, conn.transaction():
        decided = await adjustments.decide(conn, admin.user_id, adjustment_id, approve=approve)
    if approve:
        await services.wallets.refresh(decided.user_id)
        services.balances.changed(decided.user_id)
    return answer(view(decided))


def view(adjustment: Adjustment) -> AdjustmentView:
    """A correction as admins see it."""
    return AdjustmentView(
        id=adjustment.id,
        user=adjustment.user_id,
        coins=adjustment.coins,
        reason=adjustment.reason,
        state=adjustment.state,  # type: ignore[arg-type]
        proposed_by=adjustment.proposed_by,
        proposed_at=rfc3339(adjustment.proposed_at),
        decided_by=adjustment.decided_by,
        decided_at=None if adjustment.decided_at is None else rfc3339(adjustment.decided_at),
    )


ROUTES = (
    Route(
        method="POST",
        path="/admin/adjustments",
        handler=add_adjustment,
        body=NewAdjustment,
        answer=AdjustmentView,
        status=201,
        moves_money=True,
        codes=(Code.NOT_FOUND,),
    ),
    Route(
        method="GET",
        path="/admin/adjustments",
        handler=list_adjustments,
        answer=Adjustments,
        pages=True,
        codes=(Code.NOT_FOUND,),
    ),
    Route(
        method="POST",
        path="/admin/adjustments/{adjustment}/approve",
        handler=approve_adjustment,
        answer=AdjustmentView,
        codes=(Code.NOT_FOUND, Code.CONFLICT),
    ),
    Route(
        method="POST",
        path="/admin/adjustments/{adjustment}/reject",
        handler=reject_adjustment,
        answer=AdjustmentView,
        codes=(Code.NOT_FOUND, Code.CONFLICT),
    ),
    Route(
        method="GET",
        path="/admin/record",
        handler=list_deeds,
        answer=Record,
        pages=True,
        query={"subject": "only what was done about this user, item or package"},
        codes=(Code.NOT_FOUND,),
    ),
)
