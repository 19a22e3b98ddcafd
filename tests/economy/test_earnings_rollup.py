"""What creators earned is added up from each settled gift once, whatever happens between two looks."""

from __future__ import annotations

import asyncio
import time

import orjson

from server.ledger.creators.rollup import Rollup
from server.ledger.partitions import DAY_US
from tests.ledger.conftest import stage
from tests.ledger.stage import Stage, StageRoom

__all__ = ["stage"]

OTHER = StageRoom("r_2", "other")


async def kept(stage: Stage, table: str, creator: str = "creator") -> tuple[int, int, int]:
    """Diamonds, coins and pieces that were added up."""
    row = await stage.pool.fetchrow(
        f"SELECT sum(diamonds)::bigint, sum(coins)::bigint, sum(gifts)::bigint FROM {table} WHERE creator_id = $1",
        creator,
    )
    return tuple(row.values())  # type: ignore[return-value]


def rollup(stage: Stage) -> Rollup:
    return Rollup(stage.pool, stage.settings.wallet_shards)


async def test_many_who_add_up_at_once_count_each_gift_once(stage: Stage) -> None:
    await stage.room("r_2", "other")
    for viewer in ("ann", "bob", "cid", "dora"):
        await stage.viewer(viewer, 1_000)
        await stage.give(viewer, "rose", 2, times=3)
        await stage.give(viewer, "cap", room=OTHER)
    assert await rollup(stage).add_up() == 0, "nothing is settled yet"
    await stage.settle()
    added = await asyncio.gather(*(rollup(stage).add_up() for _ in range(5)))
    while more := await rollup(stage).add_up():
        added.append(more)
    assert sum(added) == 16
    for table in ("earned_hours", "earned_gifts", "earned_gifters"):
        assert await kept(stage, table) == (24, 24, 24)
        assert await kept(stage, table, "other") == (4 * 99, 4 * 99, 4)
    assert await stage.pool.fetchval("SELECT count(*) FROM earned_gifters WHERE creator_id = 'other'") == 4
    await stage.give("ann")
    await stage.settle()
    assert await rollup(stage).add_up() == 1
    assert await kept(stage, "earned_hours") == (25, 25, 25)
    assert (await stage.audit()).ok


async def test_what_was_set_aside_an_epoch_that_ended_and_a_clock_set_back_leave_nothing_out(stage: Stage) -> None:
    await stage.viewer("ann", 1_000)
    shard, now_us = stage.shard("ann"), time.time_ns() // 1000
    await stage.opener.open(shard)
    aside = stage.record(2, "ann", gift="nosuch")
    ages_days = {1: 0, 3: 0, 4: 3, 5: 40, 6: 0}
    records = {number: stage.record(number, "ann", at_us=now_us - days * DAY_US) for number, days in ages_days.items()}
    await stage.append(shard, orjson.dumps([records[1], aside, records[3]]), 3)
    await stage.settle()
    assert await rollup(stage).add_up() == 3
    await stage.append(shard, orjson.dumps([records[4], records[5], records[6]]), 3)
    await stage.settle()
    await stage.redis.flushall()
    await stage.opener.open(shard)
    await stage.wallets.refresh("ann")
    await stage.give("ann", times=4)
    await stage.settle()
    assert await stage.pool.fetchval("SELECT epoch FROM shards WHERE shard = $1", shard) == 2
    passes = rollup(stage)
    assert await passes.add_up() == 3
    assert passes.more, "the epoch that runs is still to be added up"
    while passes.more:
        await passes.add_up()
    assert await kept(stage, "earned_hours") == (9, 9, 9)
    assert await stage.pool.fetchval("SELECT count(DISTINCT day) FROM earned_gifts") == 3


async def test_a_hole_in_the_ledger_stops_its_own_shard_and_the_audit_sees_it(stage: Stage) -> None:
    viewers = {stage.shard(viewer): viewer for viewer in (f"v{n}" for n in range(40))}
    (holed, first), (_, second), *_ = viewers.items()
    for viewer in (first, second):
        await stage.viewer(viewer, 100)
        await stage.give(viewer, times=3)
    await stage.settle()
    await stage.execute("DELETE FROM gifts WHERE shard = $1 AND number = 2", holed)
    assert await rollup(stage).add_up() == 3
    assert await stage.pool.fetchval("SELECT number FROM earning_marks WHERE shard = $1", holed) == 0
    assert await kept(stage, "earned_gifters") == (3, 3, 3)
    assert not (await stage.audit()).ok


async def test_the_audit_compares_what_was_added_up_with_the_gifts(stage: Stage) -> None:
    await stage.viewer("ann", 100)
    await stage.give("ann", times=5)
    await stage.settle()
    await rollup(stage).add_up()
    assert (await stage.audit()).ok
    for change, undo in (
        ("UPDATE earned_hours SET diamonds = diamonds + 1", "UPDATE earned_hours SET diamonds = diamonds - 1"),
        ("UPDATE earned_gifts SET gifts = gifts + 1", "UPDATE earned_gifts SET gifts = gifts - 1"),
        ("UPDATE earned_gifters SET coins = coins - 1", "UPDATE earned_gifters SET coins = coins + 1"),
        ("UPDATE earning_marks SET number = number - 2", "UPDATE earning_marks SET number = number + 2"),
    ):
        await stage.pool.execute(change)
        failed = [check.name for check in (await stage.audit()).checks if not check.ok]
        assert set(failed) - {"boards_added_up"} == {"earnings_added_up"}, change
        await stage.pool.execute(undo)
    assert (await stage.audit()).ok
