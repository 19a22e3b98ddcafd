"""Days have their partitions before they come, and a wrong clock loses nothing."""

import asyncio
import time

from server.ledger import partitions
from server.ledger.partitions import DAY_US, DAYS_AHEAD
from tests.ledger.stage import Stage

FAR_AHEAD_S = 4_000_000_000.0


async def test_the_days_ahead_are_there_after_a_migration(stage: Stage) -> None:
    today = int(time.time() * 1_000_000) // DAY_US
    for day in range(today - 1, today + DAYS_AHEAD + 1):
        assert await _partition_of(stage, day * DAY_US) != "gifts_default"
    assert await _partition_of(stage, (today + DAYS_AHEAD + 2) * DAY_US) == "gifts_default"


async def test_making_them_again_and_at_once_makes_none_twice(stage: Stage) -> None:
    async def make() -> list[str]:
        async with stage.pool.acquire() as conn:
            return await partitions.make_ahead(conn, FAR_AHEAD_S)

    made = await asyncio.gather(*(make() for _ in range(4)))
    names = [name for some in made for name in some]
    assert len(names) == len(set(names)) == DAYS_AHEAD + 2


async def test_gifts_of_a_day_without_a_partition_are_settled_and_move_to_their_day_later(stage: Stage) -> None:
    await stage.viewer("ann", 100)
    at_us = int(FAR_AHEAD_S * 1_000_000)
    await stage.forge("ann", at_us=at_us)
    await stage.forge("ann", at_us=at_us + 5 * DAY_US)
    await stage.forge("ann", at_us=at_us + 50 * DAY_US)
    assert await stage.settle() == 3
    assert await stage.pool.fetchval("SELECT count(*) FROM gifts_default") == 3
    async with stage.pool.acquire() as conn:
        await partitions.make_ahead(conn, FAR_AHEAD_S)
    assert await stage.pool.fetchval("SELECT count(*) FROM gifts_default") == 1
    assert await stage.pool.fetchval("SELECT count(*) FROM gifts") == 3
    await stage.forge("ann", at_us=at_us)
    assert await stage.settle() == 1
    assert await stage.pool.fetchval("SELECT count(*) FROM gifts_default") == 1


async def _partition_of(stage: Stage, at_us: int) -> str:
    """Where a gift of this time goes."""
    async with stage.pool.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        try:
            return await conn.fetchval(
                "INSERT INTO gifts VALUES ($1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 'v', 'r', 'c', 'g', 'q')"
                " RETURNING tableoid::regclass::text",
                at_us,
            )
        finally:
            await transaction.rollback()
