"""The list of live rooms: by rank, and for those who are signed in with a few rooms in places that were paid for."""

from aiohttp import web
from msgspec import UNSET

from server.domain.errors import Code, Refusal
from server.ledger import rooms as ledger_rooms
from server.ledger.rooms import Room as LedgerRoom
from server.rooms.rooms import Totals
from server.stores.failures import REDIS_AWAY
from server.web.economy.opening_tickets import shown_ticket
from server.web.http import answer, identity_if_any, limit_of, rfc3339, services_of
from server.web.route import Route
from server.web.services import Services
from server.web.shapes import Room, Rooms, User

PROMOTED_AT = (1, 5)
"""Where promoted rooms stand in the first page, counted from 0: one for each of `impressions.PLACES`."""
PROMOTED_FROM_LIMIT = 10
"""Shorter pages have no room for any."""


async def list_rooms(request: web.Request) -> web.Response:
    """Live rooms, ranked by what they were given lately, viewers, and promotion."""
    services = services_of(request)
    limit, cursor = limit_of(request), request.query.get("cursor")
    promoted: list[LedgerRoom] = []
    if cursor is None and limit >= PROMOTED_FROM_LIMIT:
        identity = await identity_if_any(request)
        promoted = [] if identity is None else await _promoted(services, identity.user_id)
    page, following = await ledger_rooms.listing(services.pool, limit - len(promoted), cursor)
    paid = {room.id for room in promoted}
    rooms = [room for room in page if room.id not in paid]
    for place, room in zip(PROMOTED_AT, promoted, strict=False):
        rooms.insert(place, room)
    live = await services.rooms.totals([room.id for room in rooms])
    return answer(Rooms([_shown(room, live.get(room.id), promoted=room.id in paid) for room in rooms], following))


async def _promoted(services: Services, viewer: str) -> list[LedgerRoom]:
    """Rooms that were promoted to this viewer just now."""
    try:
        chosen = await services.impressions.choose(viewer)
    except REDIS_AWAY as error:
        raise Refusal(Code.UNAVAILABLE) from error
    live = await ledger_rooms.some_live(services.pool, chosen) if chosen else {}
    return [live[room_id] for room_id in chosen if room_id in live]


def _shown(room: LedgerRoom, live: Totals | None, *, promoted: bool) -> Room:
    diamonds, gifts, viewers = live or (room.diamonds, room.gifts, 0)
    return Room(
        id=room.id,
        title=room.title,
        state=room.state,  # type: ignore[arg-type]
        creator=User(room.creator_id, room.creator_name),
        diamonds=diamonds,
        gifts=gifts,
        viewers=viewers,
        started_at=rfc3339(room.started_at),
        ticket=shown_ticket(room.ticket),
        promoted=True if promoted else UNSET,
    )


ROUTES = (
    Route(
        method="GET",
        path="/rooms",
        handler=list_rooms,
        answer=Rooms,
        needs_token=False,
        pages=True,
    ),
)
