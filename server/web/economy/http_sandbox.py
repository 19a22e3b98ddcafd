"""The pretend provider's own calls, behind its checkout page; there are none where it takes no payments."""

from aiohttp import web

from server.domain.errors import Code, Refusal
from server.domain.ids import ROOM_ID
from server.economy.recharge.providers.sandbox.outcomes import OUTCOMES
from server.economy.recharge.providers.sandbox.sandbox import Sandbox
from server.ledger.recharge.sandbox import SandboxPayment
from server.web.economy.purchase_shapes import Money, PretendOutcome, PretendPayment
from server.web.http import answer, read_body, services_of
from server.web.route import Route
from server.web.strict_json import StrictDecoder

_outcome = StrictDecoder(PretendOutcome)


async def get_pretend_payment(request: web.Request) -> web.Response:
    """A payment as the pretend provider knows it (sandbox only)."""
    return answer(_view(await _sandbox(request).payment(_purchase(request))))


async def play_pretend_payment(request: web.Request) -> web.Response:
    """Let something happen to a payment of the pretend provider (sandbox only)."""
    sandbox, purchase_id = _sandbox(request), _purchase(request)
    outcome = (await read_body(request, _outcome)).outcome
    return answer(_view(await sandbox.let_happen(purchase_id, outcome)))


def _sandbox(request: web.Request) -> Sandbox:
    sandbox = services_of(request).cashier.providers.sandbox
    if sandbox is None:
        raise Refusal(Code.NOT_FOUND)
    return sandbox


def _purchase(request: web.Request) -> str:
    purchase_id = request.match_info["purchase"]
    if not ROOM_ID.fullmatch(purchase_id):
        raise Refusal(Code.NOT_FOUND)
    return purchase_id


def _view(payment: SandboxPayment) -> PretendPayment:
    return PretendPayment(
        purchase=payment.purchase_id,
        transaction=payment.transaction,
        price=Money(payment.amount, payment.currency),
        method=payment.method,
        state=payment.state,
        outcomes=[name for name, outcome in OUTCOMES.items() if outcome.before == payment.state],
    )


ROUTES = (
    Route(
        method="GET",
        path="/sandbox/payments/{purchase}",
        handler=get_pretend_payment,
        answer=PretendPayment,
        needs_token=False,
        codes=(Code.NOT_FOUND,),
    ),
    Route(
        method="POST",
        path="/sandbox/payments/{purchase}",
        handler=play_pretend_payment,
        body=PretendOutcome,
        answer=PretendPayment,
        needs_token=False,
        codes=(Code.NOT_FOUND, Code.CONFLICT),
    ),
)
