"""Adding up what creators earned and gifters gave, behind settlement and beside it: each settled gift exactly once.

The mark of a shard moves in the transaction that adds its gifts up, and never past the shard's cursor. Numbers have no
gap: each of them is a gift or in quarantine. So the count of what was found says whether all of it was.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

import asyncpg

from server.ledger.backoff import Outage
from server.ledger.partitions import DAY_US
from server.ledger.spending import boards
from server.stores.postgres import Connection, Pool

NUMBERS_MAX = 10_000
"""Numbers added up in one transaction."""
EVER_US = -(2**63)

_LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('earnings'))"
"""One at a time: shards share the rows of a creator, and there is nothing to be gained side by side."""


class EarningsGapError(Exception):
    """Settled numbers are neither gifts nor in quarantine: the ledger itself lacks them."""


class Rollup:
    """Keeps adding up; a shard whose gifts cannot be added up is left where it is, is said once, and stops no other."""

    def __init__(self, pool: Pool, shards: int, on_looks: Callable[[list[str]], Awaitable[None]] | None = None) -> None:
        """on_looks: told, after the commit, of users who look different now: of another level, or with an upgrade."""
        self._pool = pool
        self._on_looks = on_looks
        self._faults = {shard: Outage("adding up earnings", shard=shard) for shard in range(shards)}

    async def add_up(self) -> int:
        """Adds up the next numbers of every shard that is behind; answers how many, 0 also when somebody is at it."""
        await self._pool.execute("INSERT INTO earning_marks (shard) SELECT shard FROM shards ON CONFLICT DO NOTHING")
        behind = await self._pool.fetch(
            """
            SELECT shards.shard FROM shards JOIN earning_marks USING (shard)
            WHERE (shards.epoch, shards.number) > (earning_marks.epoch, earning_marks.number) ORDER BY 1
            """
        )
        total = 0
        for row in behind:
            try:
                total += await self._add_shard(row["shard"])
            except (EarningsGapError, asyncpg.DataError) as error:
                self._faults[row["shard"]].failed(error)
            else:
                self._faults[row["shard"]].over()
        return total

    async def _add_shard(self, shard: int) -> int:
        async with self._pool.acquire() as conn, conn.transaction():
            added = await _add_batch(conn, shard) if await conn.fetchval(_LOCK) else _NOTHING
        if added.looks and self._on_looks is not None:
            await self._on_looks(added.looks)
        return added.numbers


class _Added(NamedTuple):
    """What one transaction added. looks: users who look different now."""

    numbers: int
    looks: list[str]


_NOTHING = _Added(0, [])


async def _add_batch(conn: Connection, shard: int) -> _Added:
    """Adds up a shard's next numbers and moves its mark, to a later epoch when one is over."""
    row = await conn.fetchrow(
        """
        SELECT earning_marks.epoch, earning_marks.number, at_us,
               shards.epoch AS settled_epoch, shards.number AS settled_number
        FROM earning_marks JOIN shards USING (shard) WHERE shard = $1
        """,
        shard,
    )
    assert row is not None
    epoch: int
    number: int
    epoch, number, at_us, settled_epoch, settled_number = row
    # Nothing more is settled of an epoch that is over: its last number is the last one there.
    last = settled_number if epoch == settled_epoch else await _last_number(conn, shard, epoch)
    while epoch < settled_epoch and last <= number:
        epoch, number = epoch + 1, 0
        last = settled_number if epoch == settled_epoch else await _last_number(conn, shard, epoch)
    to, newest, looks = min(last, number + NUMBERS_MAX), 0, list[str]()
    if to > number:
        try:
            # The bound only keeps older days' partitions out; time runs with the numbers, unless a clock was set back.
            async with conn.transaction():
                newest, looks = await _add(conn, shard, epoch, number, to, at_us - DAY_US)
        except EarningsGapError:
            newest, looks = await _add(conn, shard, epoch, number, to, EVER_US)
    await conn.execute(
        "UPDATE earning_marks SET epoch = $2, number = $3, at_us = greatest(at_us, $4) WHERE shard = $1",
        shard,
        epoch,
        to,
        newest,
    )
    return _Added(to - number, looks)


async def _last_number(conn: Connection, shard: int, epoch: int) -> int:
    last: int = await conn.fetchval(
        """
        SELECT greatest(
            (SELECT max(number) FROM gifts WHERE shard = $1 AND epoch = $2),
            (SELECT max(number) FROM quarantine WHERE shard = $1 AND epoch = $2),
            0)
        """,
        shard,
        epoch,
    )
    return last


async def _add(  # noqa: PLR0917
    conn: Connection, shard: int, epoch: int, after: int, to: int, since_us: int
) -> tuple[int, list[str]]:
    """Adds up the numbers after … to, accepted since; answers when the newest was, in µs, and who looks different now.

    Raises EarningsGapError when that is not all of them; the caller rolls back.
    """
    row = await conn.fetchrow(_ADD, shard, epoch, after, to, since_us)
    assert row is not None
    if row["gifts"] + row["aside"] != to - after:
        raise EarningsGapError(f"epoch {epoch}, after {after} to {to}: {row['gifts']} gifts, {row['aside']} set aside")
    return row["newest"], await boards.add(conn, shard, epoch, after, to, since_us)


def _into(table: str, *keys: tuple[str, str]) -> str:
    """A statement that adds the batch to a table. keys: the table's key columns, and what they are of a gift."""
    columns = ", ".join(column for column, _ in keys)
    values = ", ".join(value for _, value in keys)
    places = ", ".join(str(place) for place in range(1, len(keys) + 1))
    return f"""
        INSERT INTO {table} ({columns}, coins, diamonds, gifts)
        SELECT {values}, sum(coins)::bigint, sum(diamonds)::bigint, sum(count)::bigint
        FROM batch GROUP BY {places} ORDER BY {places}
        ON CONFLICT ({columns}) DO UPDATE SET
            coins = {table}.coins + excluded.coins, diamonds = {table}.diamonds + excluded.diamonds,
            gifts = {table}.gifts + excluded.gifts
    """  # noqa: S608 - only the names below


_CREATOR = ("creator_id", "creator_id")
_DAY = ("day", "at_us / 86400000000")
_ADD = f"""
    WITH batch AS MATERIALIZED (
        SELECT creator_id, room_id, viewer_id, gift_id, coins, diamonds, count, at_us FROM gifts
        WHERE shard = $1 AND epoch = $2 AND number > $3 AND number <= $4 AND at_us >= $5
    ),
    by_hour AS ({_into("earned_hours", _CREATOR, ("hour", "at_us / 3600000000"))}),
    by_gift AS ({_into("earned_gifts", _CREATOR, _DAY, ("room_id", "room_id"), ("gift_id", "gift_id"))}),
    by_gifter AS ({_into("earned_gifters", _CREATOR, _DAY, ("viewer_id", "viewer_id"))})
    SELECT count(*) AS gifts, coalesce(max(at_us), 0) AS newest, (
        SELECT count(*) FROM quarantine WHERE shard = $1 AND epoch = $2 AND number > $3 AND number <= $4
    ) AS aside
    FROM batch
"""  # noqa: S608 - put together from the names here
