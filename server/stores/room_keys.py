"""Walking over the rooms that are loaded."""

from collections.abc import AsyncIterator

from redis.asyncio import Redis

from server.stores import keys

KEYS_PER_SCAN = 1_000


async def room_pages(redis: Redis) -> AsyncIterator[list[str]]:
    """Pages of room ids. One that is there all the while is in one of them, and may be in two."""
    cursor = 0
    while True:
        cursor, found = await redis.scan(cursor, match=keys.ROOMS, count=KEYS_PER_SCAN)
        rooms = [keys.read_room(key) for key in found if isinstance(key, bytes)]
        yield [room for room in rooms if room is not None]
        if cursor == 0:
            return
