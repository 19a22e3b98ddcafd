"""Asking Redis about a room: a snapshot of it, and the frames after a position when all of them are there."""

import asyncio
from typing import Any, NamedTuple

from redis.asyncio import Redis

from server.domain.errors import Code, Refusal
from server.rooms.feed import Encode, Frame, Position, Snapshot
from server.rooms.presence import EXPIRY_S
from server.rooms.rooms import Rooms
from server.stores import keys
from server.stores.failures import REDIS_AWAY


class Answer(NamedTuple):
    """A room as it is now, and what followed the position asked about.

    recovered: nothing that followed is missing. frames: those frames; None when the feed's ring holds them.
    """

    snapshot: Snapshot
    state: str
    recovered: bool
    frames: list[Frame] | None


class Asker:
    """Asks for one gateway; each question also tells how many viewers the gateway has in the room."""

    def __init__(self, redis: Redis, rooms: Rooms, gateway_id: str, encode: Encode) -> None:
        self._redis = redis
        self._rooms = rooms
        self._gateway_id = gateway_id
        self._encode = encode
        self._loop = asyncio.get_running_loop()

    async def ask(self, room_id: str, viewers: int, since: Position | None) -> Answer:
        """The room, loaded first if it must be. Raises Refusal (room_not_found, unavailable)."""
        arguments = (self._gateway_id, str(viewers), str(EXPIRY_S), str(since or ""))
        for _ in range(2):
            try:
                row = await self._redis.fcall("gs_room_join", 1, keys.room(room_id), *arguments)
                if row and row[3] == b"1":
                    await self._redis.sadd(keys.DIRTY_ROOMS, room_id)
            except REDIS_AWAY as error:
                raise Refusal(Code.UNAVAILABLE) from error
            if row:
                return self._read(row)
            await self._rooms.load(room_id)
        raise Refusal(Code.UNAVAILABLE)

    def _read(self, row: list[Any]) -> Answer:
        position = Position.parse(row[0].decode())
        assert position is not None
        frames = [
            Frame(int(entry_id.partition(b"-")[2]), kind, self._encode(frame))
            for entry_id, (_, kind, _, frame) in row[5]
        ]
        return Answer(Snapshot(position, row[2], self._loop.time()), row[1].decode(), row[4] == b"1", frames)
