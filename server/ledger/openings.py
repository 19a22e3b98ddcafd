"""Which Redis the ledger goes on with: the tokens of a shard's openings.

A failover can leave an old primary alive, with a worker that still reads it: its log would be settled under numbers
that the promoted replica gives out again. So each opening of a shard on a server process has a token that both stores
keep, and settlement reads only a Redis that carries the one confirmed here. A token is announced before Redis gets it
and confirmed after, so that a crash in between is never taken for another server.

Whoever has told a Redis something and notes that here asks first whether it is that Redis (`known`). What was told to
one that is left behind just afterwards is compared with the new one once its opening is `confirmed`.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from server.stores.postgres import Connection, Pool

ANNOUNCED_MAX = 16
"""Announcements kept until one of them is confirmed: as many openings in a row may fail and still be recognised."""


@dataclass(frozen=True, slots=True)
class Openings:
    """confirmed: the opening that settlement follows, '' before the first. announced: those that came to no end."""

    confirmed: str
    announced: frozenset[str]

    def know(self, token: str) -> bool:
        """Whether data that carry this token are those that the ledger has followed so far."""
        return token == self.confirmed or token in self.announced


def new_token() -> str:
    """A token for one opening."""
    return secrets.token_hex(8)


async def announce(conn: Connection, shard: int, token: str) -> None:
    """Notes a token that Redis is about to get; the transaction holds the shard's cursor."""
    await conn.execute(
        "UPDATE shards SET announced = (array_append(announced, $2))[greatest(cardinality(announced) + 2 - $3, 1):]"
        " WHERE shard = $1",
        shard,
        token,
        ANNOUNCED_MAX,
    )


async def confirm(conn: Connection, shard: int, token: str) -> None:
    """Notes that Redis carries this token; the transaction holds the shard's cursor."""
    await conn.execute("UPDATE shards SET opening = $2, announced = '{}' WHERE shard = $1", shard, token)


async def confirmed(pool: Pool) -> dict[int, str]:
    """The opening of each shard that the ledger follows."""
    return {row["shard"]: row["opening"] for row in await pool.fetch("SELECT shard, opening FROM shards")}


async def note_compared(pool: Pool, tokens: Mapping[int, str]) -> None:
    """Notes that the wallets of shards were compared with the ledger after these openings, if it still follows them."""
    await pool.execute(
        """
        UPDATE shards SET compared = opening FROM unnest($1::int[], $2::text[]) AS seen (shard, token)
        WHERE shards.shard = seen.shard AND opening = token AND compared <> token
        """,
        list(tokens),
        list(tokens.values()),
    )


async def known(pool: Pool, shard: int, token: str) -> bool:
    """Whether a Redis that carries this token is the one that the ledger follows."""
    row = await pool.fetchrow("SELECT opening, announced FROM shards WHERE shard = $1", shard)
    return row is not None and Openings(row["opening"], frozenset(row["announced"])).know(token)
