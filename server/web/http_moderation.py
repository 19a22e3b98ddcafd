"""Order in a room over HTTP: moderators, mutes and bans.

The creator names moderators; these and the creator mute and ban. What is done holds on every gateway when it is
answered on this one. An admin may do in any room what its creator may.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from server.domain.errors import Code, Refusal
from server.domain.ids import USER_ID
from server.ledger import moderation as ledger_moderation
from server.ledger.moderation import Kind
from server.rooms.rooms import RoomInfo
from server.web.http import answer, identity_of, limit_of, read_body, rfc3339, services_of
from server.web.identity import Identity, Role
from server.web.limits import BucketTable
from server.web.moderation_shapes import Listed, NewMute, People, Standing
from server.web.problems import Handler
from server.web.route import Route
from server.web.services import Services
from server.web.shapes import User
from server.web.strict_json import StrictDecoder

ACTS_PER_SECOND = 2.0
ACTS_BURST = 30
ACTORS_REMEMBERED_MAX = 10_000

_ACTS = web.AppKey("moderation by user", BucketTable)
_new_mute = StrictDecoder(NewMute)


def set_up(app: web.Application) -> None:
    """Gives the application what these handlers remember."""
    app[_ACTS] = BucketTable(ACTS_PER_SECOND, ACTS_BURST, size_max=ACTORS_REMEMBERED_MAX)


@dataclass(frozen=True, slots=True)
class _Act:
    """Something one user wants done about another in a room, and may."""

    services: Services
    by: Identity
    room: RoomInfo
    user_id: str


async def name_moderator(request: web.Request) -> web.Response:
    """Make somebody a moderator of one's own room; ends a mute and a ban of theirs."""
    return await _put(await _act(request, creator_only=True), Kind.MODERATOR)


async def dismiss_moderator(request: web.Request) -> web.Response:
    """Take a moderator's part away."""
    return await _lift(await _act(request, creator_only=True), Kind.MODERATOR)


async def mute(request: web.Request) -> web.Response:
    """Keep somebody from chatting in a room for a while."""
    act = await _act(request)
    return await _put(act, Kind.MUTE, (await read_body(request, _new_mute)).seconds)


async def unmute(request: web.Request) -> web.Response:
    """Let somebody chat again."""
    return await _lift(await _act(request), Kind.MUTE)


async def ban(request: web.Request) -> web.Response:
    """Put somebody out of a room until the ban is lifted: no watching, no chat, no gifts."""
    return await _put(await _act(request), Kind.BAN)


async def unban(request: web.Request) -> web.Response:
    """Let somebody into a room again."""
    return await _lift(await _act(request), Kind.BAN)


async def list_moderators(request: web.Request) -> web.Response:
    """A room's moderators."""
    return await _list(request, Kind.MODERATOR)


async def list_mutes(request: web.Request) -> web.Response:
    """Who cannot chat in a room now."""
    return await _list(request, Kind.MUTE)


async def list_bans(request: web.Request) -> web.Response:
    """Who is banned from a room."""
    return await _list(request, Kind.BAN)


async def _act(request: web.Request, *, creator_only: bool = False) -> _Act:
    """Checks that this may be done. Raises Refusal."""
    services, identity, room, in_charge = await keeper_of(request)
    if creator_only and not in_charge:
        raise Refusal(Code.FORBIDDEN, "Only the room's creator names its moderators.")
    user_id = target_of(request)
    if user_id == room.creator_id:
        raise Refusal(Code.FORBIDDEN, "A room's creator can be neither muted nor banned in it.")
    if not in_charge and services.moderation.standing(room.id, user_id).role == "moderator":
        raise Refusal(Code.FORBIDDEN, "Moderators cannot act on each other.")
    pace(request, identity)
    return _Act(services, identity, room, user_id)


async def keeper_of(request: web.Request) -> tuple[Services, Identity, RoomInfo, bool]:
    """Who asks, the room that they keep order in, and whether as its creator. Raises Refusal."""
    services, identity = services_of(request), await identity_of(request)
    room = await services.rooms.info(request.match_info["room"])
    # As it is now: a moderator who was dismissed a moment ago is none, whatever this gateway has heard.
    await services.moderation.learn(room, fresh=True)
    role = services.moderation.standing(room.id, identity.user_id).role
    in_charge = role == "creator" or identity.role is Role.ADMIN
    if not in_charge and role != "moderator":
        raise Refusal(Code.FORBIDDEN, "Only the room's creator and its moderators may do that.")
    return services, identity, room, in_charge


def target_of(request: web.Request) -> str:
    """The user that the address names. Raises Refusal (bad_request)."""
    user_id = request.match_info["user"]
    if not USER_ID.fullmatch(user_id):
        raise Refusal(Code.BAD_REQUEST, "A user id has 1 to 64 characters: letters, digits, and any of _ . @ -")
    return user_id


def pace(request: web.Request, identity: Identity) -> None:
    """Counts one act of moderation. Raises Refusal (rate_limited)."""
    now_s = asyncio.get_running_loop().time()
    bucket = request.app[_ACTS].get(identity.user_id, now_s)
    if not bucket.take(now_s):
        raise Refusal(Code.RATE_LIMITED, retry_ms=bucket.retry_ms())


async def _put(act: _Act, kind: Kind, seconds: int | None = None) -> web.Response:
    await ledger_moderation.put(
        act.services.pool, kind, act.room.id, act.user_id, by_id=act.by.user_id, seconds=seconds
    )
    return await _done(act, kind)


async def _lift(act: _Act, kind: Kind) -> web.Response:
    await ledger_moderation.remove(act.services.pool, kind, act.room.id, act.user_id)
    return await _done(act, kind)


async def _done(act: _Act, kind: Kind) -> web.Response:
    await act.services.moderation.changed(kind, act.room.id)
    standing = act.services.moderation.standing(act.room.id, act.user_id)
    until_s = standing.muted_until_s
    until = rfc3339(datetime.fromtimestamp(until_s, UTC)) if until_s else None
    return answer(Standing(act.user_id, standing.role.value, until, standing.banned, standing.blocked))


async def _list(request: web.Request, kind: Kind) -> web.Response:
    services, _, room, _ = await keeper_of(request)
    return await page_of(request, services, kind, room.id)


async def page_of(request: web.Request, services: Services, kind: Kind, place_id: str) -> web.Response:
    """One page of a list. Raises Refusal (bad_request)."""
    limit, cursor = limit_of(request), request.query.get("cursor")
    entries, following = await ledger_moderation.listing(services.pool, kind, place_id, limit, cursor)
    people = [
        Listed(
            user=User(entry.user_id, entry.user_name),
            until=None if entry.until is None else rfc3339(entry.until),
            by=entry.by_id,
            at=rfc3339(entry.at),
        )
        for entry in entries
    ]
    return answer(People(people, following))


_IN_ROOM = (Code.ROOM_NOT_FOUND, Code.BAD_REQUEST, Code.RATE_LIMITED)


def _of_room(method: str, path: str, handler: Handler, body: type[NewMute] | None = None) -> Route:
    codes = (*_IN_ROOM, Code.LIMIT_EXCEEDED) if method == "PUT" else _IN_ROOM
    return Route(
        method=method, path=f"/rooms/{{room}}/{path}/{{user}}", handler=handler, body=body, answer=Standing, codes=codes
    )


def _list_of_room(path: str, handler: Handler) -> Route:
    return Route(
        method="GET",
        path=f"/rooms/{{room}}/{path}",
        handler=handler,
        answer=People,
        pages=True,
        codes=(Code.ROOM_NOT_FOUND,),
    )


ROUTES = (
    _list_of_room("moderators", list_moderators),
    _of_room("PUT", "moderators", name_moderator),
    _of_room("DELETE", "moderators", dismiss_moderator),
    _list_of_room("mutes", list_mutes),
    _of_room("PUT", "mutes", mute, NewMute),
    _of_room("DELETE", "mutes", unmute),
    _list_of_room("bans", list_bans),
    _of_room("PUT", "bans", ban),
    _of_room("DELETE", "bans", unban),
)
