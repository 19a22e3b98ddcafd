"""Purchases that the sweeper has something to do for."""

from server.ledger.recharge.purchases import COLUMNS, UNDER_WAY, Purchase, read_row
from server.stores.postgres import Pool


async def to_ask_about(pool: Pool, older_than_s: float, limit: int) -> list[Purchase]:
    """Purchases under way that their provider is due to be asked about, the longest unasked first; marks them asked.

    The pauses grow with a purchase's age: a quarter of it, and `older_than_s` at least.
    """
    rows = await pool.fetch(
        f"""
        UPDATE purchases SET asked_at = now() WHERE id IN (
            SELECT id FROM purchases
            WHERE status = ANY($1::text[])
              AND coalesce(asked_at, created_at)
                  < now() - greatest(make_interval(secs => $2), (now() - created_at) / 4)
            ORDER BY asked_at NULLS FIRST, created_at LIMIT $3 FOR UPDATE SKIP LOCKED
        ) RETURNING {COLUMNS}
        """,  # noqa: S608
        list(UNDER_WAY),
        older_than_s,
        limit,
    )
    return [read_row(row) for row in rows]


async def uncredited(pool: Pool, older_than_s: float, limit: int) -> list[str]:
    """Ids of purchases that are paid and whose coins did not follow."""
    rows = await pool.fetch(
        """
        SELECT id FROM purchases WHERE status = 'paid' AND paid_at < now() - make_interval(secs => $1)
        ORDER BY paid_at LIMIT $2
        """,
        older_than_s,
        limit,
    )
    return [row["id"] for row in rows]


async def unfinished(pool: Pool, limit: int) -> list[Purchase]:
    """Credited purchases whose provider was not told yet that the coins were delivered."""
    rows = await pool.fetch(
        f"""
        SELECT {COLUMNS} FROM purchases WHERE credited_at IS NOT NULL AND finished_at IS NULL
        ORDER BY credited_at LIMIT $1
        """,  # noqa: S608
        limit,
    )
    return [read_row(row) for row in rows]
