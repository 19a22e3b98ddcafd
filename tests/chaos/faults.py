"""Everything that goes wrong on purpose, each as one function: it does its harm, and undoes what it must."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Awaitable, Callable
from random import Random

from server.stores.failures import POSTGRES_AWAY
from tests.chaos import town
from tests.chaos.fleet import Fleet
from tests.chaos.losses import Losses, flush_redis, replace_redis
from tests.chaos.proxy import Proxy
from tests.chaos.rig import Rig
from tests.chaos.role import Role

FREEZE_S = 5.0
DISK_FULL_TIMEOUT_S = 30.0
CLOCK_BACK_S = -3600
TINY_MEMORY = "1mb"
BUY_TIMEOUT_S = 60.0
BUY_AGAIN_S = 0.2


class Scene:
    """What a fault can reach. outage_s: how long a stopped Postgres stays away."""

    def __init__(self, rig: Rig, fleet: Fleet, rng: Random, outage_s: float) -> None:
        self.rig = rig
        self.fleet = fleet
        self.rng = rng
        self.outage_s = outage_s
        self.losses = Losses()
        self.valkey = asyncio.Lock()
        self.postgres = asyncio.Lock()
        self.copies = 0
        self.bought = 0
        self.skipped: set[str] = set()
        """What this machine cannot do, and why."""


Fault = Callable[[Scene], Awaitable[None]]


async def kill_gateway(scene: Scene) -> None:
    scene.rng.choice(scene.rig.gateways).signal(signal.SIGKILL)


async def drain_gateway(scene: Scene) -> None:
    scene.rng.choice(scene.rig.gateways).signal(signal.SIGTERM)


async def kill_worker(scene: Scene) -> None:
    scene.rng.choice(scene.rig.workers).signal(signal.SIGKILL)


async def kill_valkey(scene: Scene) -> None:
    async with scene.valkey:
        store = scene.rig.stores.valkey
        assert store.child is not None
        store.child.kill()
        await store.child.wait()
        await asyncio.sleep(scene.rng.uniform(0, 1.5))
        await store.start()


async def kill_postgres_backend(scene: Scene) -> None:
    async with scene.postgres:
        if backends := await scene.rig.stores.postgres.backends():
            _signal(scene.rng.choice(backends), signal.SIGKILL)


async def kill_postgres(scene: Scene) -> None:
    async with scene.postgres:
        store = scene.rig.stores.postgres
        assert store.child is not None
        store.child.kill()
        await store.child.wait()
        await asyncio.sleep(scene.rng.uniform(0, 1.5))
        await store.start()


async def stop_postgres(scene: Scene) -> None:
    async with scene.postgres:
        store = scene.rig.stores.postgres
        assert store.child is not None
        await store.child.stop(FREEZE_S)
        await asyncio.sleep(scene.outage_s)
        await store.start()


async def freeze_gateway(scene: Scene) -> None:
    await _freeze_role(scene.rng.choice(scene.rig.gateways))


async def freeze_worker(scene: Scene) -> None:
    await _freeze_role(scene.rng.choice(scene.rig.workers))


async def freeze_valkey(scene: Scene) -> None:
    async with scene.valkey:
        child = scene.rig.stores.valkey.child
        assert child is not None
        child.signal(signal.SIGSTOP)
        await asyncio.sleep(FREEZE_S)
        child.signal(signal.SIGCONT)


async def freeze_postgres_backend(scene: Scene) -> None:
    async with scene.postgres:
        backends = await scene.rig.stores.postgres.backends()
        if backends:
            frozen = scene.rng.choice(backends)
            _signal(frozen, signal.SIGSTOP)
            await asyncio.sleep(FREEZE_S)
            _signal(frozen, signal.SIGCONT)


async def freeze_postgres(scene: Scene) -> None:
    async with scene.postgres:
        child = scene.rig.stores.postgres.child
        assert child is not None
        child.signal(signal.SIGSTOP)
        await asyncio.sleep(FREEZE_S)
        child.signal(signal.SIGCONT)


async def reset_redis_connections(scene: Scene) -> None:
    await _reset(scene, scene.rig.stores.proxies[0])


async def reset_postgres_connections(scene: Scene) -> None:
    await _reset(scene, scene.rig.stores.proxies[1])


async def older_valkey(scene: Scene) -> None:
    """Files from a moment ago, in which Postgres has settled more."""
    async with scene.valkey, scene.postgres:
        stores, shards = scene.rig.stores, scene.rig.settings.wallet_shards
        copy = scene.rig.folder / f"copy-{scene.copies}"
        scene.copies += 1
        stores.valkey.copy_files(copy)
        await asyncio.sleep(scene.rng.uniform(1.0, 4.0))
        scene.fleet.redis_lost_gifts()
        await replace_redis(stores, shards, scene.fleet.book, scene.losses, copy)
        shutil.rmtree(copy)


async def wipe_valkey(scene: Scene) -> None:
    async with scene.valkey, scene.postgres:
        scene.fleet.redis_lost_gifts()
        shards = scene.rig.settings.wallet_shards
        await replace_redis(scene.rig.stores, shards, scene.fleet.book, scene.losses, None)


async def flush_valkey(scene: Scene) -> None:
    async with scene.valkey, scene.postgres:
        scene.fleet.redis_lost_gifts()
        await flush_redis(scene.rig.stores, scene.rig.settings.wallet_shards, scene.fleet.book, scene.losses)


async def fill_disk(scene: Scene) -> None:
    """Valkey cannot write any more: with fsync before each answer it ends rather than acknowledge."""
    async with scene.valkey:
        store = scene.rig.stores.valkey
        assert store.child is not None
        store.fill_disk(scene.rng.randint(0, 20_000))
        if await store.child.wait(DISK_FULL_TIMEOUT_S) is None:
            scene.rig.findings.add("Valkey goes on although its disk is full")
            store.child.kill()
            await store.child.wait()
        await asyncio.sleep(scene.rng.uniform(0, 2))
        await store.start()


async def fill_memory(scene: Scene) -> None:
    """Every write that needs memory is refused with OOM."""
    async with scene.valkey:
        redis = scene.rig.stores.valkey.client()
        try:
            before = (await redis.config_get("maxmemory"))["maxmemory"]
            await redis.config_set("maxmemory", TINY_MEMORY)
            await asyncio.sleep(scene.rng.uniform(1, 3))
            await redis.config_set("maxmemory", before)
        finally:
            await redis.aclose()


async def set_clock_back(scene: Scene) -> None:
    """An hour back, under everything that runs but Postgres; sometimes forward again."""
    if scene.rig.clock is None:
        scene.skipped.add("set_clock_back: libfaketime is not installed")
        return
    scene.rig.clock.shift(CLOCK_BACK_S)
    if scene.rng.random() < 0.5:
        await asyncio.sleep(scene.rng.uniform(2, 5))
        scene.rig.clock.shift(0)


async def buy_coins(scene: Scene) -> None:
    """No fault: a purchase in the middle of it all. Whoever sells coins asks until the ledger has them."""
    viewer = scene.rng.choice(scene.fleet.town.viewers)
    reference = f"more:{scene.bought}"
    scene.bought += 1
    async with scene.postgres, asyncio.timeout(BUY_TIMEOUT_S):
        while True:
            try:
                await town.credit(scene.rig.stores.postgres.url, viewer, reference)
                break
            except POSTGRES_AWAY:
                await asyncio.sleep(BUY_AGAIN_S)
    scene.fleet.credits.append((viewer, town.CREDIT_COINS))


FAULTS: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (
        kill_gateway,
        kill_worker,
        kill_valkey,
        kill_postgres_backend,
        kill_postgres,
        drain_gateway,
        freeze_gateway,
        freeze_worker,
        freeze_valkey,
        freeze_postgres_backend,
        freeze_postgres,
        reset_redis_connections,
        reset_postgres_connections,
        stop_postgres,
        older_valkey,
        wipe_valkey,
        flush_valkey,
        fill_disk,
        fill_memory,
        set_clock_back,
    )
}
LOSING = frozenset({"older_valkey", "wipe_valkey", "flush_valkey"})
"""Faults by which Redis loses what it acknowledged."""


async def _freeze_role(role: Role) -> None:
    role.signal(signal.SIGSTOP)
    await asyncio.sleep(FREEZE_S)
    role.signal(signal.SIGCONT)


async def _reset(scene: Scene, proxy: Proxy) -> None:
    """Some resets in a row; with each, answers on their way are lost or not."""
    for _ in range(scene.rng.randint(1, 5)):
        if scene.rng.random() < 0.5:
            proxy.cut()
        else:
            await proxy.lose_answers(scene.rng.uniform(0.001, 0.3))
        await asyncio.sleep(scene.rng.uniform(0.1, 1.0))


def _signal(pid: int, number: signal.Signals) -> None:
    """Signal a process that may be gone already."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
