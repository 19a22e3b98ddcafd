"""e. Memory: of an idle connection in the gateway. What wallets take of Valkey is in `wallets`."""

from __future__ import annotations

import asyncio

from loadtests.bench.bench_run import BenchRun
from loadtests.bench.many_wallets import crowd
from loadtests.bench.measure import Goal, Measure
from loadtests.client.fleet import Fleet
from loadtests.client.plan import Seat
from loadtests.funding import open_rooms, token
from loadtests.ledger_pool import ledger_pool
from loadtests.processes import rss_bytes
from loadtests.served import serve

PART = "e. memory"
CONNECTIONS = 10_000
ROOMS = 100
STEPS = 3
"""Each figure is the growth over a third of all: the first third pays for what is bought once."""

QUIET_S = 2.0
KIB = 1024


async def measure(run: BenchRun) -> list[Measure]:
    """On a server of their own, all of them idle."""
    count = run.count(CONNECTIONS, CONNECTIONS // 5)
    grown: list[float] = []
    async with serve(gateways=2) as served, ledger_pool(served.settings) as pool, Fleet(2) as fleet:
        rooms = await open_rooms(pool, ROOMS, "idle")
        users = crowd(count, "idle")
        # One room after the other: each join moves its room's viewer count, which the others in it are told.
        seats = [
            Seat(user, token(served.settings, user), rooms[n * ROOMS // count], "viewer")
            for n, user in enumerate(users)
        ]
        size = count // STEPS
        for step in range(STEPS):
            before = rss_bytes(served.gateway_pids())
            took_s = await fleet.enter(served.target, seats[step * size : (step + 1) * size])
            await asyncio.sleep(QUIET_S)
            grown.append((rss_bytes(served.gateway_pids()) - before) / size / KIB)
            run.say(f"memory: {(step + 1) * size} connections, the last {size} in {took_s:.1f} s")
    return [Measure(PART, f"an idle joined connection, up to {count:,}", "KiB of gateway", grown, goal=Goal("≤", 24))]
