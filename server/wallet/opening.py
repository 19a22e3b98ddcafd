"""Opening a shard on the Redis that is there now: restarted, promoted, emptied, or older than the ledger.

The library in Redis refuses a shard (`FENCED`) until it was opened on that very server process. Opening compares
what Redis holds with the ledger's cursor, under the lock of the cursor row, so that settlement stands still meanwhile.
It happens in two transactions: the first decides and announces a token, the second gives the token to Redis and
confirms it (server/ledger/openings.py says why). A crash at any point leaves a shard that the next opener understands.
"""

import asyncio

import asyncpg
import structlog
from asyncpg.pool import PoolConnectionProxy
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from server.domain.gift import Accepted
from server.ledger import openings
from server.ledger import shards as ledger_shards
from server.ledger.remembered import remembered
from server.ledger.shards import ShardState
from server.settings import Settings
from server.stores import keys
from server.stores.redis import StoreUnfit, is_missing_function, load_functions
from server.wallet.answers import encode_answer

log = structlog.get_logger()

OPEN_TRIES_MAX = 3
"""How often an opening is begun anew because Redis or the ledger changed under it."""


_INCIDENTS = {"redis_behind_ledger", "redis_left_behind"}
"""Reasons for a new epoch that an operator has to look at."""


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
            task.add_done_callback(lambda done: self._opened(shard, done))
        await asyncio.shield(task)

    def _opened(self, shard: int, opening: asyncio.Task[None]) -> None:
        del self._opening[shard]
        if not opening.cancelled():
            # Whoever asked may be gone: a failure that nobody waits for is none.
            opening.exception()

    async def open_all(self) -> None:
        """Opens every shard; the first failure is raised."""
        for shard in range(self._settings.wallet_shards):
            await self.open(shard)

    async def _open(self, shard: int) -> None:
        try:
            seen = await self._look(shard)
        except RedisError as error:
            if not is_missing_function(error):
                raise
            await load_functions(self._redis)
            seen = await self._look(shard)
        if seen.opened:
            return
        for _ in range(OPEN_TRIES_MAX):
            try:
                token = await self._announce(shard)
                if token is None or await self._open_as_announced(shard, token):
                    return
            except ResponseError as error:
                if not is_closed(error):  # else it is not as it was seen any more
                    raise
        raise TimeoutError(f"others open wallet shard {shard}, or replace it, again and again")

    async def _announce(self, shard: int) -> str | None:
        """Decides whether Redis goes on or begins anew, and tells the ledger; None if the shard is open by now."""
        async with self._pool.acquire() as connection, connection.transaction():
            held = await ledger_shards.hold_shard(connection, shard)
            # Read again under the lock: another process may have opened it while we waited.
            seen = await self._look(shard)
            if seen.opened:
                return None
            why = _why_anew(shard, held, seen)
            if why is None:
                token = openings.new_token()
            else:
                token = await self._begin_epoch(connection, shard, seen, held.cursor, why)
            await openings.announce(connection, shard, token)
            return token

    async def _open_as_announced(self, shard: int, token: str) -> bool:
        """Opens the shard, now that the ledger would recognise the token; False if somebody else was faster."""
        async with self._pool.acquire() as connection, connection.transaction():
            held = await ledger_shards.hold_shard(connection, shard)
            seen = await self._look(shard)
            if seen.opened:
                return True
            # Redis may have been replaced since the look that the announcement stands on.
            known = token in held.openings.announced and held.openings.know(seen.opening)
            if not known or seen.behind(held.cursor):
                return False
            arguments = (seen.epoch, seen.number, seen.opening, token)
            await self._redis.fcall("gs_open", 1, keys.shard(shard), *arguments)
            await openings.confirm(connection, shard, token)
        log.info("shard opened", shard=shard, epoch=seen.epoch, number=seen.number)
        return True

    async def _look(self, shard: int) -> ShardState:
        seen = ShardState.read(await self._redis.fcall("gs_state", 1, keys.shard(shard)))
        wanted = self._settings.wallet_shards
        if seen.shards not in {0, wanted}:
            raise StoreUnfit(
                f"Redis was set up with {seen.shards} wallet shards, GIFTSTREAM_WALLET_SHARDS says {wanted}"
            )
        return seen

    async def _begin_epoch(
        self,
        connection: PoolConnectionProxy,
        shard: int,
        seen: ShardState,
        cursor: ledger_shards.Cursor,
        why: str,
    ) -> str:
        """Empties the shard in Redis, gives it back the answers that the ledger knows, and moves the cursor.

        Answers the token that Redis carries when all of it is there.
        """
        key, epoch = keys.shard(shard), max(seen.epoch, cursor.epoch) + 1
        place, token = (seen.epoch, seen.number, seen.opening), openings.new_token()
        await self._redis.fcall("gs_reset", 1, key, *place, epoch, self._settings.wallet_shards, token)
        dedupe_s = self._settings.dedupe_s
        async for page in remembered(connection, shard, 2 * dedupe_s):
            arguments: list[str | bytes] = []
            for gift in page:
                answer = Accepted(gift.gift_id, gift.coins_after, gift.combo, gift.combo_first, gift.at_us, "")
                arguments += [f"{gift.viewer}:{gift.request_id}", encode_answer(answer)]
            before, token = token, openings.new_token()
            await self._redis.fcall("gs_remember", 1, key, epoch, before, token, dedupe_s, *arguments)
        await ledger_shards.begin_epoch(connection, shard, epoch)
        found = {"redis": [seen.epoch, seen.number], "ledger": [cursor.epoch, cursor.number]}
        if why in _INCIDENTS:
            await ledger_shards.record_incident(connection, shard, why, found)
            log.error("shard began a new epoch", why=why, shard=shard, epoch=epoch, **found)
        else:
            log.info("shard began an epoch", why=why, shard=shard, epoch=epoch, **found)
        return token


def _why_anew(shard: int, held: ledger_shards.HeldShard, seen: ShardState) -> str | None:
    """Why the shard cannot go on with what Redis holds; None if it can.

    Raises StoreUnfit for gifts that are not settled in a Redis whose wallets another version keeps in another way.
    """
    if held.cursor.epoch == 0:
        return "first_start"
    if seen.behind(held.cursor):
        return "redis_behind_ledger"
    if not held.openings.know(seen.opening):
        return "redis_left_behind"
    if seen.legible:
        return None
    unsettled = seen.number - held.cursor.number
    if unsettled:
        raise StoreUnfit(
            f"Redis holds {unsettled} unsettled gifts of wallet shard {shard} that another version accepted:"
            " let that version settle them first"
        )
    return "kept_in_another_way"
