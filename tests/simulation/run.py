"""A seed from its beginning to its verdict."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import structlog

from server.settings import Settings
from tests.simulation.clock import Clock
from tests.simulation.finding import Finding
from tests.simulation.small import small_limits
from tests.simulation.steps import Steps
from tests.simulation.stores import SHARDS_MAX, Stores
from tests.simulation.valkeys import Valkeys
from tests.simulation.world import World

QUIET_ERRORS = ("shard began a new epoch", "gift could not be settled and is in quarantine")
"""Errors that the server may log: Redis is replaced under it, the ledger lacks a price."""

Watch = Callable[[str], None]
Edits = Mapping[str, Callable[[str], str]]


@dataclass
class Report:
    """What came of a seed. finding: the broken promise, None when all were kept."""

    seed: int
    steps: int
    took_s: float = 0.0
    finding: str | None = None
    digest: int = 0
    trace: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class _Monitor:
    """Asks Postgres who waits for a lock."""

    def __init__(self, conn: asyncpg.Connection) -> None:
        self._conn = conn
        self._asking = asyncio.Lock()

    async def blocked(self, pid: int) -> bool:
        async with self._asking:
            return bool(await self._conn.fetchval("SELECT cardinality(pg_blocking_pids($1)) > 0", pid))

    async def cancel(self, pid: int) -> None:
        async with self._asking:
            await self._conn.execute("SELECT pg_cancel_backend($1)", pid)


async def run_seed(
    stores: Stores, seed: int, steps: int, *, edits: Edits | None = None, watch: Watch | None = None
) -> Report:
    """Takes so many steps, comes to rest, and reports. watch: gets each line of what happens."""
    clock = Clock()
    name = f"seed_{seed}_{time.monotonic_ns()}"
    shards = seed % SHARDS_MAX + 1
    url = await stores.make_database(name, shards)
    valkeys = Valkeys(stores.valkey_urls, clock, edits)
    valkeys.clear()
    conn, monitor = await asyncpg.connect(url), await asyncpg.connect(url)
    report = Report(seed, 0)
    began_s = time.monotonic()
    try:
        with small_limits(clock):
            world = World(seed, _settings(seed, url, shards), valkeys, clock, conn, _Monitor(monitor))
            world.valkey_urls = stores.valkey_urls
            world.watch = watch
            _listen(world)
            await _run(world, steps, report)
    finally:
        await conn.close()
        await monitor.close()
        valkeys.close()
        await stores.drop_database(name)
    report.took_s = time.monotonic() - began_s
    return report


async def _run(world: World, steps: int, report: Report) -> None:
    await world.begin()
    taking = Steps(world)
    try:
        while report.steps < steps:
            report.steps += 1
            await taking.take()
            world.expect_none_found()
        await taking.finish()
    except Finding as finding:
        report.finding, report.trace = str(finding), list(world.trace)
    except Exception:  # noqa: BLE001 - or what is under way would never end, and nobody would hear of it
        report.finding, report.trace = f"the driver failed: {traceback.format_exc(limit=-3)}", list(world.trace)
    report.digest = world.digest
    report.counts = taking.taken + Counter(
        asks=len(world.book.asks), deltas=world.screens.deltas, replaced=world.replaced
    )
    await world.end()


def _settings(seed: int, url: str, shards: int) -> Settings:
    return Settings(
        redis_url="unix:///nonexistent",
        database_url=url,
        data_dir=Path("/nonexistent"),
        wallet_shards=shards,
        worker_id="simulation",
        gifts_per_second=1e6,
        gifts_burst=1_000_000,
        settle_batch=(3, 10, 40)[seed // 3 % 3],
        batch_max=(1, 4, 16)[seed // 9 % 3],
        log_backlog_max=(30, 2_000)[seed // 27 % 2] * shards,
        room_log_deltas=200,
    )


def _listen(world: World) -> None:
    """Errors that the server logs are findings: whatever it is, somebody would be called for it."""

    def take(_: Any, level: str, event: MutableMapping[str, Any]) -> Any:
        if level in {"error", "critical"} and not str(event["event"]).startswith(QUIET_ERRORS):
            world.findings.append(f"logged: {dict(event)}")
        world.note(f"    log: {event['event']} {({k: v for k, v in event.items() if k != 'event'}) or ''}"[:200])
        raise structlog.DropEvent

    structlog.configure(processors=[take], cache_logger_on_first_use=False)
