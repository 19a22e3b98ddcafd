"""Rooms as a gateway asks about them: what a room is, its totals and ranking, chat, likes, its start and its end."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import asyncpg
import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from server.domain.errors import Code, Refusal
from server.domain.ids import ROOM_ID, RoomId, UserId, new_id
from server.domain.person import person_json
from server.domain.ticket import RoomTicket, read_ticket
from server.ledger import rooms as ledger_rooms
from server.rooms.loading import RoomStaleError, load_room
from server.rooms.room_ends import tell_end
from server.settings import Settings
from server.stores import keys
from server.stores.failures import REDIS_AWAY, STORE_AWAY
from server.stores.redis import is_missing_function

log = structlog.get_logger()

KNOWN_ROOMS_MAX = 10_000
"""Rooms that a gateway remembers, the longest unasked dropped first."""

KNOWN_AGE_S = 1.0
"""How long a gateway relies on what it remembers of a room that none of its members is in."""

ENTRANCE_PAUSE_S = 300
"""Somebody who comes back sooner is not shown again."""

LIKED_ROOMS_MAX = 10_000
"""Rooms whose likes may wait for the next tick; likes beyond are dropped."""


@dataclass(frozen=True, slots=True)
class RoomInfo:
    """What a gift, a chat line or a page must know of a room."""

    id: str
    title: str
    creator_id: str
    creator_name: str
    state: str
    started_at_us: int
    ticket: RoomTicket | None = None


class Totals(NamedTuple):
    """What a room shows of itself. gifts: in pieces."""

    diamonds: int
    gifts: int
    viewers: int


class Rooms:
    """All rooms, as one gateway process sees them. A room that is not in Redis is loaded from the ledger."""

    def __init__(self, redis: Redis, pool: asyncpg.Pool, settings: Settings) -> None:
        self._redis = redis
        self._pool = pool
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._known: OrderedDict[str, tuple[float, RoomInfo]] = OrderedDict()
        self._asking: dict[str, asyncio.Task[RoomInfo]] = {}
        self._likes: dict[str, int] = {}
        self._liking: asyncio.Task[None] | None = None
        self._say_interval_ms = str(max(1, int(1000 / settings.chats_per_second)))

    async def info(self, room_id: str) -> RoomInfo:
        """The room, at most KNOWN_AGE_S old. Raises Refusal (room_not_found, unavailable)."""
        held = self._known.get(room_id)
        if held is not None and self._loop.time() - held[0] < KNOWN_AGE_S:
            self._known.move_to_end(room_id)
            return held[1]
        # In a storm of joins one question answers all.
        asking = self._asking.get(room_id)
        if asking is None:
            asking = self._asking[room_id] = asyncio.create_task(self._ask(room_id), name=f"info-{room_id}")
            asking.add_done_callback(lambda done: self._answered(room_id, done))
        return await asyncio.shield(asking)

    async def now(self, room_id: str) -> tuple[RoomInfo, Totals]:
        """The room and its live totals at this moment. Raises Refusal (room_not_found, unavailable)."""
        row = await self._call(room_id, "gs_room_info")
        creator = orjson.loads(row[1])
        info = RoomInfo(
            id=room_id,
            title=orjson.loads(row[0]),
            creator_id=creator["id"],
            creator_name=creator["name"],
            state=row[2].decode(),
            started_at_us=int(row[3]),
            ticket=read_ticket(row[9]),
        )
        self._remember(info)
        if not _caught_up(row):
            await self._wait_for_delta([room_id])
        return info, _totals(row)

    async def _ask(self, room_id: str) -> RoomInfo:
        info, _ = await self.now(room_id)
        return info

    def _answered(self, room_id: str, asking: "asyncio.Task[RoomInfo]") -> None:
        del self._asking[room_id]
        if not asking.cancelled():
            # Whoever asked may be gone: a refusal that nobody waits for is no failure.
            asking.exception()

    def note_ended(self, room_id: str) -> None:
        """The hub heard that the room has ended: known here at once."""
        held = self._known.get(room_id)
        if held is not None:
            self._remember(replace(held[1], state="ended"))

    async def totals(self, room_ids: Sequence[str]) -> dict[str, Totals]:
        """Live totals of those of the rooms that are in Redis. Raises Refusal (unavailable)."""
        pipeline = self._redis.pipeline(transaction=False)
        for room_id in room_ids:
            pipeline.fcall("gs_room_info", 1, keys.room(room_id))
        try:
            rows = await pipeline.execute() if room_ids else []
        except REDIS_AWAY as error:
            raise Refusal(Code.UNAVAILABLE) from error
        found = {room_id: row for room_id, row in zip(room_ids, rows, strict=True) if row}
        if behind := [room_id for room_id, row in found.items() if not _caught_up(row)]:
            await self._wait_for_delta(behind)
        return {room_id: _totals(row) for room_id, row in found.items()}

    async def top(self, room_id: str, limit: int) -> list[dict[str, Any]]:
        """The ranking: `{"user": {"id", "name"}, "coins", "rank"}`, best first. Raises Refusal."""
        await self._call(room_id, "gs_room_info")
        try:
            rows: Any = await self._redis.zrevrange(keys.room_top(room_id), 0, limit - 1, withscores=True)
            people = await self._redis.hmget(keys.room_gifters(room_id), [viewer for viewer, _ in rows]) if rows else []
        except REDIS_AWAY as error:
            raise Refusal(Code.UNAVAILABLE) from error
        return [
            {"user": orjson.loads(person), "coins": int(coins), "rank": rank}
            for rank, ((_, coins), person) in enumerate(zip(rows, people, strict=True), 1)
            if person is not None
        ]

    async def ticket(self, room_id: str, asked: str, viewer: str, request: str = "-", ttl_s: int = 1) -> str:
        """What `gs_room_ticket` answers. Raises Refusal (room_not_found, unavailable)."""
        answer: bytes = await self._call(room_id, "gs_room_ticket", asked, viewer, request, str(ttl_s))
        return answer.decode()

    async def take_down(self, room_id: str, gift_id: str) -> bool:
        """Takes what a gift paid for from the room's screen; whether it was there. Raises Refusal."""
        answer = await self._call(room_id, "gs_room_take_down", str(self._settings.room_log_deltas), gift_id)
        return bool(answer == b"ok")

    async def enter(self, room_id: str, user_id: str, person: bytes, look: str) -> None:
        """Shows that somebody came in, unless it was shown lately. Raises Refusal (room_not_found, unavailable)."""
        shown = await self._call(room_id, "gs_room_enter", user_id, person, orjson.dumps(look), str(ENTRANCE_PAUSE_S))
        if shown == b"ok":
            await self._wait_for_delta([room_id])

    async def say(self, room_id: str, user_id: str, user_name: str, line: str, badge: bytes = b"") -> None:
        """Adds a chat line to the next delta. badge: what stands beside the name.

        Raises Refusal (room_ended, rate_limited, room_not_found, unavailable).
        """
        status, *retry_ms = await self._call(
            room_id,
            "gs_room_say",
            user_id,
            person_json(user_id, user_name, badge),
            orjson.dumps(line),
            self._say_interval_ms,
            str(self._settings.chats_burst),
        )
        if status == b"ended":
            raise Refusal(Code.ROOM_ENDED)
        if status == b"wait":
            raise Refusal(Code.RATE_LIMITED, retry_ms=int(retry_ms[0]))
        await self._wait_for_delta([room_id])

    async def like(self, room_id: str, count: int) -> None:
        """Adds likes to the next delta. Never fails: likes that cannot be kept are dropped."""
        if room_id not in self._likes and len(self._likes) >= LIKED_ROOMS_MAX:
            return
        self._likes[room_id] = self._likes.get(room_id, 0) + count
        if self._liking is None or self._liking.done():
            self._liking = asyncio.create_task(self._carry_likes(), name="likes")

    async def open(self, creator_id: str, creator_name: str, title: str, ticket: RoomTicket | None = None) -> RoomInfo:
        """Starts a room; with a ticket it lets in only those who have one. Raises Refusal (unavailable)."""
        room_id = new_id("r")
        try:
            await ledger_rooms.create(self._pool, RoomId(room_id), UserId(creator_id), creator_name, title, ticket)
            await load_room(self._redis, self._pool, room_id, new=True)
        except (*STORE_AWAY, RoomStaleError) as error:
            raise Refusal(Code.UNAVAILABLE) from error
        return await self.info(room_id)

    async def end(self, room_id: str) -> None:
        """Ends a room, in the ledger and then for everyone in it; ending it again changes nothing. Raises Refusal."""
        await self._call(room_id, "gs_room_info")
        try:
            await ledger_rooms.end(self._pool, RoomId(room_id), self._settings.ticket_cancel_window_s)
            # Should we die here, the worker tells Redis (room_ends.py).
            await tell_end(self._redis, self._pool, RoomId(room_id), self._settings.room_log_deltas)
        except STORE_AWAY as error:
            raise Refusal(Code.UNAVAILABLE) from error
        self.note_ended(room_id)

    async def load(self, room_id: str) -> None:
        """Makes the room present in Redis. Raises Refusal (room_not_found, unavailable)."""
        if not ROOM_ID.fullmatch(room_id):
            raise Refusal(Code.ROOM_NOT_FOUND)
        try:
            found = await load_room(self._redis, self._pool, room_id)
        except (*STORE_AWAY, RoomStaleError) as error:
            raise Refusal(Code.UNAVAILABLE) from error
        if not found:
            raise Refusal(Code.ROOM_NOT_FOUND)
        # A worker shall look at it: what came after the ledger's snapshot is still in the logs.
        await self._wait_for_delta([room_id])

    async def _call(self, room_id: str, function: str, *args: str | bytes) -> Any:
        """One function of a room, loaded first where it must be; the answer of an absent room is empty or `absent`."""
        if not ROOM_ID.fullmatch(room_id):
            raise Refusal(Code.ROOM_NOT_FOUND)
        for attempt in range(2):
            try:
                answer = await self._redis.fcall(function, 1, keys.room(room_id), *args)
            except ResponseError as error:
                if attempt or not is_missing_function(error):
                    raise Refusal(Code.UNAVAILABLE) from error
                answer = []
            except REDIS_AWAY as error:
                raise Refusal(Code.UNAVAILABLE) from error
            if answer not in ([], b"absent", [b"absent"]):
                return answer
            if attempt == 0:
                await self.load(room_id)
        raise Refusal(Code.UNAVAILABLE)

    async def _wait_for_delta(self, room_ids: Sequence[str]) -> None:
        try:
            await self._redis.sadd(keys.DIRTY_ROOMS, *room_ids)
        except REDIS_AWAY as error:
            raise Refusal(Code.UNAVAILABLE) from error

    async def _carry_likes(self) -> None:
        """Likes go once a tick, however many there are."""
        while self._likes:
            await asyncio.sleep(self._settings.tick_ms / 1000)
            likes, self._likes = self._likes, {}
            pipeline = self._redis.pipeline(transaction=False)
            for room_id, count in likes.items():
                pipeline.fcall("gs_room_like", 1, keys.room(room_id), str(count))
            pipeline.sadd(keys.DIRTY_ROOMS, *likes)
            try:
                await pipeline.execute()
            except REDIS_AWAY as error:
                log.warning("likes were dropped", rooms=len(likes), error=type(error).__name__)

    def _remember(self, info: RoomInfo) -> None:
        self._known[info.id] = (self._loop.time(), info)
        self._known.move_to_end(info.id)
        if len(self._known) > KNOWN_ROOMS_MAX:
            self._known.popitem(last=False)


def _totals(row: list[bytes]) -> Totals:
    """Of an answer of `gs_room_info`."""
    return Totals(int(row[4]), int(row[5]), int(row[6]))


def _caught_up(row: list[bytes]) -> bool:
    """Whether the room lacks nothing that was in the logs when it was loaded; else a worker must be told of it again,
    as the one that was told may have died."""
    return row[8] == b"1"
