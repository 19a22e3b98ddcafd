"""One client's conversation: hello, rooms, gifts, chat, likes. Reading and writing frames is done by others.

A session is *new* until its hello was answered, then *named*, and *closing* once its connection is. Frames are
handled one after the other; only gifts do not wait for each other: their answers come when the wallet has them.
"""

from collections import deque
from collections.abc import Coroutine
from typing import Any

import structlog

from server.domain.errors import Code, Refusal
from server.domain.ids import new_id
from server.stores.failures import STORE_AWAY
from server.web import client_frames, server_frames
from server.web.client_frames import Chat, ClientFrame, FrameError, Gift, Hello, Join, Leave, Like, Ping, Spend
from server.web.close_codes import CloseCode, restart_reason
from server.web.connection import Connection
from server.web.economy.spend_sender import SpendSender
from server.web.frames import PING
from server.web.gift_sender import GiftSender
from server.web.identity import Identity
from server.web.limits import TokenBucket
from server.web.room_visits import RoomVisits
from server.web.server_frames import write
from server.web.services import Services
from server.web.shapes import User

log = structlog.get_logger()

UNAVAILABLE_RETRY_MS = 2000
"""When to come back after a hello that the stores could not answer."""

HEARTBEATS_MISSED_MAX = 2
BAD_FRAMES_WINDOW_S = 60.0


class Session:
    """identity: who the client is, once its hello was taken. came_from: address, and what its program calls itself."""

    def __init__(self, services: Services, connection: Connection, came_from: tuple[str | None, str | None]) -> None:
        settings = services.settings
        now_s = connection.heard_s
        self.id = new_id("s")
        self.connection = connection
        self.identity: Identity | None = None
        self._came_from = came_from
        self.gifts = GiftSender(services, connection)
        self._spends = SpendSender(services, connection, self.gifts)
        self._services = services
        self._visits = RoomVisits(services, connection)
        self._frames = TokenBucket(settings.frames_per_second, settings.frames_burst, now_s)
        self._bad_frames: deque[float] = deque(maxlen=settings.bad_frames_per_minute)
        self._hello_until_s: float | None = now_s + settings.hello_timeout_s
        self._pings_unanswered = 0

    # -- what arrives ----------------------------------------------------------------------------------------------

    def alive(self, now_s: float) -> bool:
        """Something came from the peer. False if it was one thing too many, and the connection is ending."""
        self.connection.heard_s = now_s
        self._pings_unanswered = 0
        if self.connection.closing:
            return False
        if self._frames.take(now_s):
            return True
        self.connection.cut_off(CloseCode.TOO_MANY_FRAMES)
        return False

    def take(self, raw: bytes) -> Coroutine[Any, Any, None] | None:
        """Handles one text frame; what is returned has to be awaited before the next one."""
        try:
            frame = client_frames.read(raw)
        except FrameError as error:
            self.bad_frame(error)
            return None
        if type(frame) is Gift and self.identity is not None:
            return self.gifts.send(frame, self.identity, self._visits.get(frame.room))
        if type(frame) is Spend and self.identity is not None:
            self._spends.send(frame, self.identity, self._visits.get(frame.room))
            return None
        return self._handle(frame)

    def bad_frame(self, error: FrameError | None = None) -> None:
        """Answers a frame that could not be read; too many of them end the connection."""
        now_s = self.connection.heard_s
        if len(self._bad_frames) == self._bad_frames.maxlen and now_s - self._bad_frames[0] < BAD_FRAMES_WINDOW_S:
            self.connection.cut_off(CloseCode.BAD_FRAMES)
            return
        self._bad_frames.append(now_s)
        self._services.counts.bad_frames += 1
        refusal = Refusal(Code.BAD_FRAME)
        request_id = error.request_id if error is not None else None
        if error is None or request_id is None or error.nack is None:
            self.connection.answer(server_frames.error(refusal, request_id=request_id))
        elif error.nack == "gift_nack":
            self.connection.answer(server_frames.gift_nack(request_id, Code.BAD_FRAME))
        else:
            self.connection.answer(server_frames.nack(request_id, refusal))

    async def _handle(self, frame: ClientFrame) -> None:
        try:
            await self._do(frame)
        except Refusal as refusal:
            self._refuse(frame, refusal)
        except STORE_AWAY as error:
            log.debug("a store could not be reached", error=type(error).__name__)
            self._refuse(frame, Refusal(Code.UNAVAILABLE))

    async def _do(self, frame: ClientFrame) -> None:
        identity = self.identity
        if identity is None:
            if isinstance(frame, Hello):
                await self._hello(frame)
            else:
                self.connection.cut_off(CloseCode.UNAUTHORIZED)
            return
        match frame:
            case Join():
                async with self._services.entrance.turn():
                    await self._visits.join(frame, identity)
            case Chat():
                await self._visits.chat(frame, identity)
            case Like():
                await self._visits.like(frame, identity)
            case Leave():
                self._visits.leave(frame)
            case Ping():
                self.connection.answer(
                    write(server_frames.Pong() if frame.ts is None else server_frames.Pong(frame.ts))
                )
            case _:
                self.bad_frame()

    def _refuse(self, frame: ClientFrame, refusal: Refusal) -> None:
        if isinstance(frame, Chat):
            self.connection.answer(server_frames.nack(frame.id, refusal))
        elif isinstance(frame, Hello):
            self.connection.answer(server_frames.error(refusal))
            self.connection.cut_off(CloseCode.RESTART, restart_reason(UNAVAILABLE_RETRY_MS))
        elif not isinstance(frame, Like):
            room = frame.room if isinstance(frame, Join | Leave) else None
            self.connection.answer(server_frames.error(refusal, room=room))

    # -- the frames ------------------------------------------------------------------------------------------------

    async def _hello(self, frame: Hello) -> None:
        self._hello_until_s = None
        services = self._services
        try:
            identity = await services.tokens.verify(frame.token)
        except Refusal as refusal:
            if refusal.code is not Code.UNAUTHORIZED:
                raise
            self.connection.cut_off(CloseCode.UNAUTHORIZED)
            return
        if services.steering.is_banned(identity.user_id):
            self.connection.cut_off(CloseCode.UNAUTHORIZED)
            return
        async with services.entrance.turn():
            # Whoever left while it waited costs no more.
            if not self.connection.transport.is_closing():
                await self._come_in(identity)

    async def _come_in(self, identity: Identity) -> None:
        services = self._services
        if not await services.connections.admit(identity.user_id, self.id):
            self.connection.cut_off(CloseCode.TOO_MANY_CONNECTIONS)
            return
        await services.ages.learn(identity.user_id)
        services.logins.note(identity.user_id, *self._came_from)
        self.identity = identity
        services.sessions.name(self, identity.user_id)
        coins = 0 if identity.read_only else (await services.wallets.balance(identity.user_id)).coins
        self.gifts.coins = coins
        self.connection.answer(
            write(
                server_frames.Welcome(
                    user=User(identity.user_id, identity.name),
                    coins=coins,
                    session=self.id,
                    heartbeat_s=services.settings.heartbeat_s,
                )
            )
        )

    def stand(self, room_id: str) -> None:
        """The user's standing in a room changed."""
        if self.identity is not None:
            self._visits.stand(room_id, self.identity)

    # -- time, and the end -----------------------------------------------------------------------------------------

    def look_after(self, now_s: float, clock_s: float) -> None:
        """What time does to a session: no hello, an expired token, silence. now_s: loop time; clock_s: wall clock."""
        connection = self.connection
        if connection.closing:
            return
        if self._hello_until_s is not None and now_s > self._hello_until_s:
            connection.cut_off(CloseCode.NO_HELLO)
        elif self.identity is not None and clock_s > self.identity.expires_at:
            connection.cut_off(CloseCode.UNAUTHORIZED)
        elif now_s - connection.heard_s > (self._pings_unanswered + 1) * self._services.settings.heartbeat_s:
            if self._pings_unanswered >= HEARTBEATS_MISSED_MAX:
                connection.abort()
            else:
                self._pings_unanswered += 1
                connection.write(PING)

    async def finish(self) -> None:
        """Leaves everything that the session was in."""
        services = self._services
        user_id = None if self.identity is None else self.identity.user_id
        services.sessions.drop(self, user_id)
        self._visits.end()
        if user_id is not None:
            await services.connections.release(user_id, self.id)
