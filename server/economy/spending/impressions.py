"""Which rooms are promoted to whom, as one gateway delivers it: from what it holds, each viewer counted once a while.

An impression is an answer to a signed-in viewer's look at the list of rooms that has a room in a promoted place; the
same viewer seeing the same room again within REST_S is still the same impression.
"""

import asyncio
import secrets
import zlib
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis

from server.domain.ids import GiftId
from server.ledger.spending import placements
from server.ledger.spending.placements import HOLD_S, Hold
from server.stores import keys
from server.stores.failures import POSTGRES_AWAY
from server.stores.postgres import Pool

log = structlog.get_logger()

PLACES = 2
"""Promoted rooms in one answer."""
REST_S = 600
RENEW_EVERY_S = 1.0
GIVE_UP_TIMEOUT_S = 2.0
HOLD_MARGIN_S = 5.0
"""What a hold is believed to be shorter than it is: the time that an answer may be on its way."""


@dataclass(slots=True)
class _Held:
    """A placement that this gateway delivers. All are counts since it was first held.

    limit: that may be taken; taken: given out, or about to be; delivered: given out.
    """

    hold: Hold
    limit: int = 0
    taken: int = 0
    delivered: int = 0


class Impressions:
    """The impressions of one gateway. `run` reports them and takes more."""

    def __init__(self, redis: Redis, pool: Pool, gateway_id: str) -> None:
        self._redis = redis
        self._pool = pool
        self._name = f"{gateway_id}/{secrets.token_hex(8)}"
        """This process and no other: its counts begin at nothing."""
        self._clock = asyncio.get_running_loop().time
        self._held: dict[GiftId, _Held] = {}
        self._until_s = float("-inf")

    async def choose(self, viewer: str) -> list[str]:
        """Rooms to promote to a viewer now, PLACES at most; they are counted as shown. Raises RedisError."""
        chosen: list[str] = []
        for room_id in self._candidates(viewer):
            held = self._take(room_id)
            if held is None:
                continue
            try:
                new = await self._redis.set(keys.impression(viewer, room_id), "1", nx=True, ex=REST_S)
            except BaseException:
                held.taken -= 1
                raise
            if new:
                held.delivered += 1
            else:
                held.taken -= 1
            chosen.append(room_id)
            if len(chosen) == PLACES:
                break
        return chosen

    def _candidates(self, viewer: str) -> list[str]:
        """Rooms that this gateway may promote, in an order of the viewer's own that stays; nobody's own rooms."""
        rooms = {held.hold.room_id for held in self._held.values() if held.hold.creator_id != viewer}
        return sorted(rooms, key=lambda room_id: zlib.crc32(f"{viewer} {room_id}".encode()))

    def _take(self, room_id: str) -> _Held | None:
        """One impression of a room, before it is asked whether it counts: none is given out twice meanwhile."""
        if self._clock() > self._until_s:
            return None
        for held in self._held.values():
            if held.hold.room_id == room_id and held.taken < held.limit:
                held.taken += 1
                return held
        return None

    async def run(self) -> None:
        """Reports what was delivered and takes more, until cancelled; then gives up what is left."""
        try:
            while True:
                await self._renew()
                await asyncio.sleep(RENEW_EVERY_S)
        finally:
            await self._give_up()

    async def _renew(self) -> None:
        began_s = self._clock()
        told = {placement: held.delivered for placement, held in self._held.items()}
        try:
            async with self._pool.acquire() as conn, conn.transaction():
                holds = await placements.renew(conn, self._name, told)
        except POSTGRES_AWAY as error:
            # What is held may be delivered until it runs out; what was delivered is told again the next time.
            log.warning("impressions could not be told", error=f"{type(error).__name__}: {error}")
            return
        kept = {hold.placement: self._held.get(hold.placement, _Held(hold)) for hold in holds}
        for hold in holds:
            kept[hold.placement].limit = told.get(hold.placement, 0) + hold.impressions
        self._held = kept
        self._until_s = began_s + HOLD_S - HOLD_MARGIN_S

    async def _give_up(self) -> None:
        if not self._held:
            return
        told = {placement: held.delivered for placement, held in self._held.items()}
        self._held = {}
        try:
            async with asyncio.timeout(GIVE_UP_TIMEOUT_S), self._pool.acquire() as conn, conn.transaction():
                await placements.give_up(conn, self._name, told)
        except POSTGRES_AWAY as error:
            log.warning("impressions could not be told", error=f"{type(error).__name__}: {error}")
