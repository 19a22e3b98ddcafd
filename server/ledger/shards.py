"""How far each wallet shard is settled, and what went wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from asyncpg import Record
from redis.asyncio import Redis

from server.ledger import metrics
from server.ledger.openings import Openings
from server.stores import keys
from server.stores.postgres import Connection


@dataclass(frozen=True, slots=True)
class Cursor:
    """Everything of this epoch up to this number is in the ledger (or in quarantine)."""

    epoch: int
    number: int


@dataclass(frozen=True, slots=True)
class HeldShard:
    """What the ledger knows of a shard while a transaction holds its row."""

    cursor: Cursor
    openings: Openings


@dataclass(frozen=True, slots=True)
class ShardState:
    """A shard in Redis: its newest number, the marks of its two readers, and whether this server process serves it.

    opening: the token of its last opening, '' before the first. shards: how many Redis was set up with, 0 for none.
    legible: its wallets and answers are kept as our functions keep them; else only its log is of use.
    """

    epoch: int = 0
    number: int = 0
    opening: str = ""
    settled: int = 0
    applied: int = 0
    opened: bool = False
    shards: int = 0
    legible: bool = True

    @classmethod
    def read(cls, row: Sequence[bytes]) -> "ShardState":
        """Of an answer of `gs_state`."""
        epoch, number, opening, settled, applied, opened, shards, legible = row
        marks = int(settled), int(applied)
        return cls(int(epoch), int(number), opening.decode(), *marks, opened == b"1", int(shards), legible == b"1")

    def behind(self, cursor: Cursor) -> bool:
        """Whether the ledger has what this Redis has not."""
        return self.epoch != cursor.epoch or self.number < cursor.number


_HOLD = "SELECT epoch, number, opening, announced FROM shards WHERE shard = $1 FOR UPDATE"


async def hold_shard(conn: Connection, shard: int) -> HeldShard:
    """The shard's cursor, held until the transaction ends; waits for whoever holds it.

    Raises LookupError when there is no such shard.
    """
    row = await conn.fetchrow(_HOLD, shard)
    if row is None:
        raise LookupError(f"the ledger has no wallet shard {shard}")
    return _held(row)


async def claim_shard(conn: Connection, shard: int) -> HeldShard | None:
    """As `hold_shard`, but answers None at once when somebody else holds it."""
    row = await conn.fetchrow(f"{_HOLD} SKIP LOCKED", shard)
    return None if row is None else _held(row)


def _held(row: Record) -> HeldShard:
    openings = Openings(row["opening"], frozenset(row["announced"]))
    return HeldShard(Cursor(row["epoch"], row["number"]), openings)


async def assure_held(conn: Connection) -> None:
    """Raises one of POSTGRES_AWAY if the transaction that holds a shard has ended, and the shard is anybody's."""
    await conn.execute("SELECT 1")


async def advance_cursor(conn: Connection, shard: int, cursor: Cursor) -> None:
    """Moves a cursor that this transaction holds."""
    await conn.execute(
        "UPDATE shards SET epoch = $2, number = $3, settled_at = now() WHERE shard = $1",
        shard,
        cursor.epoch,
        cursor.number,
    )


async def begin_epoch(conn: Connection, shard: int, epoch: int) -> None:
    """Begins an epoch of a shard whose cursor this transaction holds: nothing of it is settled yet.

    Raises ValueError unless the epoch is newer than the cursor's.
    """
    status = await conn.execute(
        "UPDATE shards SET epoch = $2, number = 0 WHERE shard = $1 AND epoch < $2", shard, epoch
    )
    if status != "UPDATE 1":
        raise ValueError(f"epoch {epoch} of wallet shard {shard} is not new")


async def read_states(redis: Redis, shards: int) -> list[ShardState]:
    """What Redis says of all shards, in one round trip. Raises RedisError when it is away or has no functions."""
    pipeline = redis.pipeline(transaction=False)
    for shard in range(shards):
        pipeline.fcall("gs_state", 1, keys.shard(shard))
    return [ShardState.read(row) for row in await pipeline.execute()]


async def read_state(redis: Redis, shard: int) -> ShardState:
    """What Redis says of one shard. Raises RedisError as `read_states`."""
    return ShardState.read(await redis.fcall("gs_state", 1, keys.shard(shard)))


async def record_incident(conn: Connection, shard: int | None, kind: str, detail: Mapping[str, Any]) -> None:
    """Keeps what an operator should know, and counts it; the caller logs it too."""
    await conn.execute(
        "INSERT INTO incidents (shard, kind, detail) VALUES ($1, $2, $3)", shard, kind, orjson.dumps(detail).decode()
    )
    metrics.INCIDENTS.labels(kind).inc()
