"""Following creators over HTTP."""

import asyncio

from aiohttp import web
from msgspec import UNSET

from server.domain.errors import Code, Refusal
from server.ledger.creators import follows
from server.ledger.creators.follows import Followed, FollowedSince
from server.web.economy.follows_shapes import Creator, FollowedCreator, FollowedCreators, LiveRoom
from server.web.http import answer, identity_of, limit_of, rfc3339, services_of
from server.web.http_moderation import target_of
from server.web.limits import BucketTable
from server.web.route import Route
from server.web.shapes import User

FOLLOWS_PER_SECOND = 1.0
FOLLOWS_BURST = 30
FOLLOWERS_REMEMBERED_MAX = 10_000

_PACES = web.AppKey("follows by user", BucketTable)


def set_up(app: web.Application) -> None:
    """Gives the application what these handlers remember."""
    app[_PACES] = BucketTable(FOLLOWS_PER_SECOND, FOLLOWS_BURST, size_max=FOLLOWERS_REMEMBERED_MAX)


async def get_creator(request: web.Request) -> web.Response:
    """A creator, and whether one follows them."""
    services, identity, creator_id = services_of(request), await identity_of(request), target_of(request)
    async with services.pool.acquire() as conn:
        return answer(_creator(await follows.seen_by(conn, creator_id, identity.user_id)))


async def follow_creator(request: web.Request) -> web.Response:
    """Follow a creator."""
    return await _change(request, wanted=True)


async def unfollow_creator(request: web.Request) -> web.Response:
    """Follow a creator no more."""
    return await _change(request, wanted=False)


async def list_followed(request: web.Request) -> web.Response:
    """The creators whom one follows, the latest first, and which of them are live."""
    services, identity = services_of(request), await identity_of(request)
    found, following = await follows.followed_by(
        services.pool, identity.user_id, limit_of(request), request.query.get("cursor")
    )
    return answer(FollowedCreators([_followed(each) for each in found], following))


async def _change(request: web.Request, *, wanted: bool) -> web.Response:
    services, identity, creator_id = services_of(request), await identity_of(request), target_of(request)
    now_s = asyncio.get_running_loop().time()
    bucket = request.app[_PACES].get(identity.user_id, now_s)
    if not bucket.take(now_s):
        raise Refusal(Code.RATE_LIMITED, retry_ms=bucket.retry_ms())
    async with services.pool.acquire() as conn, conn.transaction():
        if wanted:
            await follows.follow(conn, creator_id, identity.user_id)
        else:
            await follows.unfollow(conn, creator_id, identity.user_id)
        seen = await follows.seen_by(conn, creator_id, identity.user_id)
    services.names.note(identity.user_id, identity.name)
    return answer(_creator(seen))


def _followed(each: FollowedSince) -> FollowedCreator:
    live = UNSET if each.room_id is None else LiveRoom(each.room_id, each.room_title or "")
    return FollowedCreator(User(each.creator_id, each.name), each.followers, rfc3339(each.since), live)


def _creator(seen: Followed) -> Creator:
    return Creator(User(seen.creator_id, seen.name), seen.followers, seen.following)


_CHANGE = (Code.NOT_FOUND, Code.BAD_REQUEST, Code.RATE_LIMITED)

ROUTES = (
    Route(
        method="GET",
        path="/creators/{user}",
        handler=get_creator,
        answer=Creator,
        codes=(Code.NOT_FOUND, Code.BAD_REQUEST),
    ),
    Route(method="PUT", path="/creators/{user}/follow", handler=follow_creator, answer=Creator, codes=_CHANGE),
    Route(method="DELETE", path="/creators/{user}/follow", handler=unfollow_creator, answer=Creator, codes=_CHANGE),
    Route(method="GET", path="/account/following", handler=list_followed, answer=FollowedCreators, pages=True),
)
