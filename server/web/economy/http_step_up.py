"""Step-up confirmation over HTTP: setting up an authenticator app, and exchanging its codes for confirmations."""

import time

import segno
from aiohttp import web

from server.domain.errors import Code
from server.economy import step_up
from server.economy.sealing import Sealer
from server.ledger import step_up as ledger
from server.web.economy.step_up_shapes import (
    Confirmed,
    RecoveryCodes,
    StepUp,
    StepUpCode,
    StepUpConfirmation,
    StepUpEnrolled,
    StepUpEnrolment,
)
from server.web.http import answer, identity_of, read_body, rfc3339, services_of
from server.web.route import Route
from server.web.services import Services
from server.web.strict_json import StrictDecoder

_SEALER = web.AppKey("step-up sealer", Sealer)
_QR_SCALE = 4
_code = StrictDecoder(StepUpCode)
_confirmed = StrictDecoder(Confirmed)


def set_up(app: web.Application, services: Services) -> None:
    """Gives the application what these handlers remember."""
    app[_SEALER] = Sealer(services.settings, "step-up")


async def step_up_state(request: web.Request) -> web.Response:
    """Whether an authenticator app is set up for one's account."""
    identity = await identity_of(request)
    return answer(await _state(services_of(request), identity.user_id))


async def begin_step_up(request: web.Request) -> web.Response:
    """Begin to set up an authenticator app; nothing asks for its codes before the first one was right."""
    services, identity = services_of(request), await identity_of(request)
    begun = await step_up.begin(services.pool, request.app[_SEALER], identity.user_id, identity.name)
    qr = segno.make_qr(begun.uri, error="m").svg_data_uri(scale=_QR_SCALE, light="#fff")
    return answer(StepUpEnrolment(begun.secret, begun.uri, qr), 201)


async def finish_step_up(request: web.Request) -> web.Response:
    """Finish with a first code, which also confirms; answers ten recovery codes, which are shown this once."""
    services, identity = services_of(request), await identity_of(request)
    body = await read_body(request, _code)
    codes, made = await step_up.finish(services.pool, request.app[_SEALER], identity.user_id, body.code, time.time())
    return answer(StepUpEnrolled(codes, made.token, rfc3339(made.expires_at)))


async def confirm_step_up(request: web.Request) -> web.Response:
    """Exchange a code for a confirmation, good once within five minutes."""
    services, identity = services_of(request), await identity_of(request)
    body = await read_body(request, _code)
    made = await step_up.exchange(services.pool, request.app[_SEALER], identity.user_id, body.code, time.time())
    return answer(StepUpConfirmation(made.token, rfc3339(made.expires_at)), 201)


async def renew_recovery_codes(request: web.Request) -> web.Response:
    """Make new recovery codes in place of the old ones."""
    services, identity = services_of(request), await identity_of(request)
    body = await read_body(request, _confirmed)
    return answer(RecoveryCodes(await step_up.renew_recovery_codes(services.pool, identity.user_id, body.confirmation)))


async def remove_step_up(request: web.Request) -> web.Response:
    """Take the authenticator app away."""
    services, identity = services_of(request), await identity_of(request)
    body = await read_body(request, _confirmed)
    await step_up.remove(services.pool, identity.user_id, body.confirmation)
    return answer(await _state(services, identity.user_id))


async def _state(services: Services, user_id: str) -> StepUp:
    async with services.pool.acquire() as conn:
        held = await ledger.find(conn, user_id)
        left = await ledger.recovery_codes_left(conn, user_id)
    until = held.locked_until if held is not None and held.locked else None
    return StepUp(held is not None and held.enrolled, left, None if until is None else rfc3339(until))


ROUTES = (
    Route(method="GET", path="/account/step-up", handler=step_up_state, answer=StepUp),
    Route(
        method="POST",
        path="/account/step-up",
        handler=begin_step_up,
        answer=StepUpEnrolment,
        status=201,
        codes=(Code.CONFLICT,),
    ),
    Route(
        method="POST",
        path="/account/step-up/enrolment",
        handler=finish_step_up,
        body=StepUpCode,
        answer=StepUpEnrolled,
        codes=(Code.CONFLICT, Code.STEP_UP_REQUIRED, Code.RATE_LIMITED),
    ),
    Route(
        method="POST",
        path="/account/step-up/confirmations",
        handler=confirm_step_up,
        body=StepUpCode,
        answer=StepUpConfirmation,
        status=201,
        codes=(Code.STEP_UP_REQUIRED, Code.RATE_LIMITED),
    ),
    Route(
        method="POST",
        path="/account/step-up/recovery-codes",
        handler=renew_recovery_codes,
        body=Confirmed,
        answer=RecoveryCodes,
        codes=(Code.STEP_UP_REQUIRED,),
    ),
    Route(
        method="POST",
        path="/account/step-up/removal",
        handler=remove_step_up,
        body=Confirmed,
        answer=StepUp,
        codes=(Code.STEP_UP_REQUIRED,),
    ),
)
