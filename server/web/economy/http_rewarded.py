"""Rewarded ads and surveys over HTTP: begun by users, reported by their providers under a signature."""

import secrets
import time

import msgspec
from aiohttp import web

from server.domain.errors import Code, Refusal
from server.domain.ids import new_id
from server.economy.earning.rewarded import SANDBOX, Provider, Signed, check, providers_of, sign
from server.ledger.earning import rewarded
from server.ledger.earning.rewarded import Kind
from server.settings import Settings
from server.web.economy.rewarded_shapes import (
    RewardedOffer,
    RewardedOffers,
    RewardedOutcome,
    RewardedReport,
    RewardedSession,
    SandboxDone,
)
from server.web.http import answer, identity_of, read_body, rfc3339, services_of
from server.web.route import Route
from server.web.services import Services
from server.web.strict_json import JsonError, StrictDecoder

TIMESTAMP, NONCE, SIGNATURE = "Giftstream-Timestamp", "Giftstream-Nonce", "Giftstream-Signature"

_report = StrictDecoder(RewardedReport)
_sandbox_done = StrictDecoder(SandboxDone)


def _terms(settings: Settings) -> dict[Kind, tuple[int, int]]:
    """Kind → coins, and how many a day."""
    return {
        "ad": (settings.rewarded_ad_coins, settings.rewarded_ads_per_day),
        "survey": (settings.rewarded_survey_coins, settings.rewarded_surveys_per_day),
    }


async def list_rewarded(request: web.Request) -> web.Response:
    """Ads and surveys that there are coins for, and how many are left today."""
    services, identity = services_of(request), await identity_of(request)
    async with services.pool.acquire() as conn:
        used = await rewarded.used_today(conn, identity.user_id)
    terms = _terms(services.settings)
    offers = []
    for kind, provider in providers_of(services.settings).items():
        coins, per_day = terms[kind]
        offers.append(RewardedOffer(kind, provider.name, coins, per_day, max(0, per_day - used.get(kind, 0))))
    return answer(RewardedOffers(offers))


async def begin_rewarded(request: web.Request) -> web.Response:
    """Begin an ad or a survey."""
    services, identity = services_of(request), await identity_of(request)
    provider = _provider(services.settings, request.match_info["kind"])
    coins, per_day = _terms(services.settings)[provider.kind]
    async with services.pool.acquire() as conn, conn.transaction():
        made = await rewarded.begin(conn, new_id("rw"), identity.user_id, provider.kind, provider.name, coins, per_day)
    return answer(
        RewardedSession(
            made.id, made.kind, made.provider, made.coins, provider.address(made.id), rfc3339(made.expires_at)
        ),
        201,
    )


def _provider(settings: Settings, kind: str) -> Provider:
    for offered, provider in providers_of(settings).items():
        if offered == kind:
            return provider
    raise Refusal(Code.NOT_FOUND, "There is nothing of this kind.")


async def report_rewarded(request: web.Request) -> web.Response:
    """A provider's report, signed: headers Giftstream-Timestamp, -Nonce and -Signature."""
    services, headers = services_of(request), request.headers
    signed = Signed(
        timestamp=headers.get(TIMESTAMP, ""),
        nonce=headers.get(NONCE, ""),
        signature=headers.get(SIGNATURE, ""),
        body=await request.read(),
    )
    return answer(await _take(services, request.match_info["provider"], signed))


async def finish_in_sandbox(request: web.Request) -> web.Response:
    """Let the sandbox's provider report a session of one's own (demo mode only)."""
    services = services_of(request)
    if not services.settings.demo:
        raise Refusal(Code.NOT_FOUND)
    identity, body = await identity_of(request), await read_body(request, _sandbox_done)
    session = await rewarded.session(services.pool, request.match_info["session"])
    if session is None or session.user_id != identity.user_id or session.provider != SANDBOX:
        raise Refusal(Code.NOT_FOUND, "There is no such session of yours in the sandbox.")
    key = _provider(services.settings, session.kind).key
    # The same transaction for the same session, as a provider that tries again would send it.
    told = msgspec.json.encode(RewardedReport(f"sandbox-{session.id}", session.id, body.completed))
    timestamp, nonce = str(int(time.time())), secrets.token_hex(8)
    return answer(await _take(services, SANDBOX, Signed(timestamp, nonce, sign(key, timestamp, nonce, told), told)))


async def _take(services: Services, provider: str, signed: Signed) -> RewardedOutcome:
    """Checks a report and books what follows. Raises Refusal."""
    check(providers_of(services.settings), provider, signed, time.time())
    try:
        told = _report.decode(signed.body)
    except JsonError:
        raise Refusal(Code.BAD_REQUEST) from None
    async with services.pool.acquire() as conn, conn.transaction():
        taken = await rewarded.report(
            conn,
            provider=provider,
            nonce=signed.nonce,
            transaction=told.transaction,
            session_id=told.session,
            completed=told.completed,
            per_day_max={kind: per_day for kind, (_, per_day) in _terms(services.settings).items()},
        )
    if taken.coins:
        # Also when it is told again: the first time may have ended before this.
        await services.wallets.refresh(taken.user_id)
        services.balances.changed(taken.user_id)
        services.notices.changed(taken.user_id)
    return RewardedOutcome(told.transaction, taken.outcome, taken.coins)


ROUTES = (
    Route(method="GET", path="/rewarded", handler=list_rewarded, answer=RewardedOffers),
    Route(
        method="POST",
        path="/rewarded/{kind}",
        handler=begin_rewarded,
        answer=RewardedSession,
        status=201,
        codes=(Code.NOT_FOUND, Code.LIMIT_EXCEEDED),
    ),
    Route(
        method="POST",
        path="/rewarded/reports/{provider}",
        handler=report_rewarded,
        body=RewardedReport,
        answer=RewardedOutcome,
        needs_token=False,
        codes=(Code.UNAUTHORIZED, Code.NOT_FOUND, Code.IDEMPOTENCY_CONFLICT),
    ),
    Route(
        method="POST",
        path="/demo/rewarded/{session}",
        handler=finish_in_sandbox,
        body=SandboxDone,
        answer=RewardedOutcome,
        codes=(Code.NOT_FOUND, Code.IDEMPOTENCY_CONFLICT),
    ),
)
