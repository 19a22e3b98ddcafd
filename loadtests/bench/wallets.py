"""e and g, of wallets: what they and remembered requests take of Valkey, and what a gift costs as they get more."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

from loadtests.bench import growth, memory
from loadtests.bench.bench_run import BenchRun
from loadtests.bench.feeders import Feeders
from loadtests.bench.many_wallets import crowd, load_wallets
from loadtests.bench.measure import Measure
from loadtests.bench.stores import stores
from server.stores import keys
from server.stores.redis import connect

SIZES = (1_000, 100_000, 400_000, 700_000, 1_000_000)
COSTED = (1_000, 100_000, 1_000_000)
"""Sizes at which gifts are given: few enough a wallet that most are touched once, all over the memory."""

TOUCHED = 100_000
REQUESTS = 36_000
REQUEST_VIEWERS = 600
COINS = 10**9
MIB = 1 << 20
SHARDS = 16


async def measure(run: BenchRun) -> list[Measure]:
    """All on one Valkey, which only grows."""
    per_wallet: list[float] = []
    costs: list[Measure] = []
    async with (
        stores(shards=SHARDS) as running,
        await connect(running.settings.redis_url) as redis,
        Feeders(running.settings) as fed,
    ):
        users = crowd(run.count(SIZES[-1], SIZES[-1] // 20))
        loaded = written = 0
        for wanted in SIZES:
            count = min(wanted, len(users))
            before = await _used(redis)
            await load_wallets(redis, running.settings, users[loaded:count], COINS)
            grown = await _used(redis) - before
            written += grown
            # The first ones pay for what is bought once.
            if count - loaded > SIZES[0]:
                per_wallet.append(grown / (count - loaded))
            loaded = count
            run.say(f"wallets: {count:,}")
            if wanted in COSTED:
                await fed.seat(users[:count][:: max(1, count // TOUCHED)], ["room"], load=False)
                cost_us = await growth.debits(run, running, fed)
                costs.append(Measure(growth.PART, f"{count:,} wallets: Valkey's CPU", "µs/gift", cost_us))
        requests = run.count(REQUESTS, REQUESTS // 4)
        per_request = [await _per_request(redis, fed, users, step, requests) for step in range(memory.STEPS)]
    return [
        Measure(memory.PART, "a wallet", "bytes of Valkey", per_wallet),
        Measure(memory.PART, f"{loaded:,} wallets", "MiB of Valkey", [written / MIB]),
        Measure(
            memory.PART, f"a remembered request, {requests // REQUEST_VIEWERS} a viewer", "bytes of Valkey", per_request
        ),
        *growth.beside_first(costs),
    ]


async def _per_request(redis: Redis, feeders: Feeders, users: list[str], step: int, requests: int) -> float:
    """What one more remembered answer takes. Viewers whom nobody has given for yet; the log is left out."""
    at = 1 + step * REQUEST_VIEWERS
    viewers = users[-at - REQUEST_VIEWERS : -at]
    await feeders.seat(viewers, ["room"], load=False)
    before = await _used(redis) - await _logs(redis)
    # Of a kind without combos, whose keys would count too.
    fed = await feeders.drive(gifts=requests, window=512, gift="hand_hearts")
    return (await _used(redis) - await _logs(redis) - before) / fed.accepted


async def _used(redis: Redis) -> int:
    info: dict[str, Any] = await redis.info("memory")
    return int(info["used_memory"])


async def _logs(redis: Redis) -> int:
    """Memory of the shards' logs, counted whole."""
    sizes = [await redis.execute_command("MEMORY", "USAGE", keys.shard_log(n), "SAMPLES", 0) for n in range(SHARDS)]
    return sum(int(size or 0) for size in sizes)
