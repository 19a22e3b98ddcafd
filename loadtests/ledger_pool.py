"""A few connections to the ledger of what is being measured."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.settings import Settings
from server.stores import postgres
from server.stores.postgres import Pool


@asynccontextmanager
async def ledger_pool(settings: Settings) -> AsyncIterator[Pool]:
    """Open them, give them, close them."""
    pool = await postgres.connect(settings.database_url)
    try:
        yield pool
    finally:
        pool.terminate()
