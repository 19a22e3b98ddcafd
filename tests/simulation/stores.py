"""The real servers under the simulation: two Valkeys and a PostgreSQL that need not survive anything."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import asyncpg

from server.ledger.migrate import migrate
from server.stores.embedded_postgres import EmbeddedPostgres
from server.stores.embedded_valkey import EmbeddedValkey

SHARDS_MAX = 3


class _Valkey(EmbeddedValkey):
    def _options(self) -> list[str]:
        # Its crashes are simulated: nothing has to be on disk.
        options = super()._options()
        return [*options, "--appendonly", "no", "--appendfsync", "no"]


class Stores:
    """Servers that start once; each seed has a database of its own."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gs-"))
        self.folder.chmod(0o711)
        self._valkeys = [_Valkey(self.folder / name, memory_mb=256) for name in ("a", "b")]
        options = {
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "autovacuum": "off",
            "shared_buffers": "64MB",
            "deadlock_timeout": "5s",
            "log_min_messages": "panic",
            # Whoever dies or is cut off leaves a connection behind, until a later step: two hundred at once were seen.
            "max_connections": "1000",
        }
        self._postgres = EmbeddedPostgres(self.folder / "pg", options=options)

    async def start(self) -> None:
        for valkey in self._valkeys:
            await valkey.start()
        await self._postgres.start()
        for shards in range(1, SHARDS_MAX + 1):
            await self._execute(f"CREATE DATABASE template_{shards}")
            await migrate(self._postgres.database_url(f"template_{shards}"), wallet_shards=shards)

    async def stop(self) -> None:
        for valkey in self._valkeys:
            await valkey.stop()
        await self._postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def valkey_urls(self) -> list[str]:
        return [valkey.url for valkey in self._valkeys]

    async def make_database(self, name: str, shards: int) -> str:
        """The URL of a new database with the schema."""
        await self._execute(f"CREATE DATABASE {name} TEMPLATE template_{shards}")
        return self._postgres.database_url(name)

    async def drop_database(self, name: str) -> None:
        await self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    async def _execute(self, sql: str) -> None:
        conn = await asyncpg.connect(self._postgres.database_url("postgres"))
        try:
            await conn.execute(sql)
        finally:
            await conn.close()
