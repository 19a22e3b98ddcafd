"""A whole installation of its own in a temporary folder: both stores behind proxies, gateways, workers."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import tempfile
from dataclasses import replace
from pathlib import Path

import aiohttp

from server.ledger.migrate import migrate
from server.listening import reserve_port
from server.settings import Settings, is_setting
from tests.chaos import clock
from tests.chaos.findings import Findings
from tests.chaos.role import Role
from tests.chaos.stores import Stores
from tests.chaos.town import Town, settle_in

READY_TIMEOUT_S = 60.0
READY_POLL_S = 0.05
HEARTBEAT_S = 5
STORES_WAIT_S = 180.0
TOKEN_SECRET = "a-secret-that-only-the-chaos-runs-use-0123456789"

WORKER = ["server", "worker"]
GREEDY_WORKER = ["tests.chaos.greedy_worker"]


class Rig:
    """gateways, workers: the processes, kept running. settings: as the processes have them, worker_id aside.

    proxied: the processes reach the stores through proxies, which run in this process and cost them time.
    """

    def __init__(
        self, findings: Findings, *, gateways: int = 2, wallet_shards: int = 8, greedy: bool = False,
        shiftable_clock: bool = False, proxied: bool = True, **changed: object,
    ) -> None:  # fmt: skip
        self.folder = Path(tempfile.mkdtemp(prefix="gs-chaos-"))
        self.folder.chmod(0o711)
        library = clock.find_library() if shiftable_clock else None
        self.clock = None if library is None else clock.Clock(library, self.folder / "clock")
        self._environ = {} if self.clock is None else self.clock.environ
        self.stores = Stores(self.folder, self._environ)
        self.findings = findings
        self.gateways: list[Role] = []
        self.workers: list[Role] = []
        self.addresses: list[str] = []
        self.status_addresses: list[str] = []
        self.greedy = greedy
        self.proxied = proxied
        self._gateway_count = gateways
        self._ports: list[socket.socket] = []
        self.settings = Settings(
            data_dir=self.folder,
            wallet_shards=wallet_shards,
            token_secret=TOKEN_SECRET,
            stores_wait_s=STORES_WAIT_S,
            log_format="json",
            **{"heartbeat_s": HEARTBEAT_S, **changed},  # type: ignore[arg-type]
        )

    async def start(self, town: Town | None = None) -> None:
        """Start everything; return when every gateway says it is ready."""
        await self.stores.start()
        direct = self.stores.postgres.url
        await migrate(direct, wallet_shards=self.settings.wallet_shards)
        if town is not None:
            await settle_in(town, direct)
        redis_url, database_url = self.stores.valkey.url, direct
        if self.proxied:
            redis_url, database_url = self.stores.redis_url, self.stores.database_url
        self.settings = replace(self.settings, redis_url=redis_url, database_url=database_url)
        for number in range(2 if self.greedy else 1):
            self.workers.append(self._worker(f"worker-{number}"))
        for number in range(self._gateway_count):
            self.gateways.append(self._gateway(f"gateway-{number}"))
        for role in (*self.workers, *self.gateways):
            role.start()
        await self.wait_ready()

    async def wait_ready(self) -> None:
        """Return when /readyz of every gateway answers 200."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + READY_TIMEOUT_S
        said = ""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as http:
            waiting = list(self.addresses)
            while waiting:
                try:
                    async with http.get(f"http://{waiting[0]}/readyz") as answer:
                        if answer.status == 200:
                            waiting.pop(0)
                            continue
                        said = await answer.text()
                except (aiohttp.ClientError, OSError, TimeoutError) as error:
                    said = repr(error)
                if loop.time() > deadline_s:
                    raise TimeoutError(f"not ready within {READY_TIMEOUT_S:.0f} s: {said}")
                await asyncio.sleep(READY_POLL_S)

    async def metrics(self, role: Role) -> str:
        """What a process counts, in the exposition format; empty when it does not answer."""
        address = dict(zip((*self.gateways, *self.workers), self.addresses + self.status_addresses, strict=True))[role]
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as http,
                http.get(f"http://{address}/metrics") as answer,
            ):
                return await answer.text()
        except (aiohttp.ClientError, OSError, TimeoutError):
            return ""

    def logs(self) -> str:
        """Everything that the processes have logged."""
        return "".join(path.read_text("utf-8", "replace") for path in sorted(self.folder.glob("*-[0-9].log")))

    async def stop(self) -> None:
        """End every process, gateways first; what they leave unfinished is a finding."""
        for roles in (self.gateways, self.workers):
            await asyncio.gather(*(role.stop() for role in roles))
        await self.stores.stop()
        for port in self._ports:
            port.close()

    def kill(self) -> None:
        """End every process at once, whatever state it is in."""
        for role in (*self.gateways, *self.workers):
            role.abandon()
        for store in (self.stores.valkey, self.stores.postgres):
            if store.child is not None:
                store.child.signal(signal.SIGCONT)

    def remove(self) -> None:
        """Remove the folder with everything in it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _gateway(self, name: str) -> Role:
        port = self._reserve()
        self.addresses.append(f"127.0.0.1:{port}")
        return self._role(name, ["server", "gateway"], replace(self.settings, worker_id=name, port=port))

    def _worker(self, name: str) -> Role:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = int(free.getsockname()[1])
        self.status_addresses.append(f"127.0.0.1:{port}")
        module = GREEDY_WORKER if self.greedy else WORKER
        return self._role(name, module, replace(self.settings, worker_id=name, worker_port=port))

    def _role(self, name: str, module: list[str], settings: Settings) -> Role:
        kept = {variable: text for variable, text in os.environ.items() if not is_setting(variable)}
        environ = {**kept, **settings.as_environ(), **self._environ}
        return Role(name, module, environ, self.folder / f"{name}.log", self.findings)

    def _reserve(self) -> int:
        held = reserve_port("127.0.0.1", 0)
        self._ports.append(held)
        return int(held.getsockname()[1])


def rss_bytes(rig: Rig) -> int:
    """The memory that the first gateway holds."""
    child = rig.gateways[0].child
    assert child is not None
    match = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{child.pid}/status").read_text())
    assert match is not None
    return int(match[1]) * 1024
