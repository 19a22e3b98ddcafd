"""f. Settlement: how fast a backlog drains beside a bare COPY of the same rows, and what a gift costs Postgres."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from loadtests.bench.bench_run import BenchRun
from loadtests.bench.feeders import Feeders
from loadtests.bench.measure import Goal, Measure
from loadtests.bench.settlement_lag import SettlementLag, settled_gifts, stand_still
from loadtests.funding import give_coins, open_rooms
from loadtests.ledger_pool import ledger_pool
from loadtests.served import Served, serve
from server.stores.embedded_postgres import postgres_programs
from server.stores.postgres import Pool

PART = "f. settlement"
BACKLOG = 120_000
GIVERS = 500
ROOMS = 50
COINS = 10**9
WINDOW = 1024

_ROWS = """
    SELECT (SELECT count(*) FROM gifts) + (SELECT count(*) FROM postings) + (SELECT count(*) FROM entries)
         + (SELECT count(*) FROM room_gifters)
"""


async def measure(run: BenchRun) -> list[Measure]:
    """The worker is held, a backlog made, the worker let go; three times."""
    backlog = run.count(BACKLOG, BACKLOG // 8)
    drained, wal, inserted, cpu_us = [], [], [], []
    environ = {"GIFTSTREAM_LOG_BACKLOG_MAX": str(100 * BACKLOG)}
    async with serve(gateways=1, environ=environ) as served, ledger_pool(served.settings) as pool:
        givers = [f"giver-{n}" for n in range(GIVERS)]
        await give_coins(pool, givers, COINS)
        rooms = await open_rooms(pool, ROOMS, "room")
        async with Feeders(served.settings) as feeders:
            await feeders.seat(givers, rooms)
            await feeders.drive(gifts=1000, window=WINDOW)
            for _ in range(run.repeats):
                await stand_still(pool)
                gifts, before = await _make_backlog(served, feeders, pool, backlog), await _writes(pool)
                cpu_s = served.cpu_s()
                drained.append(await _drain(served, pool, gifts))
                spent = {name: used - cpu_s[name] for name, used in served.cpu_s().items()}
                after = await _writes(pool)
                wal.append((after[0] - before[0]) / backlog)
                inserted.append((after[1] - before[1]) / backlog)
                cpu_us.append((spent["worker"] + spent["PostgreSQL"]) / backlog * 1e6)
                run.say(f"settlement: a backlog of {backlog:,} drained at {drained[-1]:,.0f}/s")
        copied = await _bare_copy(run, pool, served.settings.database_url, backlog)
    return [
        Measure(PART, f"backlog of {backlog:,} drained", "gifts/s", drained, goal=Goal("≥", 40_000)),
        Measure(PART, "  beside a bare COPY", "gifts/s", drained, "psql \\copy of the same rows", copied),
        Measure(PART, "  CPU of worker and Postgres, rooms and all", "µs/gift", cpu_us),
        Measure(PART, "rows inserted", "a gift", inserted),
        Measure(PART, "write-ahead log", "bytes/gift", wal),
    ]


async def _make_backlog(served: Served, feeders: Feeders, pool: Pool, backlog: int) -> int:
    """Hold the worker and give; answers how many gifts the ledger will have when all is settled."""
    before = await settled_gifts(pool)
    worker = served.running.pids["worker"]
    os.kill(worker, signal.SIGSTOP)
    try:
        fed = await feeders.drive(gifts=backlog, window=WINDOW)
    except BaseException:
        os.kill(worker, signal.SIGCONT)
        raise
    return before + fed.accepted


async def _drain(served: Served, pool: Pool, gifts: int) -> float:
    """Let the worker go, and answer the gifts settled a second until none is left."""
    async with SettlementLag(pool) as lag:
        before = await settled_gifts(pool)
        began_s = time.monotonic()
        os.kill(served.running.pids["worker"], signal.SIGCONT)
        return (gifts - before) / (await lag.settled(gifts) - began_s)


async def _writes(pool: Pool) -> tuple[int, int]:
    """Bytes of write-ahead log ever written, and rows that gifts have left in all tables."""
    lsn = await pool.fetchval("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
    return int(lsn), int(await pool.fetchval(_ROWS))


async def _bare_copy(run: BenchRun, pool: Pool, url: str, rows: int) -> list[float]:
    """The same rows into a table of the same shape, by psql from a file."""
    copied = []
    with tempfile.TemporaryDirectory(prefix="gs-copy-") as folder:
        path = Path(folder) / "gifts"
        async with pool.acquire() as connection:
            await connection.copy_from_query(f"SELECT * FROM gifts LIMIT {rows}", output=path)
        for _ in range(run.repeats):
            await pool.execute("CREATE TABLE bare_gifts (LIKE gifts INCLUDING ALL)")
            began_s = time.monotonic()
            await _psql(url, f"\\copy bare_gifts FROM '{path}'")
            copied.append(rows / (time.monotonic() - began_s))
            await pool.execute("DROP TABLE bare_gifts")
    run.say(f"settlement: psql copies {rows:,} rows at {copied[-1]:,.0f}/s")
    return copied


async def _psql(url: str, command: str) -> None:
    parts = urlsplit(url)
    flags = ["-U", parts.username or "", "-h", parse_qs(parts.query)["host"][0], "-d", parts.path.lstrip("/")]
    process = await asyncio.create_subprocess_exec(
        postgres_programs() / "psql", *flags, "-v", "ON_ERROR_STOP=1", "-qc", command, env={"PATH": "/usr/bin:/bin"}
    )
    if await process.wait() != 0:
        raise RuntimeError(f"psql failed at: {command}")
