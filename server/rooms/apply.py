"""Log → rooms: every gift of the wallet shards' logs is counted in its room exactly once, and shown in one delta.

Once a tick the reader takes what is new in the logs of its shards, groups it by room, and calls `gs_room_tick` for each
room. A room keeps, beside its totals, how far it has counted each shard; a call moves these marks from what is expected
to what is new, or changes nothing and tells the marks. So a call may be repeated, and two readers may do the same work.

A room that is not in Redis is loaded from the ledger; its gifts wait in the log. It is then brought up to date from its
oldest mark on, before anything else is counted in it. `applied`, behind which a log may be trimmed, stays before what
waits.
"""

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from server.rooms.leases import Leases
from server.rooms.loading import RoomStaleError, load_room, unload_room
from server.rooms.lost_epochs import unload_rooms_of_lost_epochs
from server.rooms.room_tick import Held, Tick, question, read_marks, ticks_of
from server.rooms.shard_log import ENTRIES_PER_READ, START, Mark, RoomGift, by_room, trimmed_marks, trimmed_past
from server.settings import Settings
from server.stores import keys
from server.stores.failures import REDIS_AWAY, STORE_AWAY
from server.stores.postgres import Pool
from server.stores.redis import is_missing_function, load_functions

log = structlog.get_logger()

GIFTS_PER_PASS = 50_000
"""After so many gifts a pass stops reading and brings them into their rooms; a read in flight may go past it."""

CALLS_PER_PIPELINE = 100
GIFTS_PER_PIPELINE = 5_000
"""So that no pipeline takes longer than a reply is waited for, on a machine that is busy."""

DIRTY_ROOMS_PER_PASS = 500
KNOWN_ROOMS_MAX = 20_000
"""Rooms whose marks are remembered, the longest untouched dropped first; one that is not costs a second call."""

MISSING_ROOMS_MAX = 10_000
MISSING_ROOM_S = 60.0
"""How long a room that the ledger does not have is not asked for again."""

LOADS_MAX = 8
LOAD_RETRY_S = 1.0
WAITING_ROOMS_MAX = 10_000
"""Rooms that may wait to be loaded; past it reading stops until some are."""

TRIES_PER_PASS = 4
BACKOFF_FIRST_S = 0.05
BACKOFF_MAX_S = 2.0


@dataclass(slots=True)
class ReaderCounts:
    """What a reader did since it started."""

    gifts: int = 0
    ticks: int = 0
    malformed: int = 0
    missing_rooms: int = 0


class RoomsReader:
    """Reads the logs of this worker's shards into the rooms."""

    def __init__(self, redis: Redis, pool: Pool, settings: Settings, worker_id: str) -> None:
        self._redis = redis
        self._pool = pool
        self._shards = range(settings.wallet_shards)
        self._log_max = settings.room_log_deltas
        self._tick_s = settings.tick_ms / 1000
        self._drain_timeout_s = settings.drain_timeout_s
        self._leases = Leases(redis, settings.wallet_shards, worker_id)
        self.counts = ReaderCounts()
        self._runs: dict[int, bytes] = {}
        self._places: dict[int, Mark] = {}
        self._applied: dict[int, Mark] = {}
        self._known: OrderedDict[str, Held] = OrderedDict()
        self._dirty: set[str] = set()
        self._owed: dict[str, dict[int, Mark]] = {}
        """Rooms with gifts that wait in the logs: for each shard the mark just before the first of them."""
        self._behind: set[str] = set()
        """Rooms that are loaded and must be brought up to date."""
        self._older: set[str] = set()
        """Rooms that count less than they once did, as their Redis was replaced by an older one: to be loaded anew."""
        self._loads: dict[str, asyncio.Task[None]] = {}
        self._load_again_at: dict[str, float] = {}
        self._missing: OrderedDict[str, float] = OrderedDict()
        self._reported: set[tuple[int, bytes]] = set()
        self._swept = False

    async def run(self, stop: asyncio.Event) -> None:
        """Works until `stop`; stores that are away are waited for."""
        loop = asyncio.get_running_loop()
        backoff_s = BACKOFF_FIRST_S
        try:
            while not stop.is_set():
                began_s = loop.time()
                try:
                    await self._leases.renew()
                    more = await self.apply_once()
                    pause_s = 0.0 if more else max(0.0, began_s + self._tick_s - loop.time())
                    backoff_s = BACKOFF_FIRST_S
                except REDIS_AWAY as error:
                    log.warning("rooms wait for Redis", error=f"{type(error).__name__}: {error}"[:200])
                    await self._start_over(error)
                    backoff_s = min(backoff_s * 2, BACKOFF_MAX_S)
                    pause_s = random.uniform(0, backoff_s)  # noqa: S311 - jitter
                await _sleep_unless(stop, pause_s)
        finally:
            loads = list(self._loads.values())
            for task in loads:
                task.cancel()
            await asyncio.gather(*loads, return_exceptions=True)
            try:
                await self._leases.give_up()
            except REDIS_AWAY:
                log.warning("leases were left to expire")

    async def drain(self) -> None:
        """Brings all that its shards' logs hold into the rooms. Raises TimeoutError after the drain timeout."""
        async with asyncio.timeout(self._drain_timeout_s):
            while True:
                await self._leases.renew()
                before = dict(self._places)
                more = await self.apply_once()
                if before == self._places and not (more or self._owed or self._behind or self._dirty):
                    break
                if not more:
                    await asyncio.sleep(self._tick_s / 4)
            await self._leases.give_up()

    async def apply_once(self) -> bool:
        """One pass; True when more is waiting in the logs. Raises RedisError, OSError when Redis is away."""
        gifts, more = await self._read()
        await self._take_dirty()
        for room in [room for room in gifts if room in self._missing]:
            del gifts[room]
        for room in self._owed.keys() & gifts.keys():
            self._owe(room, gifts.pop(room))
        await self._bring(gifts)
        await self._bring_behind()
        self._load_missing()
        await self._move_applied()
        return more and len(self._owed) < WAITING_ROOMS_MAX

    # Reading

    async def _read(self) -> tuple[dict[str, list[RoomGift]], bool]:
        """What is new in the logs, by room, and whether there is still more."""
        gifts: dict[str, list[RoomGift]] = {}
        if len(self._owed) >= WAITING_ROOMS_MAX:
            return gifts, False
        open_shards = sorted(self._leases.held)
        await self._find_places(open_shards)
        while open_shards and sum(len(some) for some in gifts.values()) < GIFTS_PER_PASS:
            pipeline = self._redis.pipeline(transaction=False)
            for shard in open_shards:
                pipeline.fcall("gs_run", 1, keys.shard(shard))
                pipeline.xrange(keys.shard_log(shard), f"({self._places[shard]}", "+", count=ENTRIES_PER_READ)
            answers = await pipeline.execute()
            full: list[int] = []
            for shard, run, entries in zip(open_shards, answers[::2], answers[1::2], strict=True):
                if run != self._runs[shard]:
                    # Another server process, which may hold less than before: the place is found anew.
                    self._known.clear()
                    del self._places[shard]
                    continue
                place = by_room(shard, entries, gifts, self._on_malformed)
                if place is not None:
                    await self._note_epoch(self._places[shard].epoch, place.epoch)
                    self._places[shard] = place
                if len(entries) >= ENTRIES_PER_READ:
                    full.append(shard)
            open_shards = full
        return gifts, bool(open_shards)

    async def _find_places(self, shards: list[int]) -> None:
        """Begins at `applied` where this reader has not read before."""
        for shard in self._places.keys() - set(shards):
            del self._places[shard]
        new = [shard for shard in shards if shard not in self._places]
        pipeline = self._redis.pipeline(transaction=False)
        for shard in new:
            pipeline.fcall("gs_run", 1, keys.shard(shard))
            pipeline.hmget(keys.shard(shard), "epoch", "applied")
        answers = await pipeline.execute() if new else []
        for shard, run, (epoch, applied) in zip(new, answers[::2], answers[1::2], strict=True):
            self._runs[shard] = run
            self._places[shard] = self._applied[shard] = Mark(int(epoch or 0), int(applied or 0))
        if new and not self._swept:
            await self._sweep()

    async def _note_epoch(self, before: int, now: int) -> None:
        if 0 < before < now:
            await self._sweep()

    async def _sweep(self) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for shard in self._shards:
            pipeline.hget(keys.shard(shard), "epoch")
        epochs = await pipeline.execute()
        await unload_rooms_of_lost_epochs(
            self._redis, {shard: int(epoch or 0) for shard, epoch in zip(self._shards, epochs, strict=True)}
        )
        self._swept = True

    async def _take_dirty(self) -> None:
        taken: Any = await self._redis.spop(keys.DIRTY_ROOMS, DIRTY_ROOMS_PER_PASS)
        self._dirty.update(room.decode() for room in taken or ())

    def _on_malformed(self, shard: int, entry_id: bytes) -> None:
        """Reported once for each entry; the ledger's quarantine is what keeps it."""
        if (shard, entry_id) not in self._reported:
            if len(self._reported) >= MISSING_ROOMS_MAX:
                self._reported.clear()
            self._reported.add((shard, entry_id))
            self.counts.malformed += 1
            log.error(
                "a log entry could not be read into a room", shard=shard, entry=entry_id.decode("ascii", "replace")
            )

    # Into the rooms

    async def _bring(self, gifts: dict[str, list[RoomGift]]) -> None:
        """Counts gifts in their rooms, and lets dirty rooms make a delta of what waits in them."""
        dirty, self._dirty = self._dirty, set()
        ticks = [tick for room, some in gifts.items() for tick in self._new_ticks(room, some)]
        ticks += [Tick(room, [], {}) for room in dirty - {tick.room for tick in ticks}]
        for _ in range(TRIES_PER_PASS):
            if not ticks:
                return
            again: dict[str, list[RoomGift]] = {}
            try:
                for tick, answer in zip(ticks, await self._call(ticks), strict=True):
                    self._take_answer(tick, answer, again)
            except BaseException:
                self._dirty |= dirty
                raise
            ticks = []
            for room, some in again.items():
                ticks += self._what_is_left(room, some)
        for tick in ticks:
            # Another reader is faster than we are, again and again: from the log, in the next pass.
            self._owe(tick.room, tick.gifts)
            self._behind.add(tick.room)

    def _new_ticks(self, room: str, gifts: list[RoomGift]) -> list[Tick]:
        """The calls for gifts just read; catching up may have counted the first of them already, from the log."""
        held = self._known.get(room)
        left = gifts if held is None else held.uncounted(gifts)
        return ticks_of(room, left, held) if left else []

    def _what_is_left(self, room: str, gifts: list[RoomGift]) -> list[Tick]:
        """The calls for gifts that met other marks than expected: only what these do not count."""
        held = self._known.get(room)
        if held is None:
            return []
        if not held.caught_up or held.lost_epoch(gifts) or room in self._older:
            self._owe(room, gifts)
            self._behind.add(room)
            return []
        left = held.uncounted(gifts)
        return ticks_of(room, left, held) if left else []

    def _take_answer(self, tick: Tick, answer: Any, again: dict[str, list[RoomGift]]) -> None:
        """Remembers what a room answered; gifts that it did not count go to `again`, or wait for the room's loading."""
        room = tick.room
        if isinstance(answer, ResponseError):
            # Only what no repetition can mend gets here; the shard's other gifts must not wait for it.
            log.error("a room refused a delta", room=room, gifts=len(tick.gifts), error=str(answer)[:200])
            self.counts.malformed += len(tick.gifts)
        elif answer[0] == b"absent":
            self._known.pop(room, None)
            if tick.gifts:
                self._owe(room, tick.gifts)
        elif answer[0] == b"marks":
            held = read_marks(answer)
            if self._went_back(room, held):
                self._older.add(room)
            self._know(room, held)
            if tick.gifts:
                again.setdefault(room, []).extend(tick.gifts)
        else:
            self._counted(tick, Held(answer[1], answer[2] == b"1"))
            if answer[3] == b"1":
                self._dirty.add(room)

    def _counted(self, tick: Tick, answered: Held) -> None:
        self.counts.ticks += 1
        self.counts.gifts += len(tick.gifts)
        held = self._known.get(tick.room)
        if held is None or held.incarnation != answered.incarnation:
            # A delta without gifts needs no expectation; what is known of another loading is worth nothing.
            self._known.pop(tick.room, None)
            held = answered
            if tick.moves:
                self._know(tick.room, held)
        held.marks.update({shard: new for shard, (_, new) in tick.moves.items()})
        held.caught_up = answered.caught_up
        if not answered.caught_up:
            self._behind.add(tick.room)

    def _went_back(self, room: str, held: Held) -> bool:
        """Whether a room counts less than it once said: its Redis was replaced by an older one."""
        before = self._known.get(room)
        return (
            before is not None
            and before.incarnation == held.incarnation
            and any(held.marks.get(shard, START) < mark for shard, mark in before.marks.items())
        )

    def _know(self, room: str, held: Held) -> None:
        self._known[room] = held
        self._known.move_to_end(room)
        if len(self._known) > KNOWN_ROOMS_MAX:
            self._known.popitem(last=False)

    def _owe(self, room: str, gifts: Iterable[RoomGift]) -> None:
        """The gifts stay in the log: `applied` does not pass the first of each shard."""
        owed = self._owed.setdefault(room, {})
        for gift in gifts:
            before = Mark(gift.epoch, gift.record.number - 1)
            owed[gift.shard] = min(owed.get(gift.shard, before), before)

    async def _call(self, ticks: list[Tick]) -> list[Any]:
        """Answers in order; a refusal that no repetition can mend is one of them, any other error is raised."""
        answers: list[Any] = []
        for some in _in_pieces(ticks):
            pipeline = self._redis.pipeline(transaction=False)
            for tick in some:
                pipeline.fcall("gs_room_tick", 1, keys.room(tick.room), *tick.arguments(self._log_max))
            answers += await pipeline.execute(raise_on_error=False)
        for answer in answers:
            if isinstance(answer, Exception) and not _is_final(answer):
                raise answer
        return answers

    # Rooms that must be brought up to date

    async def _bring_behind(self) -> None:
        """Counts in freshly loaded rooms all that the logs hold after their marks."""
        rooms = sorted(self._behind)
        if not rooms:
            return
        answers = dict(zip(rooms, await self._call([question(room) for room in rooms]), strict=True))
        held: dict[str, Held] = {}
        for room, answer in answers.items():
            if isinstance(answer, ResponseError) or answer[0] != b"marks":
                self._behind.discard(room)
                self._owed.setdefault(room, {})
            else:
                held[room] = read_marks(answer)
        gifts, trimmed = await self._read_again(held)
        ticks: list[Tick] = []
        for room, state in held.items():
            mine = state.uncounted(gifts.get(room, []))
            # Behind the trim, the log no longer has all that follows the room's marks; the ledger has it by now.
            late = any(trimmed_past(state.marks.get(shard, START), mark) for shard, mark in trimmed.items())
            if (late and not state.caught_up) or state.lost_epoch(mine) or room in self._older:
                await self._load_anew(room, state)
            else:
                self._know(room, state)
                ticks += ticks_of(room, mine, state, caught_up=True)
        for tick, answer in zip(ticks, await self._call(ticks), strict=True):
            if isinstance(answer, ResponseError):
                self._take_answer(tick, answer, {})
            elif answer[0] == b"ok":
                self._counted(tick, Held(answer[1], answer[2] == b"1"))
            if isinstance(answer, ResponseError) or (answer[0] == b"ok" and tick.caught_up):
                self._behind.discard(tick.room)
                self._owed.pop(tick.room, None)

    async def _load_anew(self, room: str, held: Held) -> None:
        await unload_room(self._redis, room, held.incarnation.decode())
        self._known.pop(room, None)
        self._behind.discard(room)
        self._older.discard(room)
        self._owed.setdefault(room, {})

    async def _read_again(self, rooms: dict[str, Held]) -> tuple[dict[str, list[RoomGift]], dict[int, Mark]]:
        """The logs of all shards after the oldest mark of these rooms, and up to where each log has been trimmed."""
        gifts: dict[str, list[RoomGift]] = {}
        places = {
            shard: min(held.marks.get(shard, START) for held in rooms.values()) for shard in self._shards if rooms
        }
        open_shards = list(places)
        while open_shards:
            pipeline = self._redis.pipeline(transaction=False)
            for shard in open_shards:
                pipeline.xrange(keys.shard_log(shard), f"({places[shard]}", "+", count=ENTRIES_PER_READ)
            full: list[int] = []
            for shard, entries in zip(open_shards, await pipeline.execute(), strict=True):
                found: dict[str, list[RoomGift]] = {}
                places[shard] = by_room(shard, entries, found, self._on_malformed) or places[shard]
                for room in found.keys() & rooms.keys():
                    gifts.setdefault(room, []).extend(found[room])
                if len(entries) >= ENTRIES_PER_READ:
                    full.append(shard)
            open_shards = full
        # Looked at after reading: what was trimmed meanwhile may be what we have not seen.
        return gifts, await trimmed_marks(self._redis, self._shards)

    # Rooms that are not in Redis

    def _load_missing(self) -> None:
        """Loads rooms with gifts waiting for them, some at a time, beside the passes."""
        now_s = time.monotonic()
        for room in self._owed:
            if len(self._loads) >= LOADS_MAX:
                return
            if room not in self._behind and room not in self._loads and self._load_again_at.get(room, 0.0) <= now_s:
                self._loads[room] = asyncio.create_task(self._load(room), name=f"load-{room}")

    async def _load(self, room: str) -> None:
        self._load_again_at[room] = time.monotonic() + LOAD_RETRY_S * random.uniform(0.5, 1.5)  # noqa: S311 - jitter
        try:
            if await load_room(self._redis, self._pool, room):
                self._behind.add(room)
            else:
                self._miss(room)
            self._load_again_at.pop(room, None)
        except (*STORE_AWAY, RoomStaleError) as error:
            log.warning("a room waits to be loaded", room=room, error=f"{type(error).__name__}: {error}"[:200])
        finally:
            self._loads.pop(room, None)

    def _miss(self, room: str) -> None:
        """The ledger does not have this room: its gifts are the quarantine's, not ours."""
        self._owed.pop(room, None)
        self.counts.missing_rooms += 1
        log.error("gifts for a room that the ledger does not have", room=room)
        self._missing[room] = time.monotonic() + MISSING_ROOM_S
        while len(self._missing) > MISSING_ROOMS_MAX:
            self._missing.popitem(last=False)

    # Behind which the logs may be trimmed

    async def _move_applied(self) -> None:
        self._forget_missing()
        pipeline = self._redis.pipeline(transaction=False)
        moved: dict[int, Mark] = {}
        for shard, place in self._places.items():
            mark = min([place, *(owed[shard] for owed in self._owed.values() if shard in owed)])
            if mark > self._applied[shard]:
                moved[shard] = mark
                pipeline.fcall("gs_applied", 1, keys.shard(shard), str(mark.epoch), str(mark.number))
        if not moved:
            return
        for (shard, mark), answer in zip(moved.items(), await pipeline.execute(raise_on_error=False), strict=True):
            if not isinstance(answer, Exception):
                self._applied[shard] = mark
            elif not str(answer).startswith("FENCED"):
                raise answer

    def _forget_missing(self) -> None:
        now_s = time.monotonic()
        while self._missing and next(iter(self._missing.values())) < now_s:
            self._missing.popitem(last=False)

    async def _start_over(self, error: BaseException) -> None:
        """After a failure nothing in memory is relied on: places are found again in Redis, marks in the rooms."""
        for memory in (
            self._runs,
            self._places,
            self._applied,
            self._known,
            self._owed,
            self._behind,
            self._load_again_at,
        ):
            memory.clear()
        if isinstance(error, RedisError) and is_missing_function(error):
            try:
                await load_functions(self._redis)
            except REDIS_AWAY:
                log.warning("the functions could not be loaded")


def _in_pieces(ticks: list[Tick]) -> Iterator[list[Tick]]:
    piece: list[Tick] = []
    gifts = 0
    for tick in ticks:
        if piece and (len(piece) >= CALLS_PER_PIPELINE or gifts + len(tick.gifts) > GIFTS_PER_PIPELINE):
            yield piece
            piece, gifts = [], 0
        piece.append(tick)
        gifts += len(tick.gifts)
    if piece:
        yield piece


def _is_final(error: Exception) -> bool:
    """Whether a call would be refused for ever: its arguments are wrong, or the key is not ours."""
    return isinstance(error, ResponseError) and str(error).startswith(("BADARG", "WRONGTYPE"))


async def _sleep_unless(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
