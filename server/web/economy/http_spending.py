"""Items over HTTP: what there is, and buying one; a retry is free of charge, as with gifts."""

import asyncio

from aiohttp import web

from server.domain.catalogue import ItemKind
from server.domain.errors import Code, Refusal
from server.domain.gift import Accepted
from server.domain.ids import GiftId
from server.domain.text import CHAT_CHARS_MAX
from server.economy.spending.spending import Wish
from server.ledger.spending import in_rooms, placements
from server.rooms.rooms import RoomInfo
from server.web.counts import ACCEPTED
from server.web.economy.entering import may_enter
from server.web.economy.spending_rules import message_of, refusal_of
from server.web.economy.spending_shapes import Item, Items, NewSpend, Placement, Placements, TakenDown, TicketHeld
from server.web.http import answer, identity_of, limit_of, read_body, services_of
from server.web.http_gifts import fingerprint_of, gift_refusal, gift_sent, idempotency_id
from server.web.http_moderation import keeper_of, pace
from server.web.route import Route
from server.web.shapes import GiftSent
from server.web.standing import SHUT_OUT, shut_out
from server.web.strict_json import StrictDecoder

PLACEMENTS_SHOWN_MAX = 100
_new_spend = StrictDecoder(NewSpend)

_SPEND_CODES = (
    Code.UNKNOWN_GIFT,
    Code.BAD_COUNT,
    Code.INSUFFICIENT_COINS,
    Code.LIMIT_EXCEEDED,
    Code.RATE_LIMITED,
    Code.BUSY,
    Code.WALLET_BLOCKED,
)


async def list_items(request: web.Request) -> web.Response:
    """What can be bought beside gifts, cheapest first."""
    kind = request.query.get("kind")
    if kind is not None and (kind not in set(ItemKind) or kind == ItemKind.GIFT):
        raise Refusal(Code.BAD_REQUEST, "There is no such kind of item.")
    items = services_of(request).catalogue.items()
    return answer(
        Items(
            [
                Item(item.id, item.kind.value, item.name, item.coins, item.diamonds, item.tier, dict(item.effect))  # type: ignore[arg-type]
                for item in items
                if kind in {None, item.kind}
            ]
        )
    )


async def spend_in_room(request: web.Request) -> web.Response:
    """Buy something in a room or for it: a highlighted comment, an effect, a sticker, a ticket, a placement."""
    await identity_of(request)
    room, _ = await services_of(request).rooms.now(request.match_info["room"])
    return await _spend(request, room)


async def spend(request: web.Request) -> web.Response:
    """Buy something for oneself that belongs to no room."""
    return await _spend(request, None)


async def _spend(request: web.Request, room: RoomInfo | None) -> web.Response:
    services, identity = services_of(request), await identity_of(request)
    request_id = idempotency_id(request)
    body = await read_body(request, _new_spend)
    if len(body.note) > CHAT_CHARS_MAX * 4:
        raise Refusal(Code.BAD_REQUEST, f"A comment has at most {CHAT_CHARS_MAX} characters.")
    clock = asyncio.get_running_loop().time
    asked_s = clock()
    fingerprint = fingerprint_of("spend", room and room.id, body.item, body.count, body.note)
    bought = await services.spending.spend(
        Wish(
            viewer=identity.user_id,
            viewer_name=identity.name,
            item=body.item,
            count=body.count,
            text=body.note,
            room=room,
            request_id=request_id,
            fingerprint=fingerprint,
            refusal=await refusal_of(services, identity, room, body.item),
        )
    )
    services.counts.gift(ACCEPTED if isinstance(bought, Accepted) else bought.code, clock() - asked_s)
    if bought.fingerprint not in {"", fingerprint}:
        raise Refusal(Code.IDEMPOTENCY_CONFLICT)
    if not isinstance(bought, Accepted):
        raise gift_refusal(bought, message_of(bought.code))
    services.balances.changed(identity.user_id)
    services.names.note(identity.user_id, identity.name)
    services.budgets.near(identity.user_id, bought)
    return answer(gift_sent(bought), 201)


async def get_ticket(request: web.Request) -> web.Response:
    """Whether one may enter an exclusive room, and what a ticket costs."""
    services, identity = services_of(request), await identity_of(request)
    room = await services.rooms.info(request.match_info["room"])
    if room.ticket is None:
        raise Refusal(Code.NOT_FOUND, "This room needs no ticket.")
    await services.moderation.learn(room)
    if shut_out(services.moderation, identity, room.id):
        raise Refusal(Code.FORBIDDEN, SHUT_OUT)
    admitted = await may_enter(services, identity, room)
    return answer(TicketHeld(room.id, room.ticket.item, room.ticket.coins, admitted))


async def list_placements(request: web.Request) -> web.Response:
    """How placements of a room are getting on: one's own, or all of them for the room's creator."""
    services, identity = services_of(request), await identity_of(request)
    room = await services.rooms.info(request.match_info["room"])
    buyer = None if identity.user_id == room.creator_id else identity.user_id
    found = await placements.of_room(services.pool, room.id, buyer, limit_of(request, most=PLACEMENTS_SHOWN_MAX))
    return answer(
        Placements(
            [
                Placement(
                    id=str(placement.placement),
                    coins=placement.coins,
                    impressions=placement.impressions,
                    delivered=placement.delivered,
                    returned=placement.returned_coins,
                    state="open" if placement.open else "ended",
                    at=placement.at_us,
                )
                for placement in found
            ]
        )
    )


async def take_down(request: web.Request) -> web.Response:
    """Take a highlighted comment, an effect or a sticker from a room's screen; it stays paid."""
    services, identity, room, _ = await keeper_of(request)
    try:
        gift_id = GiftId.parse(request.match_info["gift"])
    except ValueError:
        raise Refusal(Code.BAD_REQUEST, "This is not the id of a gift.") from None
    pace(request, identity)
    await in_rooms.take_down(services.pool, room.id, gift_id, identity.user_id)
    there = await services.rooms.take_down(room.id, str(gift_id))
    return answer(TakenDown(room.id, str(gift_id), there))


ROUTES = (
    Route(
        method="GET",
        path="/items",
        handler=list_items,
        answer=Items,
        needs_token=False,
        query={"kind": "highlight, effect, sticker, ticket, promote or upgrade; all of them unless given"},
    ),
    Route(
        method="POST",
        path="/rooms/{room}/spend",
        handler=spend_in_room,
        body=NewSpend,
        answer=GiftSent,
        status=201,
        moves_money=True,
        codes=(
            *_SPEND_CODES,
            Code.ROOM_NOT_FOUND,
            Code.ROOM_ENDED,
            Code.SELF_GIFT,
            Code.CONFLICT,
            Code.NOT_ELIGIBLE,
        ),
    ),
    Route(
        method="POST",
        path="/spend",
        handler=spend,
        body=NewSpend,
        answer=GiftSent,
        status=201,
        moves_money=True,
        codes=(*_SPEND_CODES, Code.ROOM_NOT_FOUND),
    ),
    Route(
        method="GET",
        path="/rooms/{room}/ticket",
        handler=get_ticket,
        answer=TicketHeld,
        codes=(Code.ROOM_NOT_FOUND, Code.NOT_FOUND),
    ),
    Route(
        method="DELETE",
        path="/rooms/{room}/shown/{gift}",
        handler=take_down,
        answer=TakenDown,
        codes=(Code.ROOM_NOT_FOUND, Code.BAD_REQUEST, Code.RATE_LIMITED),
    ),
    Route(
        method="GET",
        path="/rooms/{room}/placements",
        handler=list_placements,
        answer=Placements,
        query={"limit": "placements, 20 unless given"},
        codes=(Code.ROOM_NOT_FOUND,),
    ),
)
