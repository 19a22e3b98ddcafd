"""The worker: one process that brings the log into the rooms and the ledger, and finishes before it leaves."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from socket import socket

import aiohttp
import pytest
from structlog.testing import capture_logs

from server.domain.ids import UserId
from server.ledger import wallets
from server.ledger.migrate import MigrationError
from server.rooms.apply import RoomsReader
from server.settings import Settings
from server.start_error import StartError
from server.stores import both, keys
from server.wallet import credit_sweeper
from server.worker import run_worker
from tests.ledger.stage import ROOM, Stage
from tests.serve_process import plain_environ

DEADLINE_S = 60.0


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not await condition():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def working(settings: Settings) -> AsyncIterator[None]:
    """A worker in this process, until the end of the block; then it has drained."""
    stopping = asyncio.Event()
    running = asyncio.create_task(run_worker(settings, stopping=stopping))
    try:
        yield
    finally:
        stopping.set()
        await running


async def start_process(settings: Settings, folder: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "server", "worker",
        env=plain_environ(**settings.as_environ()), cwd=folder,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip


async def settled(stage: Stage) -> int:
    return await stage.pool.fetchval("SELECT count(*) FROM gifts")


async def counted(stage: Stage) -> int:
    return int(await stage.redis.hget(keys.room(ROOM), "gifts") or 0)


async def test_gifts_reach_the_room_and_the_ledger_and_the_worker_is_seen_alive(stage: Stage) -> None:
    await stage.viewer("ann", 1_000)

    async def arrived() -> bool:
        return (await settled(stage), await counted(stage)) == (5, 5)

    async with working(stage.settings):
        await stage.give("ann", times=5)
        await until(arrived)
        assert await stage.redis.zcount(keys.WORKERS, time.time(), "+inf") == 1
    assert (await stage.audit()).ok


async def test_a_worker_that_is_told_to_stop_first_finishes_what_was_accepted(stage: Stage, tmp_path: Path) -> None:
    slow = replace(stage.settings, settle_interval_ms=60_000, drain_timeout_s=30.0)
    await stage.viewer("ann", 1_000)
    process = await start_process(slow, tmp_path)
    try:
        await until(lambda: _alive(stage))
        for _ in range(10):
            await stage.give("ann", times=10)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(DEADLINE_S):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert (await settled(stage), await counted(stage)) == (100, 100)
    assert await stage.redis.xlen(keys.shard_log(stage.shard("ann"))) == 0


async def test_a_worker_killed_again_and_again_settles_each_gift_once(stage: Stage, tmp_path: Path) -> None:
    eager = replace(stage.settings, settle_batch=20, settle_interval_ms=1)
    viewers = ["ann", "bea", "cat"]
    for viewer in viewers:
        await stage.viewer(viewer, 100_000)
    given = 0
    for round_number in range(3):
        process = await start_process(eager, tmp_path)
        before = await settled(stage)
        while await settled(stage) < before + 100:
            for viewer in viewers:
                await stage.give(viewer, times=20)
                given += 20
            await asyncio.sleep(0)
        os.kill(process.pid, signal.SIGKILL)
        assert await process.wait() == -signal.SIGKILL, round_number
    async with working(stage.settings):
        await until(lambda: _is(settled(stage), given))
    report = await stage.audit()
    assert report.ok, report.render()
    assert (report.totals["gifts_unsettled"], await counted(stage)) == (0, given)


async def test_a_credit_that_a_crash_left_behind_is_applied(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credit_sweeper, "CREDIT_AGE_S", 0.0)
    await stage.viewer("ann", 10)
    await wallets.grant(stage.pool, UserId("ann"), 5, "purchase", "order", "")

    async def applied() -> bool:
        return (await stage.wallets.balance("ann")).coins == 15

    async with working(stage.settings):
        await until(applied)
        await until(lambda: _nothing(wallets.unapplied(stage.pool, 0, 10)))


async def test_days_ahead_get_their_partitions(stage: Stage) -> None:
    names = await stage.pool.fetch("SELECT relname FROM pg_class WHERE relname ~ '^gifts_[0-9]+$' AND relkind = 'r'")
    for row in names:
        await stage.pool.execute(f"DROP TABLE {row['relname']}")

    async def made() -> bool:
        found = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'gifts'::regclass"
        return await stage.pool.fetchval(found) == len(names) + 1

    async with working(stage.settings):
        await until(made)


async def test_health_and_metrics_are_served_where_a_port_is_set(stage: Stage) -> None:
    with closing(socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    guarded = replace(stage.settings, worker_port=port, metrics_token="secret")
    await stage.viewer("ann", 10)
    async with working(guarded), aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
        await stage.give("ann")
        await until(lambda: _is(settled(stage), 1))
        async with http.get("/healthz") as answer:
            assert answer.status == 200
        async with http.get("/metrics") as answer:
            assert answer.status == 401
        async with http.get("/metrics", headers={"Authorization": "Bearer secret"}) as answer:
            assert answer.status == 200
            text = await answer.text()
    for name in ("settled_gifts_total", "settlement_lag_gifts", "settlement_lag_seconds", "quarantined_gifts_total"):
        assert f"giftstream_{name} " in text


async def test_a_port_that_is_taken_is_one_line(stage: Stage) -> None:
    with closing(socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(StartError, match="GIFTSTREAM_WORKER_PORT"):
            await run_worker(replace(stage.settings, worker_port=taken.getsockname()[1]), stopping=asyncio.Event())


async def test_a_part_that_crashes_ends_the_worker_and_is_named(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def crash(self: RoomsReader, stop: asyncio.Event) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(RoomsReader, "run", crash)
    with capture_logs() as logs, pytest.raises(SystemExit) as ended:
        await run_worker(stage.settings, stopping=asyncio.Event())
    assert ended.value.code == 1
    lines = [line for line in logs if line["log_level"] == "critical"]
    assert [line["error"] for line in lines] == ["RuntimeError: broken on purpose"]


async def test_a_database_of_another_installation_is_refused(stage: Stage) -> None:
    with pytest.raises(MigrationError, match="WALLET_SHARDS"):
        await run_worker(replace(stage.settings, wallet_shards=8), stopping=asyncio.Event())


async def test_stores_that_do_not_answer_are_waited_for_and_then_named(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(both, "STORES_WAIT_S", 0.2)
    monkeypatch.setattr(both, "STORES_POLL_S", 0.05)
    away = replace(stage.settings, redis_url=f"unix://{tmp_path}/nothing.sock")
    with capture_logs() as logs, pytest.raises(StartError, match="Redis does not answer"):
        await run_worker(away, stopping=asyncio.Event())
    assert [line["event"] for line in logs] == ["waiting for the stores"]
    away = replace(stage.settings, database_url="postgresql://postgres@/x?host=/nowhere")
    with pytest.raises(StartError, match="Postgres does not answer"):
        await run_worker(away, stopping=asyncio.Event())


async def test_a_worker_told_to_stop_while_it_waits_for_stores_leaves_at_once(stage: Stage, tmp_path: Path) -> None:
    stopping = asyncio.Event()
    with capture_logs() as logs:
        running = asyncio.create_task(
            run_worker(replace(stage.settings, redis_url=f"unix://{tmp_path}/nothing.sock"), stopping=stopping)
        )
        await until(lambda: _said(logs, "waiting for the stores"))
        stopping.set()
        async with asyncio.timeout(DEADLINE_S):
            await running


async def _said(logs: list, event: str) -> bool:  # type: ignore[type-arg]
    return any(line["event"] == event for line in logs)


async def _alive(stage: Stage) -> bool:
    return bool(await stage.redis.zcount(keys.WORKERS, time.time(), "+inf"))


async def _is(found: Awaitable[int], wanted: int) -> bool:
    return await found == wanted


async def _nothing(found: Awaitable[list[UserId]]) -> bool:
    return not await found
