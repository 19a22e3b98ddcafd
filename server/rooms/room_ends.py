"""The end of a room, told to Redis after the ledger has it: by whoever ended it, or by the worker if that one died."""

from redis.asyncio import Redis

from server.domain.ids import RoomId
from server.ledger import rooms as ledger_rooms
from server.settings import Settings
from server.stores import keys
from server.stores.postgres import Pool

ENDS_PER_SWEEP = 100


async def tell_end(redis: Redis, pool: Pool, room: RoomId, log_max: int) -> None:
    """Ends the room in Redis, for everyone in it; one that is not loaded will be loaded as ended. Raises STORE_AWAY."""
    await redis.fcall("gs_room_end", 1, keys.room(room), str(log_max))
    await ledger_rooms.end_told(pool, room)


class RoomEnds:
    """The worker's look for ends that Redis did not hear of."""

    def __init__(self, redis: Redis, pool: Pool, settings: Settings) -> None:
        self._redis = redis
        self._pool = pool
        self._log_max = settings.room_log_deltas

    async def tell(self) -> None:
        """Tells Redis of some. Raises what the stores raise."""
        for room in await ledger_rooms.ends_untold(self._pool, ENDS_PER_SWEEP):
            await tell_end(self._redis, self._pool, room, self._log_max)
