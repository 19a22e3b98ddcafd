"""The rooms that one session is in: coming, going, chat and likes, and being put out."""

from datetime import UTC, datetime

from msgspec import UNSET

from server.domain import text
from server.domain.errors import Code, Refusal
from server.rooms.rooms import RoomInfo
from server.rooms.standing import Standing
from server.web import client_frames, server_frames
from server.web.client_frames import Chat, Join, Leave, Like
from server.web.connection import Connection
from server.web.economy.entering import NEEDS_TICKET, may_enter
from server.web.http import rfc3339
from server.web.identity import Identity
from server.web.limits import TokenBucket
from server.web.server_frames import write
from server.web.services import Services
from server.web.standing import SHUT_OUT, shut_out


class RoomVisits:
    """What a session does in rooms. Every method but `get`, `stand` and `end` may raise Refusal."""

    def __init__(self, services: Services, connection: Connection) -> None:
        settings = services.settings
        self._services = services
        self._connection = connection
        self._rooms: dict[str, RoomInfo] = {}
        self._watcher: str | None = None
        """Who is here to watch: no overlay."""
        self._told: set[str] = set()
        """Rooms in which the client knows itself as something else than a viewer who may chat."""
        self._likes = TokenBucket(settings.likes_per_second, settings.likes_burst, connection.heard_s)

    def get(self, room_id: str) -> RoomInfo | None:
        """The room, if the session is in it."""
        return self._rooms.get(room_id)

    async def join(self, frame: Join, identity: Identity) -> None:
        if identity.room is not None and frame.room != identity.room:
            raise Refusal(Code.FORBIDDEN)
        rooms_max = self._services.settings.rooms_per_connection_max
        if frame.room not in self._rooms and len(self._rooms) >= rooms_max:
            raise Refusal(Code.LIMIT_EXCEEDED, f"One connection can be in {rooms_max} rooms.")
        room = await self._services.rooms.info(frame.room)
        if room.state != "live":
            raise Refusal(Code.ROOM_ENDED)
        moderation, kept = self._services.moderation, False
        moderation.hold(room.id)
        try:
            await moderation.learn(room)
            standing = await self._enter(frame, identity, room)
            kept = room.id not in self._rooms
            if kept and not identity.read_only:
                self._services.entrances.came(room.id, identity)
            self._rooms[room.id] = room
            if not identity.read_only and identity.user_id != room.creator_id:
                self._watcher = identity.user_id
                self._services.watching.came(identity.user_id, room.id)
        finally:
            if not kept:
                moderation.release(room.id)
        if standing != Standing() or room.id in self._told:
            self._tell(room.id, standing)

    async def _enter(self, frame: Join, identity: Identity, room: RoomInfo) -> Standing:
        hub = self._services.hub
        refusal = self._refusal(room.id, identity)
        if refusal is not None:
            raise refusal
        if not await may_enter(self._services, identity, room):
            raise Refusal(Code.NOT_ELIGIBLE, NEEDS_TICKET)
        frames = await hub.join(self._connection, room.id, frame.since, viewer=not identity.read_only)
        # What happened meanwhile nobody will say again.
        ended = Refusal(Code.ROOM_ENDED) if hub.state(room.id) == "ended" else None
        refusal = ended or self._refusal(room.id, identity)
        if refusal is not None:
            hub.leave(self._connection, room.id)
            raise refusal
        self._connection.write(frames)
        return self._services.moderation.standing(room.id, identity.user_id)

    def _refusal(self, room_id: str, identity: Identity) -> Refusal | None:
        """Why the user may not be in the room, if so."""
        out = shut_out(self._services.moderation, identity, room_id)
        return Refusal(Code.FORBIDDEN, SHUT_OUT) if out else None

    def leave(self, frame: Leave) -> None:
        self._go(frame.room)
        self._connection.answer(write(server_frames.Left(frame.room)))

    async def chat(self, frame: Chat, identity: Identity) -> None:
        if identity.read_only:
            raise Refusal(Code.FORBIDDEN)
        if frame.room not in self._rooms:
            await self._services.rooms.info(frame.room)
            raise Refusal(Code.NOT_JOINED)
        muted_until_s = self._services.moderation.standing(frame.room, identity.user_id).muted_until_s
        if muted_until_s:
            raise _muted(muted_until_s)
        if len(frame.text) > text.CHAT_CHARS_MAX * 4:
            raise Refusal(Code.BAD_REQUEST, f"A chat line has at most {text.CHAT_CHARS_MAX} characters.")
        line = text.clean(frame.text, text.CHAT_CHARS_MAX)
        if not line:
            raise Refusal(Code.BAD_REQUEST, "There is nothing to read in this chat line.")
        badge = self._services.badges.beside(identity.user_id)
        await self._services.rooms.say(frame.room, identity.user_id, identity.name, line, badge)
        self._connection.answer(write(server_frames.Ack(frame.id)))

    async def like(self, frame: Like, identity: Identity) -> None:
        if identity.read_only or frame.room not in self._rooms:
            return
        count = self._likes.take_up_to(self._connection.heard_s, min(frame.count, client_frames.LIKES_PER_FRAME_MAX))
        if count:
            await self._services.rooms.like(frame.room, count)

    def stand(self, room_id: str, identity: Identity) -> None:
        """The user's standing in a room changed: says so, and leaves if it cannot stay."""
        if room_id not in self._rooms:
            return
        refusal = self._refusal(room_id, identity)
        if refusal is not None:
            self._go(room_id)
            self._connection.answer(write(server_frames.Left(room_id, refusal.code, refusal.message)))
        else:
            standing = self._services.moderation.standing(room_id, identity.user_id)
            self._tell(room_id, standing)

    def end(self) -> None:
        """Leaves every room, without a word."""
        for room_id in list(self._rooms):
            self._go(room_id)

    def _tell(self, room_id: str, standing: Standing) -> None:
        if standing == Standing():
            self._told.discard(room_id)
        else:
            self._told.add(room_id)
        until_us = int(standing.muted_until_s * 1_000_000) or UNSET
        self._connection.answer(write(server_frames.RoomStanding(room_id, standing.role.value, until_us)))

    def _go(self, room_id: str) -> None:
        if self._rooms.pop(room_id, None) is not None:
            self._services.hub.leave(self._connection, room_id)
            self._services.moderation.release(room_id)
            if self._watcher is not None:
                self._services.watching.left(self._watcher, room_id)


def _muted(until_s: float) -> Refusal:
    until = datetime.fromtimestamp(until_s, UTC)
    left_ms = max(0, int((until - datetime.now(UTC)).total_seconds() * 1000))
    return Refusal(Code.FORBIDDEN, f"You are muted in this room until {rfc3339(until)}.", retry_ms=left_ms)
