"""e. Memory: of an idle connection in the gateway, of a wallet and of a remembered request in Valkey."""

from __future__ import annotations

import asyncio
from typing import Any

from redis.asyncio import Redis

from loadtests.bench.bench_run import BenchRun
from loadtests.bench.feeders import Feeders
from loadtests.bench.many_wallets import crowd, load_wallets
from loadtests.bench.measure import Goal, Measure
from loadtests.bench.stores import stores
from loadtests.client.fleet import Fleet
from loadtests.client.plan import Seat
from loadtests.funding import open_rooms, token
from loadtests.ledger_pool import ledger_pool
from loadtests.processes import rss_bytes
from loadtests.served import serve
from server.stores import keys
from server.stores.redis import connect

PART = "e. memory"
CONNECTIONS = 10_000
ROOMS = 100
WALLETS = 1_000_000
REQUESTS = 60_000
REQUEST_VIEWERS = 600
STEPS = 3
"""Each figure is the growth over a third of all: the first third pays for what is bought once."""

QUIET_S = 2.0
COINS = 10**9
KIB = 1024
MIB = 1024 * KIB


async def measure(run: BenchRun) -> list[Measure]:
    """Connections on a server of its own; wallets and requests on stores of their own."""
    return [*await _connections(run), *await _wallets(run)]


async def _connections(run: BenchRun) -> list[Measure]:
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


async def _wallets(run: BenchRun) -> list[Measure]:
    count = run.count(WALLETS, WALLETS // 20)
    per_wallet: list[float] = []
    per_request: list[float] = []
    async with (
        stores() as running,
        await connect(running.settings.redis_url) as redis,
        Feeders(running.settings) as feeders,
    ):
        empty = await _used(redis)
        size = count // STEPS
        users = crowd(size * STEPS)
        for step in range(STEPS):
            before = await _used(redis)
            await load_wallets(redis, running.settings, users[step * size : (step + 1) * size], COINS)
            per_wallet.append((await _used(redis) - before) / size)
        whole = await _used(redis) - empty
        run.say(f"memory: {size * STEPS:,} wallets loaded")
        requests = run.count(REQUESTS, REQUESTS // 4)
        for step in range(STEPS):
            # Fresh viewers each time, who are all loaded: what grows is the log, left out here, and what is remembered.
            viewers = users[step * REQUEST_VIEWERS : (step + 1) * REQUEST_VIEWERS]
            await feeders.seat(viewers, ["room"], load=False)
            before = await _used(redis) - await _logs(redis, running.settings.wallet_shards)
            # Of a kind without combos, whose keys would count too.
            fed = await feeders.drive(gifts=requests, window=512, gift="hand_hearts")
            after = await _used(redis) - await _logs(redis, running.settings.wallet_shards)
            per_request.append((after - before) / fed.accepted)
    return [
        Measure(PART, "a wallet", "bytes of Valkey", per_wallet),
        Measure(PART, f"{size * STEPS:,} wallets", "MiB of Valkey", [whole / MIB]),
        Measure(PART, f"a remembered request, {requests // REQUEST_VIEWERS} a viewer", "bytes of Valkey", per_request),
    ]


async def _used(redis: Redis) -> int:
    info: dict[str, Any] = await redis.info("memory")
    return int(info["used_memory"])


async def _logs(redis: Redis, shards: int) -> int:
    """Memory of the shards' logs, counted whole."""
    sizes = [await redis.execute_command("MEMORY", "USAGE", keys.shard_log(n), "SAMPLES", 0) for n in range(shards)]
    return sum(int(size or 0) for size in sizes)
