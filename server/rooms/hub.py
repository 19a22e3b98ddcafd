"""Rooms to screens: one subscription for each room with members here, and one write per member and tick.

A frame arrives finished; the hub reads only the header before it (`<kind> <position> `). The first frame after a quiet
tick goes out at once, what follows within the tick goes together. Wherever a frame may be missing (a jump in positions,
a new subscription), the room's log is asked; when the log cannot say either, members begin anew with a fresh `joined`.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from redis.asyncio import Redis

from server.domain.errors import Code, Refusal
from server.rooms.asking import Asker
from server.rooms.feed import Encode, Member, Position
from server.rooms.hub_room import CATCH_UPS_MAX, HubRoom, HubRoomParts
from server.rooms.listener import Listener
from server.rooms.presence import Presence
from server.rooms.rooms import Rooms
from server.settings import Settings
from server.stores import keys

JOIN_TIMEOUT_S = 4.0
LINGER_S = 5.0
"""How long a room stays subscribed after its last member left."""


class Hub:
    """All rooms that have members in this gateway.

    rooms: loads rooms that are not in Redis. encode: makes a socket's text frame of a payload.
    """

    def __init__(self, redis: Redis, rooms: Rooms, settings: Settings, gateway_id: str, *, encode: Encode) -> None:
        self._rooms = rooms
        self._open: dict[str, HubRoom] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._presence = Presence(redis, settings, gateway_id, self._on_position)
        self._listener = Listener(
            redis, gateway_id, on_message=self._on_message, on_subscribed=self._on_subscribed, on_lost=self._on_lost
        )
        self._parts = HubRoomParts(
            asker=Asker(redis, rooms, gateway_id, encode),
            settings=settings,
            encode=encode,
            on_viewers=self._presence.set,
            on_ended=rooms.note_ended,
            spawn=self._spawn,
            catch_ups=asyncio.Semaphore(CATCH_UPS_MAX),
        )

    async def run(self) -> None:
        """Serves rooms until cancelled; then tells the rooms that this gateway's members are gone."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listener.run())
                group.create_task(self._presence.run())
                self._group = group
                try:
                    await self._close_idle_rooms()
                finally:
                    self._group = None
        finally:
            await self._presence.farewell()

    def healthy(self) -> bool:
        """Whether the gateway hears what is published: it heard itself lately."""
        return self._listener.healthy()

    def state(self, room_id: str) -> str | None:
        """`live` or `ended`, known at once for rooms with members here; None for others."""
        room = self._open.get(room_id)
        return room.feed.state if room else None

    def members(self) -> int:
        """Members of all rooms here (for the metrics)."""
        return sum(len(room.feed.members) for room in self._open.values())

    async def join(self, member: Member, room_id: str, since: str | None = None, *, viewer: bool = True) -> bytes:
        """Makes the member one of the room's and answers its first socket frames: `joined`, then what it missed.

        The caller writes them at once, before anything else is awaited: what follows them comes with the next tick.
        A member that joins again begins anew. viewer: whether it counts as one.
        Raises Refusal (room_not_found, unavailable).
        """
        asked = Position.parse(since) if since else None
        await self._rooms.info(room_id)
        try:
            async with asyncio.timeout(JOIN_TIMEOUT_S):
                room = await self._listen_to(room_id)
                return await room.join(member, asked, viewer=viewer)
        except TimeoutError as error:
            raise Refusal(Code.UNAVAILABLE) from error

    def leave(self, member: Member, room_id: str) -> None:
        """The member gets nothing more of the room. Leaving a room that was not joined changes nothing."""
        room = self._open.get(room_id)
        if room is not None:
            room.leave(member)

    async def _listen_to(self, room_id: str) -> HubRoom:
        room = self._open.get(room_id)
        if room is None:
            if self._group is None:
                raise Refusal(Code.UNAVAILABLE)
            room = self._open[room_id] = HubRoom(room_id, self._parts)
            self._tasks[room_id] = self._group.create_task(room.run(), name=f"room-{room_id}")
            await self._listener.subscribe(_channel(room_id))
        return room

    async def _close_idle_rooms(self) -> None:
        while True:
            await asyncio.sleep(LINGER_S / 5)
            for room_id, room in list(self._open.items()):
                if room.idle_for_s() > LINGER_S:
                    del self._open[room_id]
                    self._tasks.pop(room_id).cancel()
                    await self._listener.unsubscribe(_channel(room_id))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Beside the rooms' own tasks; a failure ends the hub, as theirs does."""
        if self._group is None:
            work.close()
        else:
            self._group.create_task(work)

    # What the listener and the heartbeat hear

    def _on_message(self, channel: bytes, payload: bytes) -> None:
        room = self._open.get(keys.read_room_channel(channel))
        kind, _, rest = payload.partition(b" ")
        position_text, _, frame = rest.partition(b" ")
        position = Position.parse(position_text.decode("ascii", "replace"))
        if room is not None and position is not None:
            room.hear(position, kind, frame)

    def _on_subscribed(self, channel: bytes) -> None:
        room = self._open.get(keys.read_room_channel(channel))
        if room is not None:
            room.subscribed.set()
            room.look_again()

    def _on_lost(self) -> None:
        for room in self._open.values():
            room.subscribed.clear()

    def _on_position(self, room_id: str, position_text: str | None) -> None:
        """What a heartbeat learnt: the room may have gone on, or be gone, without our hearing of it."""
        room = self._open.get(room_id)
        if room is None or room.feed.incarnation is None:
            return
        position = Position.parse(position_text) if position_text else None
        if position is None or position.incarnation != room.feed.incarnation or position.n > room.feed.head:
            room.look_again()


def _channel(room_id: str) -> bytes:
    return keys.room_channel(room_id).encode()
