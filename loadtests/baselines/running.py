"""A running baseline: stores of the same make and settings as ours, and uvicorn with its worker processes."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from redis.asyncio import Redis

from loadtests.baselines.lua_per_gift import LuaPerGift
from loadtests.baselines.postgres_per_gift import PostgresPerGift
from loadtests.baselines.store import Store
from loadtests.client.plan import Target
from loadtests.processes import cpu_by_name_s
from server.child import Child
from server.stores.embedded_postgres import EmbeddedPostgres
from server.stores.embedded_valkey import EmbeddedValkey

WORKERS = 2
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0

Kind = Literal["postgres", "lua"]


@dataclass(frozen=True, slots=True)
class Baseline:
    """What runs. store: the same store, as this process sees it, to fund wallets and to count."""

    target: Target
    store: Store
    pids: dict[str, int]

    def cpu_s(self) -> dict[str, float]:
        return cpu_by_name_s(self.pids)


@asynccontextmanager
async def baseline(kind: Kind, *, workers: int = WORKERS) -> AsyncIterator[Baseline]:
    """Start a baseline, give it, and remove it. Raises RuntimeError with its output if it does not start."""
    folder = Path(tempfile.mkdtemp(prefix="gs-base-"))
    folder.chmod(0o711)
    valkey, postgres = EmbeddedValkey(folder / "valkey"), EmbeddedPostgres(folder / "postgres")
    try:
        await valkey.start()
        await postgres.start()
        async with Redis.from_url(valkey.url) as client:
            # What most installations run with; the Postgres of this baseline does without Redis's disk altogether.
            await client.config_set("appendfsync", "everysec")
        stores = {"BASELINE_REDIS_URL": valkey.url, "BASELINE_DATABASE_URL": postgres.url, "BASELINE_STORE": kind}
        os.environ |= stores
        store: Store = PostgresPerGift() if kind == "postgres" else LuaPerGift()
        await store.start()
        port = _free_port()
        apps = [
            _start_app(port, {**stores, "BASELINE_SETTLES": str(int(n == 0))}, folder / f"{n}.log")
            for n in range(workers)
        ]
        try:
            await _wait_listening(port, apps, folder)
            assert valkey.child is not None
            assert postgres.child is not None
            pids = {f"uvicorn {n}": app.pid for n, app in enumerate(apps, 1)}
            yield Baseline(
                Target("127.0.0.1", port), store, {**pids, "Valkey": valkey.child.pid, "PostgreSQL": postgres.child.pid}
            )
        finally:
            await asyncio.gather(*(app.stop(STOP_TIMEOUT_S) for app in apps))
            await store.stop()
    finally:
        await asyncio.gather(valkey.stop(), postgres.stop())
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _start_app(port: int, environ: dict[str, str], log: Path) -> Child:
    """One worker; all of them listen on the same port."""
    with log.open("wb") as output:
        return Child(
            [sys.executable, "-m", "loadtests.baselines.worker", str(port)],
            environ={**os.environ, **environ},
            output=output.fileno(),
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _wait_listening(port: int, apps: list[Child], folder: Path) -> None:
    from server.listening import listens

    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + START_TIMEOUT_S
    while not all(listens(app.pid, port) for app in apps):
        if any(app.exit_code is not None for app in apps) or loop.time() > deadline_s:
            logs = "\n".join(log.read_text() for log in folder.glob("*.log"))
            raise RuntimeError(f"the baseline did not start:\n{logs}")
        await asyncio.sleep(0.05)
