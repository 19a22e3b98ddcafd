"""The two stores of a round: embedded servers that can be killed, filled up and put back in time, behind proxies."""

from __future__ import annotations

import asyncio
import resource
import shutil
import signal
from pathlib import Path
from unittest import mock
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
from redis.asyncio import Redis

from server.stores import embedded_valkey
from server.stores.embedded_postgres import EmbeddedPostgres
from server.stores.embedded_valkey import EmbeddedValkey
from tests.chaos.proxy import Proxy

VALKEY_MEMORY_MB = 512
RECOVERY_TIMEOUT_S = 60.0
QUIET_TIMEOUT_S = 20.0
POLL_S = 0.02
AOF_FOLDER = "appendonlydir"


class Valkey(EmbeddedValkey):
    """An embedded Valkey whose writes fail when its files may not grow, as on a full disk. environ: for its process."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        super().__init__(folder, memory_mb=VALKEY_MEMORY_MB)
        self._program = folder.with_name("valkey-server.sh")
        # With SIGXFSZ ignored a file that may not grow gives an error, and a short write before it.
        exports = "".join(f"export {name}='{value}'\n" for name, value in environ.items())
        binary = embedded_valkey.valkey_binary()
        self._program.write_text(f"#!/bin/sh\ntrap '' XFSZ\n{exports}exec '{binary}' \"$@\"\n")
        self._program.chmod(0o700)

    async def start(self) -> None:
        with mock.patch.object(embedded_valkey, "valkey_binary", return_value=self._program):
            await super().start()

    @property
    def socket(self) -> Path:
        return Path(unquote(urlsplit(self.url).path))

    def client(self) -> Redis:
        """A client that does not go through the proxy."""
        return Redis.from_url(self.url, socket_timeout=5, socket_connect_timeout=5)

    def fill_disk(self, bytes_left: int) -> None:
        """No file of the server can grow beyond the append-only file's size and bytes_left."""
        assert self.child is not None
        size = max(path.stat().st_size for path in (self.folder / AOF_FOLDER).glob("*.incr.aof"))
        _, hard = resource.prlimit(self.child.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.child.pid, resource.RLIMIT_FSIZE, (size + bytes_left, hard))

    def copy_files(self, to: Path) -> None:
        """Copy the files as they are now, while the server writes."""
        shutil.copytree(self.folder / AOF_FOLDER, to)

    def replace_files(self, by: Path | None) -> None:
        """Put a copy in place of the files, or nothing. The server must not run."""
        shutil.rmtree(self.folder / AOF_FOLDER, ignore_errors=True)
        if by is not None:
            shutil.copytree(by, self.folder / AOF_FOLDER)


class Postgres(EmbeddedPostgres):
    """An embedded PostgreSQL, with its settings as `serve` has them."""

    @property
    def socket(self) -> Path:
        return Path(parse_qs(urlsplit(self.url).query)["host"][0]) / ".s.PGSQL.5432"

    async def connect(self) -> asyncpg.Connection[asyncpg.Record]:
        """A connection that does not go through the proxy; a server that recovers from a crash is waited for."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + RECOVERY_TIMEOUT_S
        while True:
            try:
                return await asyncpg.connect(self.url, timeout=10, command_timeout=60)
            except asyncpg.CannotConnectNowError:
                if loop.time() > deadline_s:
                    raise
            await asyncio.sleep(POLL_S)

    async def backends(self) -> list[int]:
        """The processes that serve the server's clients; our own one is not among them."""
        connection = await self.connect()
        try:
            rows = await connection.fetch(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
        finally:
            await connection.close()
        return [row["pid"] for row in rows]

    async def wait_quiet(self) -> None:
        """Return when no client is connected any more: what was committed then stays as it is."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + QUIET_TIMEOUT_S
        while await self.backends():
            assert loop.time() < deadline_s, "clients of Postgres do not go away"
            await asyncio.sleep(POLL_S)


class Stores:
    """Both stores and the proxies before them."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.valkey = Valkey(folder / "valkey", environ)
        self.postgres = Postgres(folder / "postgres")
        self.redis_proxy = self.postgres_proxy = None  # type: Proxy | None

    async def start(self) -> None:
        await asyncio.gather(self.valkey.start(), self.postgres.start())
        self.redis_proxy, self.postgres_proxy = Proxy(self.valkey.socket), Proxy(self.postgres.socket)
        await self.redis_proxy.start()
        await self.postgres_proxy.start()

    @property
    def proxies(self) -> tuple[Proxy, Proxy]:
        assert self.redis_proxy is not None
        assert self.postgres_proxy is not None
        return self.redis_proxy, self.postgres_proxy

    @property
    def redis_url(self) -> str:
        return f"redis://127.0.0.1:{self.proxies[0].port}"

    @property
    def database_url(self) -> str:
        return f"postgresql://giftstream@127.0.0.1:{self.proxies[1].port}/giftstream?sslmode=disable"

    async def stop(self) -> None:
        for proxy in (self.redis_proxy, self.postgres_proxy):
            if proxy is not None:
                await proxy.close()
        for store in (self.valkey, self.postgres):
            if store.child is not None:
                store.child.signal(signal.SIGCONT)
        await asyncio.gather(self.valkey.stop(), self.postgres.stop())
