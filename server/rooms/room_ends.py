"""The end of a room, told to Redis after the ledger has it: by whoever ended it, or by the worker if that one died.

A Redis that came back older may have lost an end that it was told, and one that was left behind in a failover is told
in vain: so the worker also tells the ends of all rooms that are live, whenever another server process answers than
before, or the ledger follows another one.
"""

from redis.asyncio import Redis

from server.domain.ids import RoomId
from server.ledger import openings
from server.ledger import rooms as ledger_rooms
from server.settings import Settings
from server.stores import keys
from server.stores.postgres import Pool
from server.stores.room_keys import room_pages

ENDS_PER_SWEEP = 100


_ANY_SHARD = 0
"""Rooms and wallet shards are in the same Redis: an opening of one of these tells which it is."""


async def tell_end(redis: Redis, pool: Pool, room: RoomId, log_max: int) -> None:
    """Ends the room in Redis, for everyone in it; one that is not loaded will be loaded as ended. Raises STORE_AWAY.

    A Redis that the ledger does not follow is told too, and the end stays untold.
    """
    pipeline = redis.pipeline(transaction=False)
    pipeline.fcall("gs_room_end", 1, keys.room(room), str(log_max))
    pipeline.hget(keys.shard(_ANY_SHARD), "opening")
    _, opening = await pipeline.execute()
    if await openings.known(pool, _ANY_SHARD, (opening or b"").decode()):
        await ledger_rooms.end_told(pool, room)


class RoomEnds:
    """The worker's look for ends that Redis did not hear of, or has lost."""

    def __init__(self, redis: Redis, pool: Pool, settings: Settings) -> None:
        self._redis = redis
        self._pool = pool
        self._log_max = settings.room_log_deltas
        self._shards = range(settings.wallet_shards)
        self._looked: list[tuple[bytes, bytes | None]] = []
        """By shard, the server process and the opening that the ledger follows when live rooms were looked up last."""

    async def tell(self) -> None:
        """Tells Redis of some. Raises what the stores raise."""
        for room in await ledger_rooms.ends_untold(self._pool, ENDS_PER_SWEEP):
            await tell_end(self._redis, self._pool, room, self._log_max)
        there = await self._there()
        if there != self._looked:
            await self._tell_again()
            self._looked = there

    async def _there(self) -> list[tuple[bytes, bytes | None]]:
        followed = await openings.confirmed(self._pool)
        pipeline = self._redis.pipeline(transaction=False)
        for shard in self._shards:
            pipeline.fcall("gs_run", 1, keys.shard(shard))
            pipeline.hget(keys.shard(shard), "opening")
        answers = await pipeline.execute()
        return [
            (run, opening if (opening or b"").decode() == followed.get(shard) else None)
            for shard, run, opening in zip(self._shards, answers[::2], answers[1::2], strict=True)
        ]

    async def _tell_again(self) -> None:
        async for rooms in room_pages(self._redis):
            pipeline = self._redis.pipeline(transaction=False)
            for room in rooms:
                pipeline.hget(keys.room(room), "state")
            states = zip(rooms, await pipeline.execute(), strict=True)
            for room in await ledger_rooms.ended_among(
                self._pool, [room for room, state in states if state == b"live"]
            ):
                await tell_end(self._redis, self._pool, room, self._log_max)
