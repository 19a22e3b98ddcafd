"""The worker's part in earning, on real stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from server.economy.earning.duty import EarningDuty
from server.settings import Settings
from server.stores import redis
from server.stores.postgres import Pool
from server.wallet.opening import ShardOpener
from server.wallet.wallets import Wallets


@asynccontextmanager
async def duty_on(settings: Settings, pool: Pool, **changes: Any) -> AsyncIterator[EarningDuty]:
    """One worker's duty, with changed settings."""
    mine = replace(settings, **changes)
    client = await redis.connect(mine.redis_url)
    await redis.load_functions(client)
    opener = ShardOpener(client, pool, mine)
    try:
        yield EarningDuty(client, pool, Wallets(client, pool, opener, mine), mine)
    finally:
        await client.aclose()
