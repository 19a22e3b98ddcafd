"""Opening a shard on the Redis that is there now: restarted, promoted, emptied, or older than the ledger.

The library in Redis refuses a shard (`FENCED`) until it was opened on that very server process. Opening compares
what Redis holds with the ledger's cursor, under the lock of the cursor row, so that settlement stands still meanwhile.
"""

import asyncio

import asyncpg
import structlog
from asyncpg.pool import PoolConnectionProxy
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from server.domain.gift import Accepted
from server.ledger import shards as ledger_shards
from server.settings import Settings
from server.stores import keys
from server.stores.redis import StoreUnfit, is_missing_function, load_functions
from server.wallet.answers import encode_answer

log = structlog.get_logger()


def is_closed(error: RedisError) -> bool:
    """Whether a call was refused because its shard is not open on this server: open it, and call again."""
    return "FENCED" in str(error) or is_missing_function(error)


class ShardOpener:
    """Opens shards, each at most once at a time in this process."""

    def __init__(self, redis: Redis, pool: asyncpg.Pool, settings: Settings) -> None:
        self._redis = redis
        self._pool = pool
        self._settings = settings
        self._opening: dict[int, asyncio.Task[None]] = {}

    async def open(self, shard: int) -> None:
        """Returns when the shard is open. Raises RedisError, OSError or asyncpg errors when a store is away."""
        task = self._opening.get(shard)
        if task is None:
            task = asyncio.create_task(self._open(shard), name=f"open-shard-{shard}")
            self._opening[shard] = task
            task.add_done_callback(lambda _: self._opening.pop(shard, None))
        await asyncio.shield(task)

    async def open_all(self) -> None:
        """Opens every shard; the first failure is raised."""
        for shard in range(self._settings.wallet_shards):
            await self.open(shard)

    async def _open(self, shard: int) -> None:
        key = keys.shard(shard)
        try:
            epoch, number, is_open, shards = await self._state(key)
        except RedisError as error:
            if not is_missing_function(error):
                raise
            await load_functions(self._redis)
            epoch, number, is_open, shards = await self._state(key)
        if is_open:
            return
        if shards not in {0, self._settings.wallet_shards}:
            wanted = self._settings.wallet_shards
            raise StoreUnfit(f"Redis was set up with {shards} wallet shards, GIFTSTREAM_WALLET_SHARDS says {wanted}")
        async with self._pool.acquire() as connection, connection.transaction():
            cursor = await ledger_shards.lock_cursor(connection, shard)
            # Read again under the lock: another process may have opened it while we waited.
            epoch, number, is_open, _ = await self._state(key)
            if is_open:
                return
            if cursor.epoch == 0 or epoch != cursor.epoch or number < cursor.number:
                found = {"redis": [epoch, number], "ledger": [cursor.epoch, cursor.number]}
                epoch, number = max(epoch, cursor.epoch) + 1, 0
                await self._begin_epoch(connection, shard, epoch)
                if cursor.epoch != 0:
                    await ledger_shards.record_incident(connection, shard, "redis_behind_ledger", found)
                    log.error("shard began a new epoch: Redis was behind the ledger", shard=shard, epoch=epoch, **found)
        # Only now, with the ledger's new epoch committed, may the shard take gifts.
        try:
            await self._redis.fcall("gs_open", 1, key, epoch, number)
        except ResponseError:
            # Another process opened it as well, and it has taken gifts since.
            _, _, is_open, _ = await self._state(key)
            if not is_open:
                raise
            return
        log.info("shard opened", shard=shard, epoch=epoch, number=number)

    async def _state(self, key: str) -> tuple[int, int, bool, int]:
        row = await self._redis.fcall("gs_state", 1, key)
        return int(row[0]), int(row[1]), row[5] == b"1", int(row[6])

    async def _begin_epoch(self, connection: PoolConnectionProxy, shard: int, epoch: int) -> None:
        """Empties the shard in Redis, gives it back the answers that the ledger knows, and moves the cursor."""
        key = keys.shard(shard)
        await self._redis.fcall("gs_reset", 1, key, epoch, self._settings.wallet_shards)
        dedupe_s = self._settings.dedupe_s
        async for page in ledger_shards.remembered(connection, shard, 2 * dedupe_s):
            arguments: list[str] = []
            for gift in page:
                answer = Accepted(gift.gift_id, gift.coins_after, gift.combo, gift.combo_first, gift.at_us, "")
                arguments += [gift.viewer, gift.request_id, encode_answer(answer)]
            await self._redis.fcall("gs_remember", 1, key, epoch, dedupe_s, *arguments)
        await ledger_shards.begin_epoch(connection, shard, epoch)
