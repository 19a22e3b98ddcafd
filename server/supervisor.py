"""`giftstream serve`: everything on one machine, each part a process, and each part kept alive.

Start: stores, schema, worker and gateways; ready when /readyz of every gateway answers over the port they share.
End: gateways (they drain), worker (it settles what is left), stores.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import zlib
from dataclasses import replace

import orjson

from server import __version__
from server.child import Child, describe_exit
from server.kept_process import KeptProcess
from server.listening import listens, reserve_port
from server.readiness import OK, ask
from server.settings import Settings, default_worker_id, is_setting
from server.start_error import StartError
from server.stores.check import check_postgres, check_redis, shown_url
from server.stores.data_folder import Running, remove_note, take_data_folder, write_note
from server.stores.embedded_postgres import EmbeddedPostgres
from server.stores.embedded_valkey import EmbeddedValkey
from server.terminal import say
from server.token_key import with_token_secret

READY_TIMEOUT_S = 120.0
READY_POLL_S = 0.05
STORES_WAIT_S = 120.0  # a role started while a store is started again waits for it
SAME_SIGNAL_S = 0.5
STOP_GRACE_S = 3.0  # on top of the time a process takes to drain by itself

_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - what to connect to instead


async def serve(settings: Settings) -> int:
    """Run everything until a signal comes. Returns the exit code. Raises StartError."""
    supervisor = Supervisor(settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            loop.add_signal_handler(number, supervisor.on_signal)
    return await supervisor.run()


class Supervisor:
    """The parts of one machine: starts them in order, keeps them alive, stops them in order."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stores: list[EmbeddedValkey | EmbeddedPostgres] = []
        self._kept_stores: list[KeptProcess] = []
        self._worker: list[KeptProcess] = []
        self._gateways: list[KeptProcess] = []
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self._told_at = 0.0

    def on_signal(self) -> None:
        """Stop; when told again later, without waiting. One Ctrl-C may come twice: from the terminal, and from make."""
        now = asyncio.get_running_loop().time()
        if not self._stopping.is_set():
            self._stopping.set()
            self._told_at = now
        elif now - self._told_at > SAME_SIGNAL_S:
            self._hurry.set()

    async def run(self) -> int:
        """Start everything, keep it alive until told to stop, stop it. Raises StartError."""
        folder = self._settings.data_dir
        lock = take_data_folder(folder)
        try:
            with reserve_port(self._settings.host, self._settings.port) as port:
                try:
                    await self._run_until_told(port)
                finally:
                    await self._stop()
        finally:
            remove_note(folder)
            os.close(lock)
        say("Stopped.")
        return 0

    async def _run_until_told(self, port: socket.socket) -> None:
        """Return when told to stop. Raises StartError when something does not start or stay."""
        running = asyncio.create_task(self._start_and_keep(port))
        told = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({running, told}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        running.cancel()
        await asyncio.wait({running})
        if not running.cancelled():
            running.result()
        say()
        say("Stopping: what was accepted is finished first. Ctrl-C again does not wait.")

    async def _start_and_keep(self, port: socket.socket) -> None:
        say(f"giftstream {__version__}", style="title")
        await self._start_stores()
        number = int(port.getsockname()[1])
        self._settings = replace(
            with_token_secret(self._settings, make=True), port=number, worker_id=_stable_id(self._settings)
        )
        await self._start_roles()
        await self._wait_ready()
        self._write_note()
        say(f"{self._url}  (Ctrl-C stops)", name="Ready", style="good")
        await self._keep()

    async def _keep(self) -> None:
        """Keep all parts alive. Raises the StartError of the first that cannot be."""
        keeping = [asyncio.create_task(part.keep()) for part in self._parts]
        try:
            done, _ = await asyncio.wait(keeping, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)

    @property
    def _parts(self) -> list[KeptProcess]:
        return [*self._kept_stores, *self._worker, *self._gateways]

    async def _start_stores(self) -> None:
        settings, folder = self._settings, self._settings.data_dir
        say(str(folder), name="data")
        if settings.redis_url:
            place = shown_url(settings.redis_url)
        else:
            place = "embedded"
            valkey = EmbeddedValkey(folder / "valkey", memory_mb=settings.valkey_memory_mb)
            await self._start_store(valkey)
            settings = replace(settings, redis_url=valkey.url)
        say(f"{place}, {await check_redis(settings.redis_url)}", name="Redis")
        if settings.database_url:
            place = shown_url(settings.database_url)
        else:
            place = "embedded"
            postgres = EmbeddedPostgres(folder / "postgres")
            await self._start_store(postgres)
            if postgres.note:
                say(postgres.note, name="note", style="warning")
            settings = replace(settings, database_url=postgres.url)
        say(f"{place}, {await check_postgres(settings.database_url)}", name="Postgres")
        from server.ledger.migrate import migrate

        applied = await migrate(settings.database_url, wallet_shards=settings.wallet_shards)
        say(f"{len(applied)} migrations applied" if applied else "up to date", name="schema")
        self._settings = settings

    async def _start_store(self, store: EmbeddedValkey | EmbeddedPostgres) -> None:
        async def spawn() -> Child:
            await store.start()
            assert store.child is not None
            return store.child

        self._stores.append(store)
        part = KeptProcess(store.name, spawn, on_back=self._write_note)
        await part.spawn()
        self._kept_stores.append(part)

    async def _start_roles(self) -> None:
        count = self._settings.gateways
        self._worker = [self._role("worker", "worker")]
        self._gateways = [self._role("gateway", f"gateway {n}") for n in range(1, count + 1)]
        for part in [*self._worker, *self._gateways]:
            await part.spawn()
        say(f"pid {_pids(self._worker)}", name="worker")
        say(f"{count}, pid {_pids(self._gateways)}", name="gateways")
        if self._settings.demo:
            say("anyone who reaches this server may log in and open rooms", name="demo mode", style="warning")

    def _role(self, command: str, name: str) -> KeptProcess:
        environ = {variable: text for variable, text in os.environ.items() if not is_setting(variable)}
        worker_id = f"{self._settings.worker_id}-{name.replace(' ', '-')}"
        level = "warning" if self._settings.log_level == "auto" else self._settings.log_level
        role = replace(self._settings, worker_id=worker_id, stores_wait_s=STORES_WAIT_S, log_level=level)
        environ |= role.as_environ()

        async def spawn() -> Child:
            return Child([sys.executable, "-m", "server", command], environ=environ)

        ready = self._wait_listening if command == "gateway" else None
        return KeptProcess(name, spawn, ready=ready, on_back=self._write_note)

    async def _wait_ready(self) -> None:
        """Ask until all have said that they are ready: each question may reach another gateway."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + READY_TIMEOUT_S
        ready: set[str] = set()
        while len(ready) < len(self._gateways):
            status, said = await ask(self._connect_host, self._settings.port)
            before = len(ready)
            if status == OK:
                ready.add(str(orjson.loads(said)["process"]))
            self._check_parts()
            if loop.time() > deadline:
                count = f"{len(ready)} of {len(self._gateways)} gateways"
                raise StartError(f"{count} ready within {READY_TIMEOUT_S:.0f} s; last answer: {status} {said}")
            if len(ready) == before:
                await asyncio.sleep(READY_POLL_S)

    async def _wait_listening(self, child: Child) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + READY_TIMEOUT_S
        while not listens(child.pid, self._settings.port):
            if child.exit_code is not None:
                raise StartError(f"a gateway ended at its start ({describe_exit(child.exit_code)})")
            if loop.time() > deadline:
                raise StartError(f"a gateway does not listen after {READY_TIMEOUT_S:.0f} s")
            await asyncio.sleep(READY_POLL_S)

    def _check_parts(self) -> None:
        for part in self._parts:
            assert part.child is not None
            if part.child.exit_code is not None:
                raise StartError(f"{part.name} ended at the start ({describe_exit(part.child.exit_code)})")

    def _write_note(self) -> None:
        pids = {part.name: part.child.pid for part in self._parts if part.child is not None}
        settings = self._settings
        note = Running(os.getpid(), self._url, settings.redis_url, settings.database_url, pids)
        write_note(settings.data_dir, note)

    async def _stop(self) -> None:
        timeout_s = self._settings.drain_timeout_s + STOP_GRACE_S
        for group in (self._gateways, self._worker):
            await asyncio.gather(*(part.stop(timeout_s, self._hurry) for part in group))
        await asyncio.gather(*(store.stop() for store in self._stores))

    @property
    def _connect_host(self) -> str:
        return _ANY_ADDRESS.get(self._settings.host, self._settings.host)

    @property
    def _url(self) -> str:
        host = self._connect_host
        return f"http://{f'[{host}]' if ':' in host else host}:{self._settings.port}"


def _pids(parts: list[KeptProcess]) -> str:
    return ", ".join(str(part.child.pid) for part in parts if part.child is not None)


def _stable_id(settings: Settings) -> str:
    """Name this machine's processes the same at each start, so that they take over what they held before."""
    if settings.worker_id != default_worker_id():
        return settings.worker_id
    return f"{socket.gethostname()}-{zlib.crc32(os.fsencode(settings.data_dir)):08x}"
