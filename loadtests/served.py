"""A whole ``giftstream serve`` of the measurement's own: free port, folder of its own, raised limits of pace."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from loadtests.client.plan import Target
from loadtests.processes import cpu_by_name_s
from server.child import Child
from server.settings import Settings, is_setting, load_settings
from server.stores.data_folder import Running, running_serve
from server.token_key import with_token_secret

START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 60.0
POLL_S = 0.05

PACE_RAISED = {
    "GIFTSTREAM_GIFTS_PER_SECOND": "100000",
    "GIFTSTREAM_GIFTS_BURST": "100000",
    "GIFTSTREAM_GIFTS_IN_FLIGHT_MAX": "10000",
    "GIFTSTREAM_FRAMES_PER_SECOND": "100000",
    "GIFTSTREAM_FRAMES_BURST": "100000",
}
"""A few hundred senders stand for many thousands: the pace that one user may keep is raised, and reports say so."""


@dataclass(frozen=True, slots=True)
class Served:
    """What runs: its settings with both store URLs and the token key, and its processes by name."""

    settings: Settings
    running: Running

    @property
    def target(self) -> Target:
        host, _, port = self.running.url.rpartition("//")[2].rpartition(":")
        return Target(host, int(port))

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds used so far, by part: gateways, worker, Valkey, PostgreSQL."""
        return cpu_by_name_s(self.running.pids)

    def gateway_pids(self) -> list[int]:
        return [pid for name, pid in self.running.pids.items() if name.startswith("gateway")]


@asynccontextmanager
async def serve(
    *, gateways: int = 2, environ: dict[str, str] | None = None, raised: bool = True, demo: bool = False
) -> AsyncIterator[Served]:
    """Start everything, give it, stop it and remove its data. raised: with the limits of pace out of the way.

    Raises RuntimeError with its output if it does not start.
    """
    folder = Path(tempfile.mkdtemp(prefix="gs-load-"))
    folder.chmod(0o711)
    data_dir = folder / "data"
    flags = ["serve", "--port", "0", "--gateways", str(gateways), "--data-dir", str(data_dir)]
    if demo:
        flags.append("--demo")
    plain = {name: value for name, value in os.environ.items() if not is_setting(name)}
    given = {**(PACE_RAISED if raised else {}), "GIFTSTREAM_LOG_LEVEL": "warning", **(environ or {})}
    log = folder / "serve.log"
    with log.open("wb") as output:
        process = Child(
            [sys.executable, "-m", "server", *flags],
            environ={**plain, **given},
            output=output.fileno(),
            orphan_signal=signal.SIGTERM,
        )
    try:
        running = await _wait_ready(process, data_dir, log)
        settings = load_settings({**given, "REDIS_URL": running.redis_url, "DATABASE_URL": running.database_url})
        yield Served(with_token_secret(replace(settings, data_dir=data_dir)), running)
    finally:
        await process.stop(STOP_TIMEOUT_S)
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _wait_ready(process: Child, data_dir: Path, log: Path) -> Running:
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + START_TIMEOUT_S
    while (running := running_serve(data_dir) if data_dir.exists() else None) is None:
        if process.exit_code is not None or loop.time() > deadline_s:
            raise RuntimeError(f"giftstream serve did not start:\n{log.read_text()}")
        await asyncio.sleep(POLL_S)
    return running
