"""A great many wallets at once: loaded into Valkey by the wallet function itself, or opened in the ledger."""

from __future__ import annotations

import asyncio
import zlib

from redis.asyncio import Redis

from server.ledger.accounts import WALLET
from server.settings import Settings
from server.stores import keys
from server.stores.postgres import Pool

WALLETS_PER_TRIP = 1000
LOADERS = 2
"""Connections: one is packed or read while Valkey works for the other."""


async def load_wallets(redis: Redis, settings: Settings, users: list[str], coins: int) -> None:
    """Load wallets as the ledger would give them; the shards must be open and without settled gifts."""
    epochs = [
        int((await redis.fcall("gs_state", 1, keys.shard(shard)))[0])  # type: ignore[misc]
        for shard in range(settings.wallet_shards)
    ]
    waiting = iter(range(0, len(users), WALLETS_PER_TRIP))

    async def load_some() -> None:
        connection = redis.connection_pool.make_connection()
        await connection.connect()
        for begin in waiting:
            commands = []
            for user in users[begin : begin + WALLETS_PER_TRIP]:
                shard = zlib.crc32(user.encode()) % settings.wallet_shards
                snapshot = (epochs[shard], 0, user, coins, 1, 0, settings.wallet_idle_s)
                commands.append(("FCALL", "gs_load", 1, keys.shard(shard), *snapshot))
            await connection.send_packed_command(connection.pack_commands(commands))
            for _ in commands:
                await connection.read_response()
        await connection.disconnect()

    # Without waiting for the disk, which only gifts have to.
    await redis.config_set("appendfsync", "everysec")
    async with asyncio.TaskGroup() as group:
        for _ in range(LOADERS):
            group.create_task(load_some())
    await redis.config_set("appendfsync", "always")


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
