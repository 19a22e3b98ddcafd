"""The loop that settles: by itself, through outages, and past the fault of a single shard."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from structlog.testing import capture_logs

from server.ledger.settling import SettlingLoop
from server.settings import Settings
from server.stores import keys
from server.stores.embedded_postgres import EmbeddedPostgres
from server.stores.embedded_valkey import EmbeddedValkey
from tests.ledger.stage import Stage

DEADLINE_S = 30.0


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Waits for a condition, and fails when it does not come."""
    async with asyncio.timeout(DEADLINE_S):
        while not await condition():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def settling(stage: Stage, settings: Settings | None = None) -> AsyncIterator[SettlingLoop]:
    """A loop that runs, and is stopped and looked at in the end."""
    loop = SettlingLoop(stage.redis, stage.pool, settings or stage.settings, stage.opener.open)
    stop = asyncio.Event()
    running = asyncio.create_task(loop.run(stop))
    try:
        yield loop
    finally:
        stop.set()
        await running


async def settled(stage: Stage) -> int:
    return await stage.pool.fetchval("SELECT count(*) FROM gifts")


async def test_gifts_are_settled_by_themselves(stage: Stage) -> None:
    async with settling(stage):
        for viewer in ("ann", "bea", "cat"):
            await stage.viewer(viewer, 100)
            await stage.give(viewer, times=5)
        await until(lambda: _is(settled(stage), 15))
    assert (await stage.audit()).ok


async def test_a_full_batch_does_not_wait_for_the_interval(stage: Stage) -> None:
    slow = replace(stage.settings, settle_interval_ms=60_000, settle_batch=10)
    loop = SettlingLoop(stage.redis, stage.pool, slow, stage.opener.open)
    await stage.viewer("ann", 100)
    await stage.give("ann")
    await _look(loop)
    assert await settled(stage) == 1
    await stage.give("ann", times=9)
    await _look(loop)
    assert await settled(stage) == 1
    await stage.give("ann")
    await _look(loop)
    assert await settled(stage) == 11


async def test_drain_settles_all_there_is_and_returns(stage: Stage) -> None:
    small = replace(stage.settings, settle_batch=3, settle_interval_ms=60_000)
    for viewer in ("ann", "bea", "cat", "dan"):
        await stage.viewer(viewer, 100)
        for _ in range(4):
            await stage.give(viewer, times=3)
    await SettlingLoop(stage.redis, stage.pool, small, stage.opener.open).drain()
    assert await settled(stage) == 48


async def test_the_fault_of_one_shard_stops_no_other_and_is_an_incident(stage: Stage) -> None:
    await stage.viewer("ann", 100)
    await stage.viewer("bea", 100)
    assert stage.shard("ann") != stage.shard("bea")
    await stage.give("ann")
    await stage.redis.delete(keys.shard_log(stage.shard("ann")))
    with capture_logs() as logs:
        async with settling(stage):
            await stage.give("bea", times=2)
            await until(lambda: _is(settled(stage), 2))
            await until(lambda: _is(stage.pool.fetchval("SELECT count(*) FROM incidents"), 1))
            await stage.give("bea", times=2)
            await until(lambda: _is(settled(stage), 4))
    incident = await stage.pool.fetchrow("SELECT shard, kind FROM incidents")
    assert incident is not None
    assert tuple(incident) == (stage.shard("ann"), "gap_in_log")
    assert len([line for line in logs if line["event"] == "put off"]) == 1


async def test_a_redis_that_was_wiped_is_opened_again_and_settlement_goes_on(stage: Stage) -> None:
    await stage.viewer("ann", 100)
    async with settling(stage):
        await stage.give("ann", times=3)
        await until(lambda: _is(settled(stage), 3))
        await stage.redis.flushall()
        await stage.redis.execute_command("FUNCTION FLUSH")
        await stage.give("ann", times=2)
        await until(lambda: _is(settled(stage), 5))
    assert await stage.balance("ann") == 95
    report = await stage.audit()
    assert report.ok, report.render()


async def test_postgres_may_stop_and_come_back(stage: Stage, postgres: EmbeddedPostgres) -> None:
    await stage.viewer("ann", 1_000)
    with capture_logs() as logs:
        async with settling(stage):
            await stage.give("ann", times=3)
            await until(lambda: _is(settled(stage), 3))
            await postgres.stop()
            try:
                await stage.give("ann", times=4)
                await until(lambda: _is(_count(logs, "put off"), 1))
            finally:
                await postgres.start()
            await until(lambda: _is(settled(stage), 7))
            await until(lambda: _is(_count(logs, "going on"), 1))
    assert await _count(logs, "put off") == 1
    assert (await stage.audit()).ok


async def test_redis_may_be_killed_and_come_back(stage: Stage, valkey: EmbeddedValkey) -> None:
    await stage.viewer("ann", 1_000)
    async with settling(stage):
        await stage.give("ann", times=3)
        await until(lambda: _is(settled(stage), 3))
        await stage.give("ann", times=4)
        assert valkey.child is not None
        os.kill(valkey.child.pid, signal.SIGKILL)
        await valkey.child.wait(5)
        await valkey.start()
        await until(lambda: _is(settled(stage), 7))
        # The mark can only move when the shard is open again, and nobody but the loop opened it.
        await until(lambda: _is(stage.redis.hget(keys.shard(stage.shard("ann")), "settled"), b"7"))
        await stage.give("ann", times=2)
        await until(lambda: _is(settled(stage), 9))
    report = await stage.audit()
    assert report.ok, report.render()


async def _look(loop: SettlingLoop) -> None:
    """One look of the loop, and what it started."""
    await loop._look()
    loop._start_due()
    await asyncio.gather(*loop._running.values())
    loop._reap()


async def _is(found: Awaitable[object], wanted: object) -> bool:
    try:
        return await found == wanted
    except Exception:  # noqa: BLE001 - the store is away for a while in these tests
        return False


async def _count(logs: list, event: str) -> int:  # type: ignore[type-arg]
    return len([line for line in logs if line["event"] == event])
