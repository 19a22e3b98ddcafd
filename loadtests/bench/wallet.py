"""a. The wallet engine: durable debits through the project's own client, beside the bare function."""

from __future__ import annotations

import uuid

from loadtests.bench.bench_run import BenchRun
from loadtests.bench.feeders import Feeders
from loadtests.bench.measure import Goal, Measure
from loadtests.bench.raw_debits import GIFTS_PER_CALL
from loadtests.bench.stores import stores
from loadtests.funding import give_coins
from loadtests.ledger_pool import ledger_pool
from loadtests.line_process import LineProcess

PART = "a. wallet engine"
VIEWERS = 1000
COINS = 10**9
WINDOW = 1024
PROCESSES = 2
"""As many as `serve` has gateways."""

RAW_PER_S = 30_000
"""About what the bare function does; says how many calls to make ready."""


async def measure(run: BenchRun) -> list[Measure]:
    """At 1 and at 16 shards."""
    measures = []
    for shards in (1, 16):
        run.say(f"wallet engine, {shards} shards")
        measures += await _at(run, shards)
    return measures


async def _at(run: BenchRun, shards: int) -> list[Measure]:
    seconds = run.pick(2.5, 1.0)
    own: list[float] = []
    raw: list[float] = []
    cost_us: list[float] = []
    raw_cost_us: list[float] = []
    async with stores(shards=shards) as running:
        viewers = [f"viewer-{n}" for n in range(VIEWERS)]
        async with ledger_pool(running.settings) as pool:
            await give_coins(pool, viewers, COINS)
        async with Feeders(running.settings, PROCESSES) as feeders, LineProcess("loadtests.bench.raw_debits") as bare:
            await feeders.seat(viewers, ["room"])
            await feeders.drive(seconds=0.5, window=WINDOW)
            for _ in range(run.repeats):
                cpu_s = running.valkey_cpu_s()
                fed = await feeders.drive(seconds=seconds, window=WINDOW)
                own.append(fed.per_s)
                cost_us.append((running.valkey_cpu_s() - cpu_s) / fed.accepted * 1e6)
                cpu_s = running.valkey_cpu_s()
                done = await bare.tell(
                    "drive",
                    {
                        "environ": running.settings.as_environ(),
                        "viewers": viewers,
                        "room": "room",
                        "label": uuid.uuid4().hex[:8],
                        "calls": int(seconds * RAW_PER_S / GIFTS_PER_CALL),
                    },
                )
                raw.append(done["accepted"] / done["seconds"])
                raw_cost_us.append((running.valkey_cpu_s() - cpu_s) / done["accepted"] * 1e6)
    where = f"{shards} shard{'s' if shards > 1 else ''}"
    return [
        Measure(
            PART,
            f"durable debits, {where}",
            "gifts/s",
            own,
            "bare function, 128 a call",
            raw,
            Goal("≥", 0.7, of_ratio=True),
        ),
        Measure(PART, f"Valkey's CPU, {where}", "µs/gift", cost_us, "bare function", raw_cost_us),
    ]
