"""Challenges, contests and events over HTTP."""

from datetime import UTC, datetime, timedelta

from aiohttp import web

from server.domain.errors import Code
from server.ledger.earning import challenges
from server.ledger.earning.challenges import Standing
from server.web.economy.challenges_shapes import ChallengeRanking, Challenges, ChallengeStanding, RankingPlace
from server.web.http import answer, identity_of, limit_of, rfc3339, services_of
from server.web.route import Route
from server.web.shapes import User

ENDED_SHOWN_FOR = timedelta(days=7)


async def list_challenges(request: web.Request) -> web.Response:
    """What can be won, and how far one is."""
    pool, identity = services_of(request).pool, await identity_of(request)
    now = datetime.now(UTC)
    async with pool.acquire() as conn:
        found = await challenges.standings(conn, identity.user_id, now - ENDED_SHOWN_FOR)
    return answer(Challenges([_standing(one, now) for one in found]))


def _standing(one: Standing, now: datetime) -> ChallengeStanding:
    terms = one.challenge
    return ChallengeStanding(
        id=terms.id,
        kind=terms.kind,
        title=terms.title,
        metric=terms.metric,
        side=terms.side,
        gifts=None if terms.gift_ids is None else sorted(terms.gift_ids),
        state="coming" if one.state == "open" and now < terms.starts_at else one.state,  # type: ignore[arg-type]
        starts_at=rfc3339(terms.starts_at),
        ends_at=rfc3339(terms.ends_at),
        goal=terms.goal,
        least=terms.least,
        reward_coins=terms.reward_coins,
        winners=one.winners,
        winners_max=terms.winners_max,
        prizes=None if terms.prizes is None else list(terms.prizes),
        total=one.total,
        amount=one.amount,
        opt_in=terms.opt_in,
        taking_part=one.taking_part,
        outcome=one.outcome,  # type: ignore[arg-type]
        place=one.place,
    )


async def join_challenge(request: web.Request) -> web.Response:
    """Take part in a challenge, contest or event, with all that one did in its time."""
    pool, identity = services_of(request).pool, await identity_of(request)
    challenge_id, now = request.match_info["challenge"], datetime.now(UTC)
    async with pool.acquire() as conn:
        await challenges.join(conn, challenge_id, identity.user_id)
        found = await challenges.standings(conn, identity.user_id, now - ENDED_SHOWN_FOR)
    return answer(next(_standing(one, now) for one in found if one.challenge.id == challenge_id))


async def challenge_ranking(request: web.Request) -> web.Response:
    """The first places of a challenge, contest or event."""
    pool, _ = services_of(request).pool, await identity_of(request)
    limit = limit_of(request)
    async with pool.acquire() as conn:
        terms = (await challenges.newest(conn, request.match_info["challenge"])).challenge
        found = await challenges.ranking(conn, terms, limit)
    return answer(
        ChallengeRanking(
            [RankingPlace(one.place, User(one.user_id, one.user_name), one.amount, one.coins) for one in found]
        )
    )


ROUTES = (
    Route(method="GET", path="/challenges", handler=list_challenges, answer=Challenges),
    Route(
        method="POST",
        path="/challenges/{challenge}/join",
        handler=join_challenge,
        answer=ChallengeStanding,
        codes=(Code.NOT_FOUND, Code.CONFLICT),
    ),
    Route(
        method="GET",
        path="/challenges/{challenge}/ranking",
        handler=challenge_ranking,
        answer=ChallengeRanking,
        query={"limit": "places, 20 unless given, at most 100"},
        codes=(Code.NOT_FOUND,),
    ),
)
