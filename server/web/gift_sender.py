"""The gifts of one socket: on their way to the wallet, bounded, each answered when the wallet has answered it."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from server.domain.errors import RULES, Code, Refusal
from server.domain.gift import Accepted, Answer
from server.rooms.rooms import RoomInfo
from server.web import server_frames
from server.web.client_frames import Gift
from server.web.connection import Connection
from server.web.counts import ACCEPTED
from server.web.identity import Identity
from server.web.services import Services
from server.web.standing import SHUT_OUT, shut_out

IN_FLIGHT_RETRY_MS = 100


class GiftSender:
    """coins: the balance that this client was told last. in_flight: gifts not answered yet. answered: those that were.

    A gift that is refused here goes to the wallet all the same, with its refusal: if it was answered before, on this
    connection or another, that answer stands.
    """

    def __init__(self, services: Services, connection: Connection) -> None:
        self.coins: int | None = None
        self.in_flight = 0
        self.answered = 0
        self._services = services
        self._connection = connection
        self._clock = asyncio.get_running_loop().time

    def send(self, frame: Gift, identity: Identity, room: RoomInfo | None) -> Coroutine[Any, Any, None] | None:
        """Sends a gift on its way; room is None for one that this connection is not in. Await what is returned."""
        services = self._services
        if self.in_flight >= services.settings.gifts_in_flight_max:
            self.refuse(frame, Refusal(Code.RATE_LIMITED, retry_ms=IN_FLIGHT_RETRY_MS))
        elif identity.read_only:
            self.refuse(frame, Refusal(Code.FORBIDDEN))
        elif room is None:
            return self._send_from_outside(frame, identity)
        elif services.draining.is_set():
            self._order(frame, identity, room, Code.UNAVAILABLE)
        elif self._shut_out(identity, room):
            self._order(frame, identity, room, Code.FORBIDDEN)
        elif not services.ages.may_give(identity.user_id):
            self._order(frame, identity, room, Code.AGE_RESTRICTED)
        elif services.hub.state(room.id) == "ended":
            self._order(frame, identity, room, Code.ROOM_ENDED)
        else:
            self._order(frame, identity, room, None)
        return None

    def refuse(self, frame: Gift, refusal: Refusal) -> None:
        """Answers a gift that the wallet need not be asked about."""
        self._connection.answer(server_frames.gift_nack(frame.id, refusal.code, retry_ms=refusal.retry_ms))

    async def _send_from_outside(self, frame: Gift, identity: Identity) -> None:
        try:
            room = await self._services.rooms.info(frame.room)
            await self._services.moderation.learn(room)
        except Refusal as refusal:
            self.refuse(frame, refusal)
            return
        if self._shut_out(identity, room):
            self._order(frame, identity, room, Code.FORBIDDEN)
        else:
            self._order(frame, identity, room, Code.ROOM_ENDED if room.state != "live" else Code.NOT_JOINED)

    def _shut_out(self, identity: Identity, room: RoomInfo) -> bool:
        return shut_out(self._services.moderation, identity, room.id)

    def _order(self, frame: Gift, identity: Identity, room: RoomInfo, refusal: Code | None) -> None:
        self.in_flight += 1
        self._services.gifting.send(
            viewer=identity.user_id,
            viewer_name=identity.name,
            room=room,
            gift=frame.gift,
            count=frame.count,
            request_id=frame.id,
            refusal=refusal,
        ).then(partial(self._answered, frame.id, identity, self._connection.heard_s))

    def _answered(self, request_id: str, identity: Identity, asked_s: float, answer: Answer) -> None:
        self.in_flight -= 1
        self.tell(request_id, identity, answer, asked_s, _message)

    def tell(
        self, request_id: str, identity: Identity, answer: Answer, asked_s: float, message_of: Callable[[Code], str]
    ) -> None:
        """Hands the wallet's answer to the client. asked_s: when it asked, loop time."""
        self.answered += 1
        services = self._services
        seconds = self._clock() - asked_s
        if not isinstance(answer, Accepted):
            services.counts.gift(answer.code, seconds)
            nack = server_frames.gift_nack(
                request_id,
                answer.code,
                message=message_of(answer.code),
                coins=answer.coins,
                retry_ms=answer.retry_ms,
                restraint=answer.restraint,
            )
            self._connection.answer(nack)
            return
        services.counts.gift(ACCEPTED, seconds)
        services.balances.changed_by_socket(identity.user_id)
        services.names.note(identity.user_id, identity.name)
        if answer.near:
            services.budgets.near(identity.user_id, answer)
        self.coins = answer.coins
        self._connection.answer(server_frames.gift_ack(request_id, answer))


def _message(code: Code) -> str:
    """The sentence for a refused gift."""
    return SHUT_OUT if code is Code.FORBIDDEN else RULES[code].message
