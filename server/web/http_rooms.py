"""Rooms over HTTP: opening and ending them, one room, its ranking, and a token for its overlay."""

import asyncio
from datetime import UTC, datetime

from aiohttp import web

from server.domain import text
from server.domain.errors import Code, Refusal
from server.rooms.rooms import RoomInfo
from server.web.economy.entering import NEEDS_TICKET, may_enter
from server.web.economy.looks import with_looks
from server.web.economy.opening_tickets import shown_ticket, ticket_of
from server.web.http import answer, identity_of, limit_of, read_body, rfc3339, services_of
from server.web.identity import Identity, Role
from server.web.limits import BucketTable
from server.web.route import Route
from server.web.services import Services
from server.web.shapes import NewRoom, OverlayToken, Room, Top, User
from server.web.standing import SHUT_OUT, shut_out
from server.web.strict_json import StrictDecoder
from server.web.tokens import issue_token

OVERLAY_TOKEN_TTL_S = 365 * 24 * 3600
"""An overlay stands in a streaming program for months; its token can do nothing but watch."""

TOP_DEFAULT = 10

OPENED_PER_SECOND = 0.2
OPENED_BURST = 10
OPENERS_REMEMBERED_MAX = 10_000

_OPENED = web.AppKey("rooms opened by user", BucketTable)
_new_room = StrictDecoder(NewRoom)


def set_up(app: web.Application) -> None:
    """Gives the application what these handlers remember."""
    app[_OPENED] = BucketTable(OPENED_PER_SECOND, OPENED_BURST, size_max=OPENERS_REMEMBERED_MAX)


async def open_room(request: web.Request) -> web.Response:
    """Open a room as its creator."""
    services, identity = services_of(request), await identity_of(request)
    if identity.role is Role.VIEWER and not services.settings.demo:
        raise Refusal(Code.FORBIDDEN)
    await services.ages.check(identity.user_id)
    body = await read_body(request, _new_room)
    title = text.clean(body.title, text.TITLE_CHARS_MAX)
    if not title:
        raise Refusal(Code.BAD_REQUEST, "A room needs a title.")
    now_s = asyncio.get_running_loop().time()
    bucket = request.app[_OPENED].get(identity.user_id, now_s)
    if not bucket.take(now_s):
        raise Refusal(Code.RATE_LIMITED, retry_ms=bucket.retry_ms())
    ticket = ticket_of(services.catalogue, body)
    room = await services.rooms.open(identity.user_id, identity.name, title, ticket)
    return answer(await _shown(services, room.id), 201)


async def end_room(request: web.Request) -> web.Response:
    """End one's own room; ending it again changes nothing."""
    services, identity = services_of(request), await identity_of(request)
    room = await _own_room(services, request, identity)
    if room.state == "live":
        await services.rooms.end(room.id)
    return answer(await _shown(services, room.id))


async def get_room(request: web.Request) -> web.Response:
    """One room."""
    services = services_of(request)
    return answer(await _shown(services, request.match_info["room"]))


async def get_top(request: web.Request) -> web.Response:
    """The room's gifters, the highest first; those of an exclusive room are for whoever may enter it."""
    services = services_of(request)
    limit = limit_of(request, TOP_DEFAULT, services.settings.top_panel_size)
    room = await services.rooms.info(request.match_info["room"])
    if room.ticket is not None:
        identity = await identity_of(request)
        await services.moderation.learn(room)
        if shut_out(services.moderation, identity, room.id):
            raise Refusal(Code.FORBIDDEN, SHUT_OUT)
        if not await may_enter(services, identity, room):
            raise Refusal(Code.NOT_ELIGIBLE, NEEDS_TICKET)
    top = await services.rooms.top(request.match_info["room"], limit)
    return answer(Top(await with_looks(services.badges, top)))  # type: ignore[arg-type]


async def overlay_token(request: web.Request) -> web.Response:
    """A token for the overlay of one's own room; it can only watch."""
    services, identity = services_of(request), await identity_of(request)
    room = await _own_room(services, request, identity)
    token = issue_token(
        services.settings,
        f"overlay.{room.id}"[:64],
        room.title,
        Role.VIEWER,
        OVERLAY_TOKEN_TTL_S,
        room=room.id,
        read_only=True,
    )
    # In the fragment: what stands there reaches no server and no log.
    return answer(OverlayToken(token, f"/overlay/{room.id}#token={token}"))


async def _own_room(services: Services, request: web.Request, identity: Identity) -> RoomInfo:
    room = await services.rooms.info(request.match_info["room"])
    if identity.user_id != room.creator_id and identity.role is not Role.ADMIN:
        raise Refusal(Code.FORBIDDEN)
    return room


async def _shown(services: Services, room_id: str) -> Room:
    room, totals = await services.rooms.now(room_id)
    return Room(
        id=room.id,
        title=room.title,
        state=room.state,  # type: ignore[arg-type]
        creator=User(room.creator_id, room.creator_name),
        diamonds=totals.diamonds,
        gifts=totals.gifts,
        viewers=totals.viewers,
        started_at=rfc3339(datetime.fromtimestamp(room.started_at_us / 1e6, UTC)),
        ticket=shown_ticket(room.ticket),
    )


ROUTES = (
    Route(
        method="POST",
        path="/rooms",
        handler=open_room,
        body=NewRoom,
        answer=Room,
        status=201,
        codes=(Code.FORBIDDEN, Code.RATE_LIMITED, Code.UNKNOWN_GIFT, Code.AGE_RESTRICTED),
    ),
    Route(
        method="GET",
        path="/rooms/{room}",
        handler=get_room,
        answer=Room,
        needs_token=False,
        codes=(Code.ROOM_NOT_FOUND,),
    ),
    Route(
        method="POST",
        path="/rooms/{room}/end",
        handler=end_room,
        answer=Room,
        codes=(Code.ROOM_NOT_FOUND, Code.FORBIDDEN),
    ),
    Route(
        method="GET",
        path="/rooms/{room}/top",
        handler=get_top,
        answer=Top,
        needs_token=False,
        query={"limit": "places, 10 unless given"},
        codes=(Code.ROOM_NOT_FOUND, Code.UNAUTHORIZED, Code.FORBIDDEN, Code.NOT_ELIGIBLE),
    ),
    Route(
        method="GET",
        path="/rooms/{room}/overlay-token",
        handler=overlay_token,
        answer=OverlayToken,
        codes=(Code.ROOM_NOT_FOUND, Code.FORBIDDEN),
    ),
)
