"""What one socket buys beside gifts: looked into before it goes to the wallet, while the socket goes on."""

import asyncio

import structlog

from server.domain.catalogue import SHOWN_KINDS
from server.domain.errors import Code, Refusal
from server.domain.gift import Answer
from server.domain.text import CHAT_CHARS_MAX
from server.economy.spending.spending import Wish
from server.rooms.rooms import RoomInfo
from server.web import server_frames
from server.web.client_frames import Spend
from server.web.connection import Connection
from server.web.economy.spending_rules import message_of, refusal_of
from server.web.gift_sender import IN_FLIGHT_RETRY_MS, GiftSender
from server.web.identity import Identity
from server.web.services import Services

log = structlog.get_logger()


class SpendSender:
    """The purchases of one socket. They count as its gifts in flight, and are answered as gifts are."""

    def __init__(self, services: Services, connection: Connection, gifts: GiftSender) -> None:
        self._services = services
        self._connection = connection
        self._gifts = gifts
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, frame: Spend, identity: Identity, room: RoomInfo | None) -> None:
        """Sends a purchase on its way; room: the frame's, if this connection is in it."""
        if self._gifts.in_flight >= self._services.settings.gifts_in_flight_max:
            self._refuse(frame, Refusal(Code.RATE_LIMITED, retry_ms=IN_FLIGHT_RETRY_MS))
        elif identity.read_only:
            self._refuse(frame, Refusal(Code.FORBIDDEN))
        elif len(frame.note) > CHAT_CHARS_MAX * 4:
            self._refuse(frame, Refusal(Code.BAD_REQUEST, f"A comment has at most {CHAT_CHARS_MAX} characters."))
        else:
            task = asyncio.create_task(self._carry(frame, identity, room), name="spend")
            self._gifts.in_flight += 1
            self._tasks.add(task)
            task.add_done_callback(self._done)

    async def _carry(self, frame: Spend, identity: Identity, room: RoomInfo | None) -> None:
        asked_s = self._connection.heard_s
        try:
            answer = await self._spend(frame, identity, room)
        except Refusal as refusal:
            self._refuse(frame, refusal)
        else:
            self._gifts.tell(frame.id, identity, answer, asked_s, message_of)

    async def _spend(self, frame: Spend, identity: Identity, room: RoomInfo | None) -> Answer:
        services = self._services
        joined = room is not None
        if frame.room:
            # A room that somebody is in may have ended since.
            room = await services.rooms.info(frame.room)
        refusal = await refusal_of(services, identity, room, frame.item)
        item = services.catalogue.item(frame.item)
        if refusal is None and frame.room and not joined and item is not None and item.kind in SHOWN_KINDS:
            refusal = Code.NOT_JOINED
        return await services.spending.spend(
            Wish(
                viewer=identity.user_id,
                viewer_name=identity.name,
                item=frame.item,
                count=frame.count,
                text=frame.note,
                room=room,
                request_id=frame.id,
                refusal=refusal,
            )
        )

    def _refuse(self, frame: Spend, refusal: Refusal) -> None:
        self._connection.answer(
            server_frames.gift_nack(frame.id, refusal.code, message=refusal.message, retry_ms=refusal.retry_ms)
        )

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._gifts.in_flight -= 1
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a purchase failed", exc_info=error)
