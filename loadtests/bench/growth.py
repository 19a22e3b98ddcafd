"""g. Growth: what a gift costs as rooms, shards and the ledger grow (wallets: see `wallets`). Lines should be flat."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from loadtests.bench.bench_run import BenchRun
from loadtests.bench.feeders import Feeders
from loadtests.bench.many_wallets import crowd, open_accounts
from loadtests.bench.measure import Measure
from loadtests.bench.settlement_lag import settled_gifts, stand_still
from loadtests.bench.stores import Stores, stores
from loadtests.funding import give_coins, open_rooms
from loadtests.ledger_pool import ledger_pool
from loadtests.served import Served, serve
from server.stores.postgres import Pool

PART = "g. growth"
ROOMS = (1, 10, 100, 10_000)
ACCOUNTS = 1_000_000
SHARDS = (1, 16, 64)
LEDGER_ROWS = 2_000_000
"""As many as this run has time for."""

RATE = 3_000
WINDOW = 1024
DEBITS = 80_000
COINS = 10**9
GIVERS = 1000


async def measure(run: BenchRun) -> list[Measure]:
    """Shards on bare stores; rooms and the ledger on a whole server."""
    lines = [await _shards(run), *await _rooms_and_ledger(run)]
    return [measure for line in lines for measure in beside_first(line)]


def beside_first(line: list[Measure]) -> list[Measure]:
    """Each figure beside the smallest size's: flat is a ratio of one."""
    first, *others = line
    return [first, *(replace(other, beside="the smallest", beside_values=first.values) for other in others)]


async def _shards(run: BenchRun) -> list[Measure]:
    measures = []
    for shards in SHARDS:
        async with stores(shards=shards) as running, ledger_pool(running.settings) as pool:
            viewers = crowd(GIVERS, "giver")
            await open_accounts(pool, viewers, COINS)
            async with Feeders(running.settings) as feeders:
                await feeders.seat(viewers, ["room"])
                costs_us = await debits(run, running, feeders)
            measures.append(Measure(PART, f"{shards} shards: Valkey's CPU", "µs/gift", costs_us))
        run.say(f"growth: {shards} shards")
    return measures


async def debits(run: BenchRun, running: Stores, feeders: Feeders) -> list[float]:
    """Valkey's CPU for a gift, in µs, several times over."""
    costs_us = []
    await feeders.drive(gifts=5000, window=WINDOW)
    for _ in range(run.repeats):
        cpu_s = running.valkey_cpu_s()
        fed = await feeders.drive(gifts=run.count(DEBITS, DEBITS // 4), window=WINDOW)
        costs_us.append((running.valkey_cpu_s() - cpu_s) / fed.accepted * 1e6)
    return costs_us


async def _rooms_and_ledger(run: BenchRun) -> list[list[Measure]]:
    measures: list[Measure] = []
    ledger: list[Measure] = []
    async with serve(gateways=1) as served, ledger_pool(served.settings) as pool, Feeders(served.settings) as feeders:
        givers = crowd(GIVERS, "giver")
        await give_coins(pool, givers, COINS)
        rooms: list[str] = []
        for wanted in ROOMS:
            count = run.count(wanted, max(1, wanted // 10))
            rooms += await open_rooms(pool, count - len(rooms), f"room{count}")
            await feeders.seat(givers, rooms)
            spent = await _whole_path(run, served, feeders, pool, len(rooms))
            measures.append(Measure(PART, f"{count:,} rooms: Valkey, worker, Postgres", "µs/gift", spent))
            run.say(f"growth: {count:,} rooms")
        await feeders.seat(givers, rooms[:10])
        rows = run.count(LEDGER_ROWS, LEDGER_ROWS // 20)
        accounts = run.count(ACCOUNTS, ACCOUNTS // 20)
        spent = await _whole_path(run, served, feeders, pool, 10)
        ledger.append(Measure(PART, "10 rooms, nearly empty ledger: all of it", "µs/gift", spent))
        await _fill(pool, rows, accounts)
        run.say(f"growth: a ledger of {rows:,} gifts and {accounts:,} accounts")
        spent = await _whole_path(run, served, feeders, pool, 10)
        ledger.append(Measure(PART, f"  {rows:,} gifts, {accounts:,} accounts", "µs/gift", spent))
    return [measures, ledger]


async def _whole_path(run: BenchRun, served: Served, feeders: Feeders, pool: Pool, rooms: int) -> list[float]:
    """CPU of all but the gateways for a gift that goes into its room and into the ledger."""
    # Every room once, so that all are in Redis when it counts.
    await feeders.drive(gifts=max(2000, rooms), window=WINDOW)
    await stand_still(pool)
    costs_us = []
    for _ in range(run.repeats):
        cpu_s, before, began_s = served.cpu_s(), await settled_gifts(pool), time.monotonic()
        fed = await feeders.drive(seconds=run.pick(2.0, 1.0), rate=RATE)
        while await settled_gifts(pool) < before + fed.accepted and time.monotonic() < began_s + 60:
            await asyncio.sleep(0.1)
        spent = {name: used - cpu_s[name] for name, used in served.cpu_s().items() if not name.startswith("gateway")}
        costs_us.append(sum(spent.values()) / fed.accepted * 1e6)
    return costs_us


async def _fill(pool: Pool, rows: int, accounts: int) -> None:
    """Give the ledger a past: gifts of today and yesterday, of shards that are not in use, and accounts of many."""
    await open_accounts(pool, crowd(accounts, "past"), COINS)
    await pool.execute(
        """
        INSERT INTO gifts
        SELECT $2::bigint - n, n, 1000000, 1, n, 1, 1, 1, 1, 1, 9000 + n % 16, 'past-' || n % $3::bigint, 'room-past',
               'creator-past', 'rose', 'past-' || n
        FROM generate_series(1, $1::bigint) AS n
        """,
        rows,
        time.time_ns() // 1000,
        accounts,
        timeout=600,
    )
    # What one filling leaves behind is no cost of the gifts that follow.
    await pool.execute("VACUUM ANALYZE gifts, accounts", timeout=600)
    await pool.execute("CHECKPOINT", timeout=600)
