"""Cash-out over HTTP, as its creator sees it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from server.domain import text
from server.domain.errors import Code, Refusal
from server.domain.ids import new_id
from server.economy import step_up
from server.economy.creators.eligibility import eligibility_of
from server.economy.payouts import destinations, requesting
from server.economy.payouts.provider import BUSINESS_DAYS_MAX, BUSINESS_DAYS_MIN
from server.economy.payouts.terms import Terms
from server.economy.sealing import Sealer
from server.ledger import step_up as ledger_step_up
from server.ledger.creators import payout_methods, payouts
from server.stores.postgres import Connection
from server.web.economy.payout_views import method_view, payout_details, payout_views
from server.web.economy.payouts_shapes import (
    CashOut,
    CreatorDiamonds,
    EligibilityState,
    NewPayout,
    NewPayoutMethod,
    PayoutDetails,
    PayoutMethod,
    Payouts,
)
from server.web.economy.purchase_shapes import Money
from server.web.http import answer, id_of, identity_of, limit_of, read_body, services_of
from server.web.once import once
from server.web.route import Route
from server.web.services import Services
from server.web.strict_json import StrictDecoder

HOLDER_CHARS_MAX = 80

_new_method = StrictDecoder(NewPayoutMethod)
_new_payout = StrictDecoder(NewPayout)


@dataclass(frozen=True, slots=True)
class _Desk:
    """What these handlers work with."""

    terms: Terms
    sealer: Sealer


_DESK = web.AppKey("payout desk", _Desk)


def set_up(app: web.Application, services: Services) -> None:
    """Gives the application what these handlers remember."""
    app[_DESK] = _Desk(Terms.of(services.settings), Sealer(services.settings, destinations.SEALED_AS))


async def cash_out_terms(request: web.Request) -> web.Response:
    """What one could cash out now, what that asks for, and where it can go."""
    services, identity = services_of(request), await identity_of(request)
    terms, now = request.app[_DESK].terms, datetime.now(UTC)
    async with services.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        can = await requesting.payable(conn, terms, identity.user_id)
        found = await eligibility_of(conn, terms, identity.user_id, now.date())
        left = await requesting.left_today(conn, terms, identity.user_id, now)
        factor = await ledger_step_up.find(conn, identity.user_id)
        methods = await payout_methods.of_creator(conn, identity.user_id)
    return answer(
        CashOut(
            open=terms.provider is not None,
            diamonds=CreatorDiamonds(
                can.balances.available, can.balances.held, can.balances.paid, can.maturing, can.diamonds
            ),
            worth=_money(terms, terms.rate.amount(can.diamonds)),
            rate=str(terms.rate),
            minimum=_money(terms, terms.amount_min),
            daily_maximum=_money(terms, terms.daily_max),
            left_today=_money(terms, left),
            hold_days=terms.hold_days,
            business_days=(BUSINESS_DAYS_MIN, BUSINESS_DAYS_MAX),
            eligibility=EligibilityState(found.ok, found.followers, found.followers_min, found.adult, found.blocked),
            step_up=factor is not None and factor.enrolled,
            methods=[method_view(method) for method in methods],
        )
    )


async def add_payout_method(request: web.Request) -> web.Response:
    """Add a bank account or a PayPal account to be paid to."""
    services, identity = services_of(request), await identity_of(request)
    body = await read_body(request, _new_method)
    holder = text.clean(body.holder, HOLDER_CHARS_MAX)
    if not holder:
        raise Refusal(Code.BAD_REQUEST, "An account has a holder.")
    destination = destinations.normal(body.kind, body.destination)
    sealer = request.app[_DESK].sealer
    async with services.pool.acquire() as conn, conn.transaction():
        method = await payout_methods.add(
            conn,
            new_id("pm"),
            identity.user_id,
            body.kind,
            holder,
            sealer.seal(destination),
            destinations.masked(body.kind, destination),
            sealer.fingerprints(destination)[0],
        )
    return answer(method_view(method), 201)


async def remove_payout_method(request: web.Request) -> web.Response:
    """Take an account out of use; payouts under way to it go on."""
    services, identity = services_of(request), await identity_of(request)
    async with services.pool.acquire() as conn, conn.transaction():
        await payout_methods.remove(conn, identity.user_id, id_of(request, "method"))
        removed = await payout_methods.get(conn, id_of(request, "method"))
    return answer(method_view(removed))


async def request_payout(request: web.Request) -> web.Response:
    """Cash diamonds out; they are reserved when this is answered, and paid within 3 to 5 business days."""
    services, identity = services_of(request), await identity_of(request)
    body, terms = await read_body(request, _new_payout), request.app[_DESK].terms

    async def work(conn: Connection) -> PayoutDetails:
        await step_up.confirm(conn, identity.user_id, body.confirmation)
        asked = await requesting.request(conn, terms, identity.user_id, body.method, body.diamonds, datetime.now(UTC))
        return await payout_details(conn, asked)

    response = await once(request, identity.user_id, body, work, 201)
    services.notices.changed(identity.user_id)
    return response


async def list_payouts(request: web.Request) -> web.Response:
    """One's own cash-outs, newest first."""
    services, identity = services_of(request), await identity_of(request)
    found, following = await payouts.of_creator(
        services.pool, identity.user_id, limit_of(request), request.query.get("cursor")
    )
    async with services.pool.acquire() as conn:
        return answer(Payouts(await payout_views(conn, found), following))


async def get_payout(request: web.Request) -> web.Response:
    """One of one's own cash-outs, with what became of it."""
    services, identity = services_of(request), await identity_of(request)
    async with services.pool.acquire() as conn:
        payout = await payouts.get(conn, id_of(request, "payout"))
        if payout is None or payout.creator_id != identity.user_id:
            raise payouts.not_there()
        return answer(await payout_details(conn, payout))


def _money(terms: Terms, amount: int) -> Money:
    return Money(amount, terms.rate.currency)


ROUTES = (
    Route(method="GET", path="/creator/cash-out", handler=cash_out_terms, answer=CashOut),
    Route(
        method="POST",
        path="/creator/payout-methods",
        handler=add_payout_method,
        body=NewPayoutMethod,
        answer=PayoutMethod,
        status=201,
        codes=(Code.LIMIT_EXCEEDED,),
    ),
    Route(
        method="DELETE",
        path="/creator/payout-methods/{method}",
        handler=remove_payout_method,
        answer=PayoutMethod,
        codes=(Code.NOT_FOUND,),
    ),
    Route(
        method="POST",
        path="/creator/payouts",
        handler=request_payout,
        body=NewPayout,
        answer=PayoutDetails,
        status=201,
        moves_money=True,
        codes=(
            Code.STEP_UP_REQUIRED,
            Code.NOT_ELIGIBLE,
            Code.AGE_RESTRICTED,
            Code.WALLET_BLOCKED,
            Code.LIMIT_EXCEEDED,
            Code.NOT_FOUND,
            Code.CONFLICT,
        ),
    ),
    Route(method="GET", path="/creator/payouts", handler=list_payouts, answer=Payouts, pages=True),
    Route(
        method="GET",
        path="/creator/payouts/{payout}",
        handler=get_payout,
        answer=PayoutDetails,
        codes=(Code.NOT_FOUND,),
    ),
)
