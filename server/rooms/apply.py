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
from dataclasses import dataclass
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from server.rooms.badges import Badges
from server.rooms.leases import Leases
from server.rooms.listing_budget import ListingBudget
from server.rooms.loading import unload_room
from server.rooms.log_reader import LogReader
from server.rooms.room_tick import Held, Tick, call, question, read_marks, ticks_of
from server.rooms.shard_log import START, RoomGift, read_again, trimmed_marks, trimmed_past
from server.rooms.waiting_rooms import WaitingRooms
from server.settings import Settings
from server.stores import keys
from server.stores.failures import REDIS_AWAY
from server.stores.postgres import Pool
from server.stores.redis import is_missing_function, load_functions

log = structlog.get_logger()

DIRTY_ROOMS_PER_PASS = 500
KNOWN_ROOMS_MAX = 20_000
"""Rooms whose marks are remembered, the longest untouched dropped first; one that is not costs a second call."""

REPORTED_ENTRIES_MAX = 10_000
"""Malformed entries remembered so that each is reported once."""

CHAT_WAITS, VIEWERS_WAIT = b"1", b"2"
"""What a tick may leave for another one (room.lua)."""

VIEWERS_EVERY_S = 1.0
"""How often a room looks again for a viewer count that waits."""

LATER_ROOMS_MAX = 20_000
TRIES_PER_PASS = 4
BACKOFF_FIRST_S = 0.05
BACKOFF_MAX_S = 2.0


@dataclass(slots=True)
class ReaderCounts:
    """What a reader did since it started."""

    gifts: int = 0
    ticks: int = 0
    malformed: int = 0


class RoomsReader:
    """Reads the logs of this worker's shards into the rooms."""

    def __init__(
        self, redis: Redis, pool: Pool, settings: Settings, worker_id: str, badges: Badges | None = None
    ) -> None:
        """badges: what stands beside gifters' names; without it nothing does."""
        self._redis = redis
        self._badges = badges
        self._shards = range(settings.wallet_shards)
        self._log_max = settings.room_log_deltas
        self._budget = ListingBudget(settings.listed_bytes_per_second)
        self._tick_s = settings.tick_ms / 1000
        self._drain_timeout_s = settings.drain_timeout_s
        self.counts = ReaderCounts()
        self.leases = Leases(redis, settings.wallet_shards, worker_id)
        self._known: OrderedDict[str, Held] = OrderedDict()
        self._log = LogReader(redis, self.leases, settings.wallet_shards, self._on_malformed, self._known.clear)
        self._behind: set[str] = set()
        """Rooms that are loaded and must be brought up to date."""
        self._older: set[str] = set()
        """Rooms that count less than they once did, as their Redis was replaced by an older one: to be loaded anew."""
        self._waiting = WaitingRooms(redis, pool, self._behind.add)
        self._dirty: set[str] = set()
        self._later: OrderedDict[str, float] = OrderedDict()
        """Rooms whose viewer count waits, and until when, the earliest first. A worker that dies may forget them: their
        gateways' next heartbeat finds them."""
        self._found = False
        self._reported: set[tuple[int, bytes]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Works until `stop`; stores that are away are waited for."""
        loop = asyncio.get_running_loop()
        backoff_s = BACKOFF_FIRST_S
        try:
            while not stop.is_set():
                began_s = loop.time()
                try:
                    await self.leases.renew()
                    more = await self.apply_once()
                    pause_s = 0.0 if more else max(0.0, began_s + self._tick_s - loop.time())
                    backoff_s = BACKOFF_FIRST_S
                except REDIS_AWAY as error:
                    log.warning("rooms wait for Redis", error=f"{type(error).__name__}: {error}"[:200])
                    await self.start_over(error)
                    backoff_s = min(backoff_s * 2, BACKOFF_MAX_S)
                    pause_s = random.uniform(0, backoff_s)  # noqa: S311 - jitter
                await _sleep_unless(stop, pause_s)
        finally:
            await self._waiting.close()
            try:
                await self.leases.give_up()
            except REDIS_AWAY:
                log.warning("leases were left to expire")

    async def drain(self) -> None:
        """Brings all that its shards' logs hold into the rooms. Raises TimeoutError after the drain timeout."""
        async with asyncio.timeout(self._drain_timeout_s):
            while not await self._drained():  # noqa: ASYNC110 - the logs tell when they are read, no event does
                await asyncio.sleep(self._tick_s / 4)
            await self.leases.give_up()

    async def _drained(self) -> bool:
        """Reads to the end of the logs; whether nothing is left. A Redis that is away for a moment is asked again."""
        try:
            await self.leases.renew()
            while await self.apply_once():
                await self.leases.renew()
        except REDIS_AWAY as error:
            log.warning("rooms wait for Redis", error=f"{type(error).__name__}: {error}"[:200])
            await self.start_over(error)
            return False
        return self.idle

    @property
    def idle(self) -> bool:
        """Whether the last pass found nothing and nothing waits."""
        return not (self._found or self._waiting or self._behind or self._dirty)

    async def apply_once(self) -> bool:
        """One pass; True when more is waiting in the logs. Raises RedisError, OSError when Redis is away."""
        gifts, more = ({}, False) if self._waiting.full else await self._log.read()
        self._found = bool(gifts)
        await self._take_dirty()
        for room in list(gifts):
            if self._waiting.is_missing(room):
                del gifts[room]
            elif room in self._waiting:
                self._waiting.wait(room, gifts.pop(room))
        await self._bring(gifts)
        await self._bring_up_to_date()
        self._waiting.load_some(self._behind)
        await self._log.move_applied(self._waiting.before_first)
        return more

    async def start_over(self, error: BaseException) -> None:
        """After a failure nothing in memory is relied on: places are found again in Redis, marks in the rooms."""
        self._log.forget()
        self._waiting.forget()
        self._known.clear()
        self._behind.clear()
        self._older.clear()
        if isinstance(error, RedisError) and is_missing_function(error):
            try:
                await load_functions(self._redis)
            except REDIS_AWAY:
                log.warning("the functions could not be loaded")

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
                answers = await call(
                    self._redis,
                    ticks,
                    self._log_max,
                    self._log.read_from,
                    budget=self._budget,
                    badges=self._badges,
                )
                for tick, answer in zip(ticks, answers, strict=True):
                    self._take_answer(tick, answer, again)
            except BaseException:
                self._dirty |= dirty
                raise
            ticks = [tick for room, some in again.items() for tick in self._ticks_left(room, some)]
        for tick in ticks:
            # Another reader is faster than we are, again and again: from the log, in the next pass.
            self._read_later(tick.room, tick.gifts)

    def _new_ticks(self, room: str, gifts: list[RoomGift]) -> list[Tick]:
        """The calls for gifts just read; catching up may have counted the first of them already, from the log."""
        held = self._known.get(room)
        left = gifts if held is None else held.uncounted(gifts)
        return ticks_of(room, left, held) if left else []

    def _ticks_left(self, room: str, gifts: list[RoomGift]) -> list[Tick]:
        """The calls for gifts that met other marks than expected: only what these do not count."""
        held = self._known.get(room)
        if held is None or not held.caught_up or held.lost_epoch(gifts) or room in self._older:
            self._read_later(room, gifts)
            return []
        left = held.uncounted(gifts)
        return ticks_of(room, left, held) if left else []

    def _read_later(self, room: str, gifts: list[RoomGift]) -> None:
        self._waiting.wait(room, gifts)
        self._behind.add(room)

    def _take_answer(self, tick: Tick, answer: Any, again: dict[str, list[RoomGift]]) -> None:
        """Remembers what a room answered; gifts that it did not count go to `again`, or wait for the room's loading."""
        room = tick.room
        if isinstance(answer, ResponseError):
            self._refused(room, len(tick.gifts), answer)
        elif answer[0] == b"absent":
            self._known.pop(room, None)
            if tick.gifts:
                self._waiting.wait(room, tick.gifts)
        elif answer[0] == b"marks":
            held = read_marks(answer)
            if room in self._known and held.behind(self._known[room]):
                self._older.add(room)
            self._know(room, held)
            if tick.gifts:
                again.setdefault(room, []).extend(tick.gifts)
        else:
            self._counted(tick, Held(answer[1], answer[2] == b"1"))
            if answer[3] == CHAT_WAITS:
                self._dirty.add(room)
            elif answer[3] == VIEWERS_WAIT:
                self._later.setdefault(room, time.monotonic() + VIEWERS_EVERY_S)

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

    def _know(self, room: str, held: Held) -> None:
        self._known[room] = held
        self._known.move_to_end(room)
        if len(self._known) > KNOWN_ROOMS_MAX:
            self._known.popitem(last=False)

    def _refused(self, room: str, gifts: int, error: ResponseError) -> None:
        """What no repetition can mend: the shard's other gifts must not wait for it."""
        self.counts.malformed += gifts
        self._behind.discard(room)
        self._waiting.done(room)
        log.error("a room refused a delta", room=room, gifts=gifts, error=str(error)[:200])

    # Rooms that must be brought up to date

    async def _bring_up_to_date(self) -> None:
        """Counts in freshly loaded rooms all that the logs hold after their marks."""
        held = await self._ask_marks(sorted(self._behind))
        if not held:
            return
        # Asked before reading: what is read afterwards is of this server, or refused.
        read_from: bytes = await self._redis.fcall("gs_run", 1, keys.shard(self._shards[0]))
        places = {shard: min(room.marks.get(shard, START) for room in held.values()) for shard in self._shards}
        gifts = await read_again(self._redis, places, held, self._on_malformed)
        # Looked at after reading: what was trimmed meanwhile may be what we have not seen.
        trimmed = await trimmed_marks(self._redis, self._shards)
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
        answers = await call(self._redis, ticks, self._log_max, read_from, budget=self._budget, badges=self._badges)
        for tick, answer in zip(ticks, answers, strict=True):
            if isinstance(answer, ResponseError):
                self._refused(tick.room, len(tick.gifts), answer)
            elif answer[0] == b"ok":
                self._counted(tick, Held(answer[1], answer[2] == b"1"))
                if tick.caught_up:
                    self._behind.discard(tick.room)
                    self._waiting.done(tick.room)

    async def _ask_marks(self, rooms: list[str]) -> dict[str, Held]:
        """What these rooms have counted; those that are not there wait to be loaded."""
        held: dict[str, Held] = {}
        answers = await call(self._redis, [question(room) for room in rooms], self._log_max)
        for room, answer in zip(rooms, answers, strict=True):
            if isinstance(answer, ResponseError):
                self._refused(room, 0, answer)
            elif answer[0] == b"marks":
                held[room] = read_marks(answer)
            else:
                self._behind.discard(room)
                self._waiting.wait(room)
        return held

    async def _load_anew(self, room: str, held: Held) -> None:
        await unload_room(self._redis, room, held.incarnation.decode())
        self._known.pop(room, None)
        self._behind.discard(room)
        self._older.discard(room)
        self._waiting.wait(room)

    async def _take_dirty(self) -> None:
        taken: Any = await self._redis.spop(keys.DIRTY_ROOMS, DIRTY_ROOMS_PER_PASS)
        self._dirty.update(room.decode() for room in taken or ())
        now_s = time.monotonic()
        while self._later and (len(self._later) > LATER_ROOMS_MAX or next(iter(self._later.values())) <= now_s):
            self._dirty.add(self._later.popitem(last=False)[0])

    def _on_malformed(self, shard: int, entry_id: bytes) -> None:
        """Reported once for each entry; the ledger's quarantine is what keeps it."""
        if (shard, entry_id) not in self._reported:
            if len(self._reported) >= REPORTED_ENTRIES_MAX:
                self._reported.clear()
            self._reported.add((shard, entry_id))
            self.counts.malformed += 1
            entry = entry_id.decode("ascii", "replace")
            log.error("a log entry could not be read into a room", shard=shard, entry=entry)


async def _sleep_unless(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
