"""Admin calls: challenges, contests and events, in versions until they begin, tried on the past, called off."""

from dataclasses import asdict
from datetime import UTC, datetime

from aiohttp import web

from server.domain.challenge import Challenge
from server.domain.errors import Code, Refusal
from server.economy.earning.trial import try_challenge
from server.ledger import pages
from server.ledger.earning import challenges
from server.ledger.earning.challenges import ChallengeVersion
from server.ledger.notices import EVERYBODY
from server.web.economy.challenges_admin_shapes import (
    ChallengeMade,
    ChallengePreview,
    ChallengesMade,
    ChallengeTerms,
    NewChallenge,
)
from server.web.http import admin_of, answer, limit_of, read_body, rfc3339, services_of
from server.web.route import Route
from server.web.strict_json import StrictDecoder

_new_challenge = StrictDecoder(NewChallenge)
_challenge_terms = StrictDecoder(ChallengeTerms)


async def list_challenges_made(request: web.Request) -> web.Response:
    """All challenges with their versions."""
    await admin_of(request)
    limit, cursor = limit_of(request), request.query.get("cursor")
    after = pages.decode(cursor, str)[0] if cursor else ""
    found = await challenges.listing(services_of(request).pool, limit + 1, after)
    ids = list(dict.fromkeys(one.challenge.id for one in found))
    made = [_made(one) for one in found if one.challenge.id in ids[:limit]]
    return answer(ChallengesMade(made, pages.encode(ids[limit - 1]) if len(ids) > limit else None))


async def make_challenge(request: web.Request) -> web.Response:
    """Make a challenge, contest or event, or a new version of one that has not begun."""
    identity, body = await admin_of(request), await read_body(request, _new_challenge)
    services, terms = services_of(request), _challenge(body)
    async with services.pool.acquire() as conn, conn.transaction():
        version = await challenges.add_version(conn, terms, identity.user_id)
        if body.announce and version == 1:
            await challenges.announce_new(conn, terms)
        made = await challenges.newest(conn, terms.id)
    services.notices.changed(EVERYBODY)
    return answer(_made(made), 201)


async def end_challenge(request: web.Request) -> web.Response:
    """Call a challenge off: nothing more is given for it; what was given stays given."""
    identity = await admin_of(request)
    challenge_id = request.match_info["challenge"]
    async with services_of(request).pool.acquire() as conn, conn.transaction():
        await challenges.cancel(conn, challenge_id, identity.user_id)
        made = await challenges.newest(conn, challenge_id)
    return answer(_made(made))


async def preview_challenge(request: web.Request) -> web.Response:
    """How terms would have gone in a stretch of the same length up to now."""
    await admin_of(request)
    terms = _challenge(await read_body(request, _challenge_terms))
    async with services_of(request).pool.acquire() as conn:
        outcome = await try_challenge(conn, terms, datetime.now(UTC))
    return answer(ChallengePreview(outcome.participants, outcome.winners, outcome.coins, outcome.total))


def _challenge(body: ChallengeTerms) -> Challenge:
    values = {name: getattr(body, name) for name in ChallengeTerms.__struct_fields__}
    gifts, prizes = values.pop("gifts"), values.pop("prizes")
    made = Challenge(
        **values,
        version=0,
        gift_ids=None if gifts is None else frozenset(gifts),
        prizes=None if prizes is None else tuple(prizes),
    )
    if made.contradiction:
        raise Refusal(Code.BAD_REQUEST, made.contradiction)
    return made


def _made(one: ChallengeVersion) -> ChallengeMade:
    values = asdict(one.challenge)
    version, gifts, prizes = values.pop("version"), values.pop("gift_ids"), values.pop("prizes")
    terms = ChallengeTerms(
        **values,
        gifts=None if gifts is None else sorted(gifts),
        prizes=None if prizes is None else list(prizes),
    )
    return ChallengeMade(
        terms=terms,
        version=version,
        state=one.state,
        created_by=one.created_by,
        created_at=rfc3339(one.created_at),
    )


ROUTES = (
    Route(method="GET", path="/admin/challenges", handler=list_challenges_made, answer=ChallengesMade, pages=True),
    Route(
        method="POST",
        path="/admin/challenges",
        handler=make_challenge,
        body=NewChallenge,
        answer=ChallengeMade,
        status=201,
        codes=(Code.NOT_FOUND, Code.CONFLICT, Code.LIMIT_EXCEEDED),
    ),
    Route(
        method="POST",
        path="/admin/challenges/{challenge}/end",
        handler=end_challenge,
        answer=ChallengeMade,
        codes=(Code.NOT_FOUND, Code.CONFLICT),
    ),
    Route(
        method="POST",
        path="/admin/challenges/preview",
        handler=preview_challenge,
        body=ChallengeTerms,
        answer=ChallengePreview,
        codes=(Code.NOT_FOUND,),
    ),
)
