"""Viewers count for the ranks of their rooms: now and then, by how many there were and for how long."""

from redis.asyncio import Redis

from server.ledger import rooms as ledger_rooms
from server.ledger.room_totals import add_points
from server.stores import keys
from server.stores.postgres import Pool

SAMPLE_EVERY_S = 15.0
SAMPLE_S_MAX = 60.0
"""A longer pause between two samples, as when no worker ran, counts as this long."""
ROOMS_PER_PAGE = 1_000
POINTS_PER_VIEWER_MINUTE = 1.0
"""A viewer who watches for a minute is worth as much as a gift of one diamond."""


class ViewerRanks:
    """The worker's sampling; of several workers one does it."""

    def __init__(self, redis: Redis, pool: Pool) -> None:
        self._redis = redis
        self._pool = pool

    async def sample(self) -> None:
        """Adds what viewers are worth since the last sample, if that is long enough ago. Raises what stores raise."""
        passed_s = await ledger_rooms.claim_sample(self._pool, SAMPLE_EVERY_S)
        if passed_s is None:
            return
        minutes = min(passed_s, SAMPLE_S_MAX) / 60
        after = ""
        while page := await ledger_rooms.live_after(self._pool, after, ROOMS_PER_PAGE):
            pipeline = self._redis.pipeline(transaction=False)
            for room_id in page:
                pipeline.hget(keys.room(room_id), "viewers_sent")
            viewers = zip(page, await pipeline.execute(), strict=True)
            points = {room: int(count) * minutes * POINTS_PER_VIEWER_MINUTE for room, count in viewers if count}
            await add_points(self._pool, {room: worth for room, worth in points.items() if worth})
            after = page[-1]
