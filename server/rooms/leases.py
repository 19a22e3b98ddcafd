"""Which worker reads which wallet shards into the rooms: a fair share each, and all of them when alone.

Leases only save work. Two workers that read the same shard do no harm: a room counts each gift once (see `apply.py`).
"""

import asyncio
import math
import time

from redis.asyncio import Redis

from server.stores import keys

LEASE_MS = 3_000
RENEW_EVERY_S = 1.0
WORKER_ALIVE_S = 5.0
WORKER_FORGOTTEN_S = 60.0


class Leases:
    """The shards that this worker reads."""

    def __init__(self, redis: Redis, wallet_shards: int, worker_id: str) -> None:
        self._redis = redis
        self._shards = range(wallet_shards)
        self._worker = worker_id.encode()
        self._renew_at_s = float("-inf")
        self.held: set[int] = set()

    async def renew(self) -> None:
        """Renews, takes and gives up leases, if it is time. Raises RedisError when Redis is away."""
        now_s = asyncio.get_running_loop().time()
        if now_s < self._renew_at_s:
            return
        owners = await self._redis.mget([keys.shard_lease(shard) for shard in self._shards])
        share = math.ceil(len(self._shards) / await self._workers())
        mine = [shard for shard in self._shards if owners[shard] == self._worker]
        free = [shard for shard in self._shards if owners[shard] is None]
        for shard in mine[share:]:
            await self._redis.delete(keys.shard_lease(shard))
        kept = mine[:share]
        pipeline = self._redis.pipeline(transaction=False)
        for shard in kept:
            pipeline.set(keys.shard_lease(shard), self._worker, px=LEASE_MS)
        wanted = free[: share - len(kept)]
        for shard in wanted:
            pipeline.set(keys.shard_lease(shard), self._worker, px=LEASE_MS, nx=True)
        answers = await pipeline.execute() if kept or wanted else []
        taken = [shard for shard, got in zip(wanted, answers[len(kept) :], strict=True) if got]
        self.held = {*kept, *taken}
        self._renew_at_s = now_s + RENEW_EVERY_S

    async def give_up(self) -> None:
        """Lets other workers take over at once."""
        held, self.held = self.held, set()
        self._renew_at_s = float("-inf")
        for shard in held:
            if await self._redis.get(keys.shard_lease(shard)) == self._worker:
                await self._redis.delete(keys.shard_lease(shard))
        await self._redis.zrem(keys.WORKERS, self._worker)

    async def _workers(self) -> int:
        """How many workers are alive, this one among them."""
        now_s = time.time()
        await self._redis.zadd(keys.WORKERS, {self._worker: now_s + WORKER_ALIVE_S})
        await self._redis.zremrangebyscore(keys.WORKERS, "-inf", now_s - WORKER_FORGOTTEN_S)
        return max(1, int(await self._redis.zcount(keys.WORKERS, now_s, "+inf")))
