"""Settlement: the log of each shard becomes double entries in Postgres, exactly once.

One transaction for each batch: the shard's cursor row is locked, the log is read from the cursor (never from a place
remembered elsewhere), gifts and entries are written, the cursor moves. Only then does Redis hear that it may forget
them; if we die in between, the next pass sees that Redis has not heard and tells it again, from the log.
"""

import asyncpg
import structlog
from redis.asyncio import Redis

from server.domain.gift import GiftRecord
from server.ledger import metrics
from server.ledger.booking import Misfit, add_up, book
from server.ledger.directory import Directory, Known
from server.ledger.log import ForeignRedisError, LogGapError, Stretch, read_log
from server.ledger.openings import confirm
from server.ledger.quarantine import Quarantined, set_aside
from server.ledger.shards import Cursor, HeldShard, advance_cursor, assure_held, claim_shard
from server.settings import Settings
from server.stores import keys
from server.stores.columns import column
from server.stores.postgres import Connection, Pool

log = structlog.get_logger()

BATCH_BYTES_MAX = 16 * 1024 * 1024
NUMBERS_PER_MARK = 1_000
"""Numbers that one call to Redis frees: each wallet costs Redis a write, and nobody else is served meanwhile."""

_DATA_ERRORS = (asyncpg.DataError, asyncpg.CheckViolationError, OverflowError)
"""A gift's own fault: the others of its batch can still be booked. A number that is there already is no
gift's own fault: it fails the batch."""


class Settler:
    """Settles single batches. Raises what the stores raise; nothing is half done then."""

    def __init__(self, redis: Redis, pool: Pool, settings: Settings) -> None:
        self._redis = redis
        self._pool = pool
        self._settings = settings
        self._directory = Directory(settings.wallet_shards)

    async def settle_once(self, shard: int) -> int:
        """Settles the next batch of a shard and answers how many numbers; 0 when there is none, or somebody is at it.

        Raises LogGapError when the log does not go on where the ledger ends, ForeignRedisError when this Redis is not
        the one that the shard was opened on last.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            held = await claim_shard(conn, shard)
            if held is None:
                return 0
            # Everything here is looked up by key, a batch at a time. Plans made for the numbers at hand can prefer to
            # scan a whole table of accounts for them; the generic ones never do.
            await conn.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            try:
                found = await self._read_on(conn, shard, held)
            except (LogGapError, ForeignRedisError):
                # Unless the cursor was lost meanwhile, and with it the right to wonder: others may have moved it.
                await assure_held(conn)
                raise
            if found is None:
                return 0
            stretch, marked = found
            set_apart = await self._write(conn, stretch) if stretch.numbers else []
        self._count(stretch, set_apart)
        if marked < held.cursor.number:
            await self._mark_again(shard, held.cursor.epoch, marked, held.cursor.number)
        await self._mark(stretch)
        return stretch.numbers

    async def _read_on(self, conn: Connection, shard: int, held: HeldShard) -> tuple[Stretch, int] | None:
        """What follows the cursor in the log, and up to where Redis knows what is settled; None if it cannot go on."""
        cursor = held.cursor
        epoch, number, marked, opening = await self._state(shard)
        if epoch != cursor.epoch:
            return None  # about to be begun anew, by whoever opens it
        if not held.openings.know(opening):
            raise ForeignRedisError(f"shard {shard} was opened last on another Redis than this one")
        if opening != held.openings.confirmed:
            await confirm(conn, shard, opening)
        stretch = await read_log(
            self._redis,
            shard,
            epoch,
            cursor.number,
            gifts_max=self._settings.settle_batch,
            bytes_max=BATCH_BYTES_MAX,
            opening=opening,
        )
        if stretch.numbers == 0 and number > cursor.number:
            raise LogGapError(f"shard {shard} epoch {epoch}: the log has nothing after {cursor.number} of {number}")
        return stretch, marked

    async def _state(self, shard: int) -> tuple[int, int, int, str]:
        fields = ("epoch", "number", "settled", "opening")
        held: list[bytes | None] = await self._redis.hmget(keys.shard(shard), fields)  # type: ignore[assignment]
        epoch, number, settled, opening = held
        return int(epoch or 0), int(number or 0), int(settled or 0), (opening or b"").decode()

    async def _write(self, conn: Connection, stretch: Stretch) -> list[Quarantined]:
        """Everything of a batch; answers what had to be set aside."""
        known = await self._directory.look_up(conn, stretch.gifts, stretch.shard)
        misfits = await self._book(conn, stretch, stretch.gifts, known)
        set_apart = [Quarantined.of_gift(misfit.gift, misfit.reason) for misfit in misfits]
        set_apart += [Quarantined.of_unreadable(bad) for bad in stretch.unreadable]
        if set_apart:
            await set_aside(conn, stretch.shard, stretch.epoch, set_apart)
        await advance_cursor(conn, stretch.shard, Cursor(stretch.epoch, stretch.to))
        return set_apart

    async def _book(self, conn: Connection, stretch: Stretch, gifts: list[GiftRecord], known: Known) -> list[Misfit]:
        """Books what can be booked and answers what cannot, found by halving the batch."""
        sums = add_up(gifts, known)
        if not sums.gifts:
            return sums.misfits
        try:
            async with conn.transaction():
                await book(conn, stretch.shard, stretch.epoch, sums, known)
        except _DATA_ERRORS as error:
            if len(sums.gifts) == 1:
                return [*sums.misfits, Misfit(sums.gifts[0], f"refused by the database: {_first_line(error)}")]
            half = len(sums.gifts) // 2
            found = await self._book(conn, stretch, sums.gifts[:half], known)
            return [*sums.misfits, *found, *await self._book(conn, stretch, sums.gifts[half:], known)]
        return sums.misfits

    def _count(self, stretch: Stretch, set_apart: list[Quarantined]) -> None:
        if not stretch.numbers:
            return
        metrics.SETTLED_BATCHES.inc()
        metrics.SETTLED_GIFTS.inc(stretch.numbers - len(set_apart))
        metrics.QUARANTINED_GIFTS.inc(len(set_apart))
        for gift in set_apart:
            log.error(
                "gift could not be settled and is in quarantine",
                shard=stretch.shard,
                epoch=stretch.epoch,
                number=gift.number,
                reason=gift.reason,
            )

    async def _mark(self, stretch: Stretch) -> None:
        """Tells Redis what is settled: it frees the viewers' pending coins and trims the log."""
        for after, to, coins_by_viewer in stretch.taken(NUMBERS_PER_MARK):
            viewers, coins = column(list(coins_by_viewer)), column(list(coins_by_viewer.values()))
            place = (stretch.epoch, after, to, self._settings.wallet_idle_s)
            if await self._redis.fcall("gs_settled", 1, keys.shard(stretch.shard), *place, viewers, coins) != b"ok":
                return  # somebody else told it

    async def _mark_again(self, shard: int, epoch: int, after: int, to: int) -> None:
        """Makes up for whoever committed and died before Redis heard of it."""
        log.info("telling Redis again what was settled", shard=shard, epoch=epoch, after=after, to=to)
        while after < to:
            try:
                stretch = await read_log(
                    self._redis,
                    shard,
                    epoch,
                    after,
                    to=to,
                    gifts_max=self._settings.settle_batch,
                    bytes_max=BATCH_BYTES_MAX,
                )
            except LogGapError:
                # Nobody holds the shard now: somebody else may have told it meanwhile, and the log was trimmed.
                now_epoch, _, marked, _ = await self._state(shard)
                if (now_epoch, marked) != (epoch, after):
                    return
                raise
            if stretch.numbers == 0:
                return  # trimmed: somebody else told it
            await self._mark(stretch)
            after = stretch.to


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
