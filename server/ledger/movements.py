"""What moved a viewer's coins besides gifts: credits of every kind, and what they were for."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from server.ledger.history import ALWAYS, Span
from server.stores.postgres import Connection, Pool

CREDIT_KINDS = ("purchase", "promotion", "correction", "return", "refund", "forfeit")


@dataclass(frozen=True, slots=True)
class PastCredit:
    """One credit. coins: below zero where coins were taken back. applied: the wallet was seen to have it."""

    number: int
    coins: int
    kind: str
    reference: str
    reason: str
    at: datetime
    applied: bool


@dataclass(frozen=True, slots=True)
class Spent:
    """What a viewer's settled gifts to one creator cost, and how many pieces they were."""

    creator_id: str
    creator_name: str
    purpose: str
    coins: int
    gifts: int


async def credits_before(
    pool: Pool, user_id: str, number: int, limit: int, kinds: Collection[str], *, span: Span = ALWAYS
) -> list[PastCredit]:
    """A user's credits below a number, of some kinds and some time, newest first."""
    rows = await pool.fetch(
        """
        SELECT number, coins, kind, reference, reason, at, applied_at IS NOT NULL AS applied FROM credits
        WHERE user_id = $1 AND number < $2 AND kind = ANY($4::text[])
          AND (extract(epoch FROM at) * 1000000)::bigint >= $5 AND (extract(epoch FROM at) * 1000000)::bigint < $6
        ORDER BY number DESC LIMIT $3
        """,
        user_id,
        number,
        limit,
        list(kinds),
        span.since_us,
        span.until_us,
    )
    return [PastCredit(**dict(row.items())) for row in rows]


async def credit_of(conn: Connection, user_id: str, number: int) -> PastCredit | None:
    """One credit of a user."""
    row = await conn.fetchrow(
        """
        SELECT number, coins, kind, reference, reason, at, applied_at IS NOT NULL AS applied FROM credits
        WHERE user_id = $1 AND number = $2
        """,
        user_id,
        number,
    )
    return None if row is None else PastCredit(**dict(row.items()))


async def spending(pool: Pool, user_id: str, since_us: int, limit: int) -> list[Spent]:
    """What a viewer's gifts since a moment cost, settled ones, by creator and purpose, the most first."""
    rows = await pool.fetch(
        """
        SELECT spent.creator_id, coalesce(users.name, spent.creator_id) AS creator_name, spent.purpose,
               spent.coins, spent.gifts
        FROM (
            SELECT creator_id, kind AS purpose, sum(given.coins)::bigint AS coins, sum(given.count)::bigint AS gifts
            FROM gifts AS given JOIN catalogue USING (gift_id, version)
            WHERE viewer_id = $1 AND at_us >= $2 GROUP BY creator_id, kind ORDER BY 3 DESC LIMIT $3
        ) AS spent LEFT JOIN users ON users.id = spent.creator_id
        ORDER BY spent.coins DESC
        """,
        user_id,
        since_us,
        limit,
    )
    return [Spent(**dict(row.items())) for row in rows]


async def names_of(pool: Pool, user_ids: Collection[str]) -> dict[str, str]:
    """The names that users go by."""
    rows = await pool.fetch("SELECT id, name FROM users WHERE id = ANY($1::text[])", list(user_ids))
    return {row["id"]: row["name"] for row in rows}
