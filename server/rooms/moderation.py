"""Who may do what in a room, known in each gateway without asking: read once, and again whenever it changed.

A change is committed to Postgres and then named on a channel that all gateways hear; each reads the room again and
acts on the difference. What a lost message would hide is found when the channel is heard again, or after AGE_S.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis

from server.domain.errors import Code, Refusal
from server.ledger import moderation as ledger_moderation
from server.ledger.moderation import Kind, Rules
from server.rooms.rooms import RoomInfo
from server.rooms.standing import Standing, is_shut_out, standing_of, who_changed
from server.stores import keys
from server.stores.channel import listen
from server.stores.failures import REDIS_AWAY, STORE_AWAY
from server.stores.gathering import Gathering
from server.stores.postgres import Pool

log = structlog.get_logger()

AGE_S = 30.0
LOOK_EVERY_S = 1.0
ROOMS_PER_READ_MAX = 500
ROOMS_KNOWN_MAX = 2_000
"""Rooms without members here whose rules are kept, the longest unused dropped first."""


@dataclass(slots=True)
class _Known:
    creator_id: str
    rules: Rules
    read_s: float


OnChange = Callable[[str, set[str]], None]
"""Told of a room and of the users whose standing there is another one now."""


class Moderation:
    """The rules of rooms, as one gateway knows them."""

    def __init__(self, redis: Redis, pool: Pool, gateway_id: str, *, on_change: OnChange) -> None:
        self._redis = redis
        self._pool = pool
        self._gateway_id = gateway_id.encode()
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._held: Counter[str] = Counter()
        self._reading: Gathering[tuple[str, str], _Known] = Gathering(self._load, batch_max=ROOMS_PER_READ_MAX)
        self._look = asyncio.Event()

    # -- asking ----------------------------------------------------------------------------------------------------

    async def learn(self, room: RoomInfo, *, fresh: bool = False) -> Rules:
        """The room's rules; from then on `standing` knows them.

        fresh: as they are now. Raises Refusal (unavailable) when they are not known and Postgres is away.
        """
        known = self._known.get(room.id)
        if known is None or fresh:
            known = await self._read(room.id, room.creator_id)
        elif self._loop.time() - known.read_s > AGE_S:
            try:
                known = await self._read(room.id, room.creator_id)
            except Refusal:
                log.debug("what is known of a room's rules has to do", room=room.id)
        return known.rules

    def standing(self, room_id: str, user_id: str) -> Standing:
        """A user's standing as far as it is known: of a room that nobody asked about it is a viewer's."""
        known = self._known.get(room_id)
        return Standing() if known is None else standing_of(user_id, known.creator_id, known.rules)

    def shut_out(self, room_id: str, user_id: str) -> bool:
        """Whether a user can neither be in the room nor give there, as far as it is known."""
        known = self._known.get(room_id)
        return known is not None and is_shut_out(user_id, known.creator_id, known.rules)

    def hold(self, room_id: str) -> None:
        """Somebody here is in the room, or about to be: its rules are kept up to date until `release`."""
        self._held[room_id] += 1

    def release(self, room_id: str) -> None:
        self._held[room_id] -= 1
        if not self._held[room_id]:
            del self._held[room_id]

    # -- changing --------------------------------------------------------------------------------------------------

    async def changed(self, kind: Kind, place_id: str) -> None:
        """Something was committed: acts on it here, and tells the other gateways."""
        affected = list(self._affected(kind == Kind.BLOCK, place_id))
        try:
            place = b"creator" if kind == Kind.BLOCK else b"room"
            await self._redis.publish(keys.MODERATION, b"\n".join([self._gateway_id, place, place_id.encode()]))
        except REDIS_AWAY as error:
            log.warning("a change of a room's rules was not told", error=type(error).__name__, found_within_s=AGE_S)
        for room_id in affected:
            await self._read(room_id, self._known[room_id].creator_id)

    def _affected(self, of_creator: bool, place_id: str) -> Iterable[str]:
        if of_creator:
            return [room_id for room_id, known in self._known.items() if known.creator_id == place_id]
        return [place_id] if place_id in self._known else []

    # -- reading ---------------------------------------------------------------------------------------------------

    async def _read(self, room_id: str, creator_id: str) -> _Known:
        """Reads a room's rules. Raises Refusal (unavailable)."""
        try:
            return await self._reading.get((room_id, creator_id))
        except STORE_AWAY as error:
            log.debug("rules could not be read", room=room_id, error=type(error).__name__)
            raise Refusal(Code.UNAVAILABLE) from error

    async def _load(self, rooms: list[tuple[str, str]]) -> dict[tuple[str, str], _Known]:
        found = await ledger_moderation.load(self._pool, dict(rooms))
        now_s = self._loop.time()
        return {
            (room_id, creator_id): self._take(room_id, _Known(creator_id, found[room_id], now_s))
            for room_id, creator_id in rooms
        }

    def _take(self, room_id: str, now: _Known) -> _Known:
        before = self._known.get(room_id)
        self._known[room_id] = now
        self._known.move_to_end(room_id)
        if before is not None and before.rules != now.rules:
            self._on_change(room_id, who_changed(before.rules, now.rules))
        if len(self._known) - len(self._held) > ROOMS_KNOWN_MAX:
            oldest = next((known for known in self._known if known not in self._held and known != room_id), None)
            if oldest is not None:
                del self._known[oldest]
        return now

    # -- hearing ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Hears of changes and looks after the rooms with members here, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(listen(self._redis, keys.MODERATION, self._hear, on_subscribed=self._distrust_all))
            group.create_task(self._keep_fresh())

    def _hear(self, message: bytes) -> None:
        sender, place, place_id = message.split(b"\n")
        if sender != self._gateway_id:
            self._distrust(self._affected(place == b"creator", place_id.decode()))

    def _distrust_all(self) -> None:
        self._distrust(list(self._known))

    def _distrust(self, rooms: Iterable[str]) -> None:
        for room_id in rooms:
            self._known[room_id].read_s = float("-inf")
        self._look.set()

    async def _keep_fresh(self) -> None:
        while True:
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._look.wait()
            except TimeoutError:
                pass
            self._look.clear()
            old_s = self._loop.time() - AGE_S
            due = [room for room in self._held if room in self._known and self._known[room].read_s < old_s]
            reads = [self._read(room_id, self._known[room_id].creator_id) for room_id in due]
            # What fails is due again at the next look.
            await asyncio.gather(*reads, return_exceptions=True)
