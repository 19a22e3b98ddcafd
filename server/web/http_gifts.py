"""Gifts over HTTP: the catalogue, and sending one, for services.

A retry is free of charge as on the socket: the Idempotency-Key is the request id, and the wallet remembers its
answer. It lives in a name space of its own, longer than any id that a socket may use.
"""

import asyncio
import hashlib
import re

import msgspec
from aiohttp import web
from msgspec import UNSET

from server.domain.errors import Code, Refusal
from server.domain.gift import Accepted, Refused
from server.domain.ids import new_id
from server.web.counts import ACCEPTED
from server.web.economy.entering import may_enter
from server.web.http import answer, identity_of, read_body, services_of
from server.web.route import Route
from server.web.shapes import GiftKind, GiftKinds, GiftSent, NewGift
from server.web.standing import SHUT_OUT, shut_out
from server.web.strict_json import StrictDecoder

_KEY = re.compile(r"[\x21-\x7e]{1,64}", re.ASCII)
_new_gift = StrictDecoder(NewGift)


async def list_gifts(request: web.Request) -> web.Response:
    """The gifts that can be bought, cheapest first."""
    kinds = services_of(request).catalogue.public()
    return answer(GiftKinds(msgspec.convert(kinds, list[GiftKind])))


async def send_gift(request: web.Request) -> web.Response:
    """Send a gift."""
    services, identity = services_of(request), await identity_of(request)
    request_id = idempotency_id(request)
    body = await read_body(request, _new_gift)
    room, _ = await services.rooms.now(request.match_info["room"])
    await services.moderation.learn(room)
    await services.ages.learn(identity.user_id)
    refusal = Code.FORBIDDEN if shut_out(services.moderation, identity, room.id) else None
    if refusal is None and not services.ages.may_give(identity.user_id):
        refusal = Code.AGE_RESTRICTED
    if refusal is None and not await may_enter(services, identity, room):
        refusal = Code.NOT_ELIGIBLE
    clock = asyncio.get_running_loop().time
    asked_s = clock()
    fingerprint = fingerprint_of(room.id, body.gift, body.count)
    sent = await services.gifting.send(
        viewer=identity.user_id,
        viewer_name=identity.name,
        room=room,
        gift=body.gift,
        count=body.count,
        request_id=request_id,
        fingerprint=fingerprint,
        refusal=Code.UNAVAILABLE if services.draining.is_set() else refusal,
    )
    services.counts.gift(ACCEPTED if isinstance(sent, Accepted) else sent.code, clock() - asked_s)
    # An answer that was restored from the ledger has lost its fingerprint, and is believed.
    if sent.fingerprint not in {"", fingerprint}:
        raise Refusal(Code.IDEMPOTENCY_CONFLICT)
    if not isinstance(sent, Accepted):
        raise gift_refusal(sent, SHUT_OUT if sent.code is Code.FORBIDDEN else None)
    services.balances.changed(identity.user_id)
    services.names.note(identity.user_id, identity.name)
    services.budgets.near(identity.user_id, sent)
    return answer(gift_sent(sent), 201)


def gift_sent(sent: Accepted) -> GiftSent:
    """An accepted gift as HTTP tells it."""
    near = list(sent.near) if sent.near else UNSET
    return GiftSent(str(sent.gift_id), sent.coins, sent.combo, sent.at_us, near)


def gift_refusal(sent: Refused, message: str | None) -> Refusal:
    """A refused gift as HTTP tells it, with the code's own sentence unless there is another."""
    if sent.restraint is not None:
        message = sent.restraint.message
    return Refusal(sent.code, message, retry_ms=sent.retry_ms, restraint=sent.restraint)


def idempotency_id(request: web.Request) -> str:
    """The request id that the Idempotency-Key stands for, or a fresh one. Raises Refusal (bad_request)."""
    keys = request.headers.getall("Idempotency-Key", [])
    if not keys:
        return new_id("http")
    if len(keys) > 1 or not _KEY.fullmatch(keys[0]):
        raise Refusal(Code.BAD_REQUEST, "An Idempotency-Key has 1 to 64 visible ASCII characters.")
    return "http:" + hashlib.sha256(keys[0].encode()).hexdigest()


def fingerprint_of(*parts: object) -> str:
    """Tells bodies apart: the same parts give the same few characters."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


ROUTES = (
    Route(
        method="GET",
        path="/gifts",
        handler=list_gifts,
        answer=GiftKinds,
        needs_token=False,
    ),
    Route(
        method="POST",
        path="/rooms/{room}/gifts",
        handler=send_gift,
        body=NewGift,
        answer=GiftSent,
        status=201,
        moves_money=True,
        codes=(
            Code.ROOM_NOT_FOUND,
            Code.ROOM_ENDED,
            Code.UNKNOWN_GIFT,
            Code.BAD_COUNT,
            Code.INSUFFICIENT_COINS,
            Code.SELF_GIFT,
            Code.LIMIT_EXCEEDED,
            Code.RATE_LIMITED,
            Code.BUSY,
            Code.WALLET_BLOCKED,
            Code.AGE_RESTRICTED,
            Code.FORBIDDEN,
            Code.NOT_ELIGIBLE,
        ),
    ),
)
