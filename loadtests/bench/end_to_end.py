"""b. End to end: gifts over real sockets, acknowledged and settled, and the same beside two baselines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from loadtests.baselines.running import Kind, baseline
from loadtests.bench.bench_run import BenchRun
from loadtests.bench.clean import check
from loadtests.bench.measure import Goal, Measure
from loadtests.bench.settlement_lag import SettlementLag, settled_gifts
from loadtests.client.fleet import Fleet
from loadtests.client.plan import Phase, Seat
from loadtests.client.tally import Tally
from loadtests.funding import give_coins, open_rooms, token
from loadtests.ledger_pool import ledger_pool
from loadtests.served import Served, serve
from server.stores.postgres import Pool

PART = "b. end to end"
GIFTERS = 500
ROOMS = 50
COINS = 10**9
WINDOW = 5
"""Gifts that each gifter keeps unanswered when the limit is looked for."""

BASELINE_WINDOW = 4
PACED_SHARE = 0.6
"""Of the limit found, for latencies: a server at its limit has none worth telling."""

CPU_PARTS = {"gateway": "gateways", "worker": "worker", "Valkey": "Valkey", "PostgreSQL": "PostgreSQL"}


async def measure(run: BenchRun) -> list[Measure]:
    """Ours first, then both baselines under the same load."""
    run.say(f"end to end: {GIFTERS} gifters in {ROOMS} rooms")
    ours = await _ours(run)
    found: dict[Kind, tuple[list[float], list[float]]] = {}
    kinds: Sequence[Kind] = ("postgres", "lua")
    for kind in kinds:
        run.say(f"end to end, baseline: one {kind} operation for each gift")
        found[kind] = await _baseline(run, kind)
    by_postgres, by_lua = found["postgres"], found["lua"]
    rate, cost = ours.rates, ours.costs_us
    return [
        Measure(PART, "acknowledged and settled", "gifts/s", rate, goal=Goal("≥", 15_000)),
        Measure(
            PART,
            "the same, beside a Postgres transaction a gift",
            "gifts/s",
            rate,
            "FastAPI, 1 transaction and 1 message a gift",
            by_postgres[0],
            Goal("≥", 20, of_ratio=True),
        ),
        Measure(PART, "the same, beside a Redis script a gift", "gifts/s", rate, "FastAPI, 1 script a gift", by_lua[0]),
        Measure(
            PART, "CPU, all of the server", "µs/gift", cost, "FastAPI, 1 transaction", by_postgres[1], Goal("≤", 90)
        ),
        Measure(PART, "  beside a Redis script a gift", "µs/gift", cost, "FastAPI, 1 script a gift", by_lua[1]),
        *(
            Measure(PART, f"  of it {name}", "µs/gift", [parts[name] for parts in ours.parts_us])
            for name in CPU_PARTS.values()
        ),
        Measure(PART, "CPU of the load client", "µs/gift", ours.client_us),
        Measure(PART, f"paced at {PACED_SHARE:.0%} of that: offered", "gifts/s", [ours.paced_rate]),
        Measure(PART, "  gift to gift_ack, p50", "ms", ours.ack_ms(50)),
        Measure(PART, "  gift to gift_ack, p99", "ms", ours.ack_ms(99)),
        Measure(PART, "  gift to settled row, p50", "ms", ours.lag_ms["p50"]),
        Measure(PART, "  gift to settled row, p99", "ms", ours.lag_ms["p99"]),
    ]


class _Ours:
    def __init__(self) -> None:
        self.rates: list[float] = []
        self.costs_us: list[float] = []
        self.parts_us: list[dict[str, float]] = []
        self.client_us: list[float] = []
        self.paced_rate = 0.0
        self.paced: list[Tally] = []
        self.lag_ms: dict[Literal["p50", "p99"], list[float]] = {"p50": [], "p99": []}

    def ack_ms(self, percent: float) -> list[float]:
        return [tally.ack.percentile(percent) / 1000 for tally in self.paced]


def _seconds(run: BenchRun) -> float:
    return run.pick(3.0, 2.0)


async def _ours(run: BenchRun) -> _Ours:
    ours = _Ours()
    async with serve(gateways=2) as served, ledger_pool(served.settings) as pool, Fleet(2) as fleet:
        users = [f"gifter-{n}" for n in range(GIFTERS)]
        await give_coins(pool, users, COINS)
        rooms = await open_rooms(pool, ROOMS, "room")
        seats = [Seat(user, token(served.settings, user), rooms[n % ROOMS], "gifter") for n, user in enumerate(users)]
        took_s = await fleet.enter(served.target, seats)
        run.say(f"  {GIFTERS} connections in {took_s:.1f} s")
        await fleet.run(Phase(1.0, window=2))
        for _ in range(run.repeats):
            await _limit(run, served, fleet, pool, ours)
        ours.paced_rate = PACED_SHARE * sorted(ours.rates)[len(ours.rates) // 2]
        for _ in range(run.repeats):
            async with SettlementLag(pool) as lag:
                before = await settled_gifts(pool)
                tally = await fleet.run(Phase(_seconds(run), rate=ours.paced_rate, answers_grace_s=20.0))
                await lag.settled(before + tally.acked)
                waits = await lag.read()
            check(run, tally)
            ours.paced.append(tally)
            ours.lag_ms["p50"].append(waits.percentile(50) / 1000)
            ours.lag_ms["p99"].append(waits.percentile(99) / 1000)
    return ours


async def _limit(run: BenchRun, served: Served, fleet: Fleet, pool: Pool, ours: _Ours) -> None:
    """As many as go through, counted until the last one is settled."""
    before, cpu_s = await settled_gifts(pool), served.cpu_s()
    async with SettlementLag(pool) as lag:
        tally = await fleet.run(Phase(_seconds(run), window=WINDOW, answers_grace_s=20.0))
        settled_s = await lag.settled(before + tally.acked)
    check(run, tally)
    spent = {name: used - cpu_s[name] for name, used in served.cpu_s().items()}
    ours.rates.append(tally.acked / (settled_s - tally.started_at_s))
    ours.costs_us.append(sum(spent.values()) / tally.acked * 1e6)
    ours.parts_us.append(
        {
            label: sum(used for name, used in spent.items() if name.startswith(prefix)) / tally.acked * 1e6
            for prefix, label in CPU_PARTS.items()
        }
    )
    ours.client_us.append(tally.cpu_s / tally.acked * 1e6)


async def _baseline(run: BenchRun, kind: Kind) -> tuple[list[float], list[float]]:
    rates, costs_us = [], []
    async with baseline(kind) as running, Fleet(2) as fleet:
        users = [f"gifter-{n}" for n in range(GIFTERS)]
        await running.store.fund(users, COINS)
        seats = [Seat(user, user, f"room-{n % ROOMS}", "gifter") for n, user in enumerate(users)]
        await fleet.enter(running.target, seats)
        await fleet.run(Phase(1.0, window=1))
        for _ in range(run.repeats):
            cpu_s = running.cpu_s()
            tally = await fleet.run(Phase(_seconds(run), window=BASELINE_WINDOW, answers_grace_s=20.0))
            spent_s = sum(running.cpu_s().values()) - sum(cpu_s.values())
            rates.append(tally.acked / tally.seconds)
            costs_us.append(spent_s / tally.acked * 1e6)
    return rates, costs_us
