"""A worker's places in its shards' logs: where it reads on, and up to where all of it is in the rooms."""

from collections.abc import Callable

import structlog
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from server.rooms.leases import Leases
from server.rooms.lost_epochs import let_wallets_of_lost_epochs_go, unload_rooms_of_lost_epochs
from server.rooms.shard_log import ENTRIES_PER_READ, Mark, OnMalformed, RoomGift, by_room
from server.stores import keys
from server.stores.redis import is_missing_function

log = structlog.get_logger()

GIFTS_PER_PASS = 50_000
"""After so many gifts a pass stops reading and brings them into their rooms; a read in flight may go past it."""


class LogReader:
    """Reads each gift of the leased shards once, in order; again only after a failure or from another server process.

    on_older(): called when a server process came that may hold less than the one before.
    """

    def __init__(
        self, redis: Redis, leases: Leases, wallet_shards: int, on_malformed: OnMalformed, on_older: Callable[[], None]
    ) -> None:
        self._redis = redis
        self._leases = leases
        self._shards = range(wallet_shards)
        self._on_malformed = on_malformed
        self._on_older = on_older
        self._runs: dict[int, bytes] = {}
        self._openings: dict[int, bytes] = {}
        self._applied: dict[int, Mark] = {}
        self._held_back: set[int] = set()
        self._swept: dict[int, tuple[bytes | None, int]] = {}
        """The server process and epoch of each shard when rooms of lost epochs were last looked for."""
        self.places: dict[int, Mark] = {}
        self.read_from = b""
        """The server process that the gifts of the last read were read from."""

    def forget(self) -> None:
        """Finds all places again at the next read."""
        self._runs.clear()
        self._applied.clear()
        self.places.clear()

    async def read(self) -> tuple[dict[str, list[RoomGift]], bool]:
        """What is new in the logs, by room, and whether there is still more."""
        gifts: dict[str, list[RoomGift]] = {}
        shards = sorted(self._leases.held)
        await self._find_places(shards)
        while shards and sum(len(some) for some in gifts.values()) < GIFTS_PER_PASS:
            pipeline = self._redis.pipeline(transaction=False)
            for shard in shards:
                pipeline.fcall("gs_run", 1, keys.shard(shard))
                pipeline.hmget(keys.shard(shard), "epoch", "opening")
                pipeline.xrange(keys.shard_log(shard), f"({self.places[shard]}", "+", count=ENTRIES_PER_READ)
            answers = await pipeline.execute()
            full: list[int] = []
            for shard, run, held, entries in zip(shards, answers[::3], answers[1::3], answers[2::3], strict=True):
                epoch, opening = held
                if run != self._runs[shard]:
                    self._on_older()
                    del self.places[shard]
                    continue
                self.read_from = run
                self._openings[shard] = opening or b""
                place = by_room(shard, entries, gifts, self._on_malformed)
                # Also while no gift follows: what rooms show of an epoch that is over is wrong by now.
                await self._sweep_once(shard, int(epoch or 0))
                if place is not None:
                    self.places[shard] = place
                if len(entries) >= ENTRIES_PER_READ:
                    full.append(shard)
            shards = full
        return gifts, bool(shards)

    async def move_applied(self, waiting: Callable[[int, Mark], Mark]) -> None:
        """Lets the logs be trimmed up to the places. waiting(shard, place): the place, or before what still waits."""
        pipeline = self._redis.pipeline(transaction=False)
        moved: dict[int, Mark] = {}
        for shard, place in self.places.items():
            mark = waiting(shard, place)
            if mark > self._applied[shard]:
                moved[shard] = mark
                opening = self._openings.get(shard, b"")
                pipeline.fcall("gs_applied", 1, keys.shard(shard), str(mark.epoch), str(mark.number), opening)
        if not moved:
            return
        for (shard, mark), answer in zip(moved.items(), await pipeline.execute(raise_on_error=False), strict=True):
            if not isinstance(answer, Exception):
                # Where the shard was opened anew meanwhile, the next read tells whether it is the same log.
                if answer != b"other":
                    self._applied[shard] = mark
            elif not isinstance(answer, ResponseError) or is_missing_function(answer):
                raise answer
            elif not str(answer).startswith("FENCED") and shard not in self._held_back:
                # A shard that is not open is opened with its next gift; anything else is for the audit to explain.
                self._held_back.add(shard)
                log.error("a log cannot be trimmed", shard=shard, mark=str(mark), error=str(answer)[:200])

    async def _find_places(self, shards: list[int]) -> None:
        """Begins at `applied` where this worker has not read before."""
        for shard in self.places.keys() - set(shards):
            del self.places[shard]
        new = [shard for shard in shards if shard not in self.places]
        if not new:
            return
        pipeline = self._redis.pipeline(transaction=False)
        for shard in new:
            pipeline.fcall("gs_run", 1, keys.shard(shard))
            pipeline.hmget(keys.shard(shard), "epoch", "applied")
        answers = await pipeline.execute()
        for shard, run, (epoch, applied) in zip(new, answers[::2], answers[1::2], strict=True):
            self._runs[shard] = run
            self.places[shard] = self._applied[shard] = Mark(int(epoch or 0), int(applied or 0))
        for shard in new:
            await self._sweep_once(shard, self.places[shard].epoch)

    async def _sweep_once(self, shard: int, epoch: int) -> None:
        """Looks for rooms of lost epochs, once for each server process and epoch."""
        if self._swept.get(shard) == (self._runs[shard], epoch):
            return
        pipeline = self._redis.pipeline(transaction=False)
        for each in self._shards:
            pipeline.hget(keys.shard(each), "epoch")
        epochs = {each: int(held or 0) for each, held in zip(self._shards, await pipeline.execute(), strict=True)}
        await unload_rooms_of_lost_epochs(self._redis, epochs)
        await let_wallets_of_lost_epochs_go(self._redis, epochs)
        self._swept = {each: (self._runs.get(each), held) for each, held in epochs.items()}
