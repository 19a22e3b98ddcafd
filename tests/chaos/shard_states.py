"""How far each wallet shard is, in Redis and in Postgres, read past the proxies."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from server.stores import keys
from tests.chaos.stores import Stores

DRAINED_TIMEOUT_S = 90.0
POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Place:
    """An epoch and a number in it; (0, 0) where there is nothing yet."""

    epoch: int
    number: int


async def in_redis(stores: Stores, shards: int) -> list[dict[str, int]]:
    """epoch, number, settled and applied of each shard."""
    redis = stores.valkey.client()
    try:
        names = ("epoch", "number", "settled", "applied")
        rows = [await redis.hmget(keys.shard(shard), names) for shard in range(shards)]
    finally:
        await redis.aclose()
    return [dict(zip(names, (int(value or 0) for value in row), strict=True)) for row in rows]


async def in_postgres(stores: Stores) -> list[Place]:
    """The cursor of each shard."""
    connection = await stores.postgres.connect()
    try:
        rows = await connection.fetch("SELECT epoch, number FROM shards ORDER BY shard")
    finally:
        await connection.close()
    return [Place(row["epoch"], row["number"]) for row in rows]


async def left_behind(stores: Stores, shards: int) -> list[bool]:
    """Of each shard: whether Redis carries an opening that the ledger has gone on from."""
    redis = stores.valkey.client()
    try:
        tokens = [(await redis.hget(keys.shard(shard), "opening") or b"").decode() for shard in range(shards)]
    finally:
        await redis.aclose()
    connection = await stores.postgres.connect()
    try:
        rows = await connection.fetch("SELECT opening, announced FROM shards ORDER BY shard")
    finally:
        await connection.close()
    return [token not in {row["opening"], *row["announced"]} for token, row in zip(tokens, rows, strict=True)]


async def dirty_rooms(stores: Stores) -> int:
    redis = stores.valkey.client()
    try:
        return int(await redis.scard(keys.DIRTY_ROOMS))
    finally:
        await redis.aclose()


async def wait_drained(stores: Stores, shards: int) -> None:
    """Return when both readers have read every log to its end. Raises TimeoutError with the first shard that is not."""
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + DRAINED_TIMEOUT_S
    while True:
        held, cursors = await in_redis(stores, shards), await in_postgres(stores)
        late = [
            f"shard {shard}: Redis {row}, cursor {cursor.epoch}-{cursor.number}"
            for shard, (row, cursor) in enumerate(zip(held, cursors, strict=True))
            if (row["epoch"], row["number"]) != (cursor.epoch, cursor.number)
            or not row["number"] == row["settled"] == row["applied"]
        ]
        if not late and await dirty_rooms(stores) == 0:
            return
        if loop.time() > deadline_s:
            raise TimeoutError(f"not drained within {DRAINED_TIMEOUT_S:.0f} s: {late[0] if late else 'dirty rooms'}")
        await asyncio.sleep(POLL_S)
