"""Rooms that are not in Redis while gifts for them are in the logs: loaded from the ledger, some at a time."""

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import partial

import structlog
from redis.asyncio import Redis

from server.rooms.loading import RoomStaleError, load_room
from server.rooms.shard_log import Mark, RoomGift
from server.stores.failures import STORE_AWAY
from server.stores.postgres import Pool

log = structlog.get_logger()

WAITING_ROOMS_MAX = 10_000
"""Rooms that may wait; past it reading stops until some are loaded."""

LOADS_MAX = 8
LOAD_RETRY_S = 1.0
MISSING_ROOMS_MAX = 10_000
MISSING_ROOM_S = 60.0
"""How long a room that the ledger does not have is not asked for again."""


class WaitingRooms:
    """Which rooms wait, and where their first gifts stand in the logs.

    on_loaded(room): it is in Redis now, and must be brought up to date.
    """

    def __init__(self, redis: Redis, pool: Pool, on_loaded: Callable[[str], None]) -> None:
        self._redis = redis
        self._pool = pool
        self._on_loaded = on_loaded
        self._first: dict[str, dict[int, Mark]] = {}
        """For each shard the mark just before the first gift that waits."""
        self._loads: dict[str, asyncio.Task[None]] = {}
        self._again_at_s: dict[str, float] = {}
        self._missing: OrderedDict[str, float] = OrderedDict()
        self.missing_count = 0

    def __contains__(self, room: str) -> bool:
        return room in self._first

    def __len__(self) -> int:
        return len(self._first)

    @property
    def full(self) -> bool:
        return len(self._first) >= WAITING_ROOMS_MAX

    def wait(self, room: str, gifts: Iterable[RoomGift] = ()) -> None:
        """The room waits; its gifts stay in the log."""
        first = self._first.setdefault(room, {})
        for gift in gifts:
            before = Mark(gift.epoch, gift.record.number - 1)
            first[gift.shard] = min(first.get(gift.shard, before), before)

    def done(self, room: str) -> None:
        """Nothing of the room waits any more."""
        self._first.pop(room, None)

    def before_first(self, shard: int, place: Mark) -> Mark:
        """The place, or before the first gift of the shard that waits."""
        return min([place, *(first[shard] for first in self._first.values() if shard in first)])

    def is_missing(self, room: str) -> bool:
        """Whether the ledger said lately that it has no such room."""
        until_s = self._missing.get(room)
        return until_s is not None and until_s > time.monotonic()

    def load_some(self, loaded: set[str]) -> None:
        """Begins loading rooms, beside whatever else goes on; `loaded` are there already."""
        now_s = time.monotonic()
        for room in self._first:
            if len(self._loads) >= LOADS_MAX:
                return
            if room not in loaded and room not in self._loads and self._again_at_s.get(room, 0.0) <= now_s:
                task = self._loads[room] = asyncio.create_task(self._load(room), name=f"load-{room}")
                # Not in the task itself: one that is cancelled before its first step does nothing of what it should.
                task.add_done_callback(partial(self._ended, room))

    def forget(self) -> None:
        """Forgets who waits: their gifts are read again."""
        self._first.clear()
        self._again_at_s.clear()

    async def settled(self) -> None:
        """Returns when no load is under way."""
        await asyncio.gather(*self._loads.values(), return_exceptions=True)

    async def close(self) -> None:
        """Gives up what is being loaded; who goes on afterwards, to drain, begins with it at once."""
        for task in self._loads.values():
            task.cancel()
        await self.settled()
        self._again_at_s.clear()

    async def _load(self, room: str) -> None:
        self._again_at_s[room] = time.monotonic() + LOAD_RETRY_S * random.uniform(0.5, 1.5)  # noqa: S311 - jitter
        try:
            if await load_room(self._redis, self._pool, room):
                self._on_loaded(room)
            else:
                self._miss(room)
            self._again_at_s.pop(room, None)
        except (*STORE_AWAY, RoomStaleError) as error:
            log.warning("a room waits to be loaded", room=room, error=f"{type(error).__name__}: {error}"[:200])

    def _ended(self, room: str, _: "asyncio.Task[None]") -> None:
        del self._loads[room]

    def _miss(self, room: str) -> None:
        """The ledger does not have this room: its gifts are the quarantine's, not ours."""
        self.done(room)
        self.missing_count += 1
        log.error("gifts for a room that the ledger does not have", room=room)
        self._missing[room] = time.monotonic() + MISSING_ROOM_S
        self._missing.move_to_end(room)
        if len(self._missing) > MISSING_ROOMS_MAX:
            self._missing.popitem(last=False)
