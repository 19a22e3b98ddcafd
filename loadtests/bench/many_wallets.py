"""A great many wallets at once: loaded into Valkey by the wallet function itself, or opened in the ledger."""

from __future__ import annotations

import zlib

from redis.asyncio import Redis

from server.ledger.accounts import WALLET
from server.settings import Settings
from server.stores import keys
from server.stores.postgres import Pool

WALLETS_PER_TRIP = 2000


async def load_wallets(redis: Redis, settings: Settings, users: list[str], coins: int) -> None:
    """Load wallets as the ledger would give them; the shards must be open and without settled gifts."""
    epochs = [
        int((await redis.fcall("gs_state", 1, keys.shard(shard)))[0])  # type: ignore[misc]
        for shard in range(settings.wallet_shards)
    ]
    for begin in range(0, len(users), WALLETS_PER_TRIP):
        pipeline = redis.pipeline(transaction=False)
        for user in users[begin : begin + WALLETS_PER_TRIP]:
            shard = zlib.crc32(user.encode()) % settings.wallet_shards
            pipeline.fcall(
                "gs_load",
                1,
                keys.shard(shard),
                epochs[shard],
                0,
                user,
                coins,
                1,
                0,
                settings.wallet_idle_s,
                settings.dedupe_s,
            )
        await pipeline.execute()


async def open_accounts(pool: Pool, users: list[str], coins: int) -> None:
    """Make users with coins in the ledger, without the credits behind them: for cost alone, never for an audit."""
    await pool.execute("INSERT INTO users (id, name) SELECT id, id FROM unnest($1::text[]) AS id", users, timeout=600)
    await pool.execute(
        "INSERT INTO accounts (owner, kind, currency, balance)"
        " SELECT owner, $3, 'coins', $2 FROM unnest($1::text[]) AS owner",
        users,
        coins,
        WALLET,
        timeout=600,
    )


def crowd(count: int, label: str = "crowd") -> list[str]:
    """Users by the thousand."""
    return [f"{label}-{n}" for n in range(count)]
