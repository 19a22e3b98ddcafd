"""How many viewers a room has: each gateway tells how many members it holds, and is forgotten when it falls silent."""

import asyncio
from collections.abc import Callable, Iterator

import structlog
from redis.asyncio import Redis

from server.settings import Settings
from server.stores import keys
from server.stores.failures import REDIS_AWAY

log = structlog.get_logger()

HEARTBEAT_S = 5.0
EXPIRY_S = 15
"""A gateway that has not told its count for so long has no viewers any more."""

ROOMS_PER_PIPELINE = 200


class Presence:
    """The member counts of one gateway. Changes go out once a tick, all counts once a heartbeat.

    on_position(room, position): what each room answered; None for a room that is not in Redis.
    """

    def __init__(
        self,
        redis: Redis,
        settings: Settings,
        gateway_id: str,
        on_position: Callable[[str, str | None], None],
    ) -> None:
        self._redis = redis
        self._tick_s = settings.tick_ms / 1000
        self._gateway_id = gateway_id
        self._on_position = on_position
        self._members: dict[str, int] = {}
        self._changed: set[str] = set()
        self._wake = asyncio.Event()

    def set(self, room_id: str, members: int) -> None:
        """The room has so many members here now."""
        if members:
            self._members[room_id] = members
        else:
            self._members.pop(room_id, None)
        self._changed.add(room_id)
        self._wake.set()

    async def run(self) -> None:
        """Tells counts until cancelled."""
        loop = asyncio.get_running_loop()
        heartbeat_at_s = loop.time() + HEARTBEAT_S
        while True:
            try:
                async with asyncio.timeout_at(heartbeat_at_s):
                    await self._wake.wait()
            except TimeoutError:
                heartbeat_at_s = loop.time() + HEARTBEAT_S
                self._changed.update(self._members)
            self._wake.clear()
            await self._tell()
            await asyncio.sleep(self._tick_s)

    async def farewell(self) -> None:
        """The gateway stops: its members are gone."""
        self._changed.update(self._members)
        self._members.clear()
        await self._tell()

    async def _tell(self) -> None:
        for rooms in self._take():
            pipeline = self._redis.pipeline(transaction=False)
            for room_id in rooms:
                members = str(self._members.get(room_id, 0))
                pipeline.fcall("gs_room_members", 1, keys.room(room_id), self._gateway_id, members, EXPIRY_S)
            try:
                answers = await pipeline.execute()
                told = list(zip(rooms, answers, strict=True))
                dirty = [room_id for room_id, answer in told if answer and answer[2] == b"1"]
                if dirty:
                    await self._redis.sadd(keys.DIRTY_ROOMS, *dirty)
            except REDIS_AWAY as error:
                # The next heartbeat tells it all again.
                log.warning("viewer counts were not told", error=type(error).__name__)
                return
            for room_id, answer in told:
                self._on_position(room_id, answer[0].decode() if answer else None)

    def _take(self) -> Iterator[list[str]]:
        changed, self._changed = list(self._changed), set()
        for start in range(0, len(changed), ROOMS_PER_PIPELINE):
            yield changed[start : start + ROOMS_PER_PIPELINE]
