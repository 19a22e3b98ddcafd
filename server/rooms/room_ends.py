"""The end of a room, told to Redis after the ledger has it: by whoever ended it, or by the worker if that one died.

A Redis that came back older may have lost an end that it was told: so the worker also tells the ends of all rooms that
are live there, whenever another server process answers than before.
"""

from redis.asyncio import Redis

from server.domain.ids import RoomId
from server.ledger import rooms as ledger_rooms
from server.settings import Settings
from server.stores import keys
from server.stores.postgres import Pool
from server.stores.room_keys import room_pages

ENDS_PER_SWEEP = 100


async def tell_end(redis: Redis, pool: Pool, room: RoomId, log_max: int) -> None:
    """Ends the room in Redis, for everyone in it; one that is not loaded will be loaded as ended. Raises STORE_AWAY."""
    await redis.fcall("gs_room_end", 1, keys.room(room), str(log_max))
    await ledger_rooms.end_told(pool, room)


class RoomEnds:
    """The worker's look for ends that Redis did not hear of, or has lost."""

    def __init__(self, redis: Redis, pool: Pool, settings: Settings) -> None:
        self._redis = redis
        self._pool = pool
        self._log_max = settings.room_log_deltas
        self._shards = range(settings.wallet_shards)
        self._runs: list[bytes] = []
        """The server processes, by shard, after whose start the rooms that are live there were looked up."""

    async def tell(self) -> None:
        """Tells Redis of some. Raises what the stores raise."""
        for room in await ledger_rooms.ends_untold(self._pool, ENDS_PER_SWEEP):
            await tell_end(self._redis, self._pool, room, self._log_max)
        runs = await self._runs_now()
        if runs != self._runs:
            await self._tell_again()
            self._runs = runs

    async def _runs_now(self) -> list[bytes]:
        pipeline = self._redis.pipeline(transaction=False)
        for shard in self._shards:
            pipeline.fcall("gs_run", 1, keys.shard(shard))
        return await pipeline.execute()

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
