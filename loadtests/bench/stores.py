"""Empty stores without a server: Valkey and PostgreSQL as `serve` runs them, with schema and functions."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from loadtests.processes import cpu_s
from server.ledger.migrate import migrate
from server.settings import Settings
from server.stores.embedded_postgres import EmbeddedPostgres
from server.stores.embedded_valkey import EmbeddedValkey

BACKLOG_MAX = 100_000_000
"""Nothing settles here, so the log must take all that is measured."""

PACE_PER_S = 1_000_000.0
BURST = 1_000_000


@dataclass(frozen=True, slots=True)
class Stores:
    """Running stores. settings: for whoever uses them; the pace of one user is out of the way."""

    settings: Settings
    valkey_pid: int
    postgres_pid: int

    def valkey_cpu_s(self) -> float:
        return cpu_s(self.valkey_pid)


@asynccontextmanager
async def stores(*, shards: int = 16) -> AsyncIterator[Stores]:
    """Start them in a folder of their own, give them, remove them."""
    folder = Path(tempfile.mkdtemp(prefix="gs-bench-"))
    folder.chmod(0o711)
    valkey, postgres = EmbeddedValkey(folder / "valkey"), EmbeddedPostgres(folder / "postgres")
    try:
        await valkey.start()
        await postgres.start()
        await migrate(postgres.url, wallet_shards=shards)
        settings = Settings(
            redis_url=valkey.url,
            database_url=postgres.url,
            data_dir=folder,
            wallet_shards=shards,
            log_backlog_max=BACKLOG_MAX,
            gifts_per_second=PACE_PER_S,
            gifts_burst=BURST,
            worker_id="bench",
        )
        assert valkey.child is not None
        assert postgres.child is not None
        yield Stores(settings, valkey.child.pid, postgres.child.pid)
    finally:
        await asyncio.gather(valkey.stop(), postgres.stop())
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
