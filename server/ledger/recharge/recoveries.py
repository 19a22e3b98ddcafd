"""Purchases whose coins were taken back, until the wallet was seen to owe nothing any more."""

from dataclasses import dataclass

from server.stores.postgres import Connection, Pool


@dataclass(frozen=True, slots=True)
class Recovery:
    """An open recovery. cap: coins that were taken back; covered: of these, what its holds stand for.

    due: the diamonds of so many coins that are held for it go now: no more than what is not disputed any more.
    """

    purchase_id: str
    cap: int
    covered: int
    due: int


async def begin(conn: Connection, purchase_id: str, user_id: str, reverse_in_s: float | None) -> None:
    """Coins were taken back: opens a recovery, or opens it again.

    reverse_in_s: when the diamonds that are held for it go, unless they go earlier already; None while that is open.
    """
    await conn.execute(
        """
        INSERT INTO recoveries (purchase_id, user_id, reverse_at) VALUES ($1, $2, now() + make_interval(secs => $3))
        ON CONFLICT (purchase_id) DO UPDATE
        SET reverse_at = least(recoveries.reverse_at, excluded.reverse_at), cleared_at = NULL, looked_at = NULL
        """,
        purchase_id,
        user_id,
        reverse_in_s,
    )


async def clear(conn: Connection, purchase_id: str) -> None:
    """The coins are back: nothing is to be recovered any more."""
    await conn.execute(
        "UPDATE recoveries SET cleared_at = now(), reverse_at = NULL WHERE purchase_id = $1 AND cleared_at IS NULL",
        purchase_id,
    )


async def clear_all(conn: Connection, user_id: str) -> None:
    """The wallet owes nothing."""
    await conn.execute("UPDATE recoveries SET cleared_at = now() WHERE user_id = $1 AND cleared_at IS NULL", user_id)


async def open_of(conn: Connection, user_id: str) -> list[Recovery]:
    """A user's open recoveries, oldest first."""
    rows = await conn.fetch(
        """
        SELECT purchase_id, coins_back + bonus_back AS cap, coalesce(held.coins, 0)::bigint AS covered,
               CASE WHEN reverse_at <= now() THEN greatest(0,
                   least(purchases.coins, ceil(purchases.coins * part)) + least(bonus_coins, ceil(bonus_coins * part))
                   - coalesce(held.reversed, 0)
               ) ELSE 0 END::bigint AS due
        FROM recoveries JOIN purchases ON purchases.id = purchase_id
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(claims.amount), 0) / purchases.amount AS part FROM claims
            WHERE claims.purchase_id = purchases.id AND state = 'stands'
        ) AS gone
        LEFT JOIN LATERAL (
            SELECT sum(coins) AS coins, sum(coins) FILTER (WHERE state = 'reversed') AS reversed FROM holds
            WHERE holds.purchase_id = recoveries.purchase_id AND state <> 'released'
        ) AS held ON true
        WHERE recoveries.user_id = $1 AND cleared_at IS NULL ORDER BY at, purchase_id
        """,
        user_id,
    )
    return [Recovery(row["purchase_id"], row["cap"], row["covered"], row["due"]) for row in rows]


async def to_look_at(pool: Pool, again_after_s: float, limit: int) -> list[str]:
    """Users with an open recovery that nobody looked at lately, the longest unseen first; marks them looked at."""
    rows = await pool.fetch(
        """
        UPDATE recoveries SET looked_at = now() WHERE purchase_id IN (
            SELECT purchase_id FROM recoveries
            WHERE cleared_at IS NULL AND (looked_at IS NULL OR looked_at < now() - make_interval(secs => $1))
            ORDER BY looked_at NULLS FIRST LIMIT $2 FOR UPDATE SKIP LOCKED
        ) RETURNING user_id
        """,
        again_after_s,
        limit,
    )
    return sorted({row["user_id"] for row in rows})
