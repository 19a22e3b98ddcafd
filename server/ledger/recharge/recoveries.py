"""Purchases whose coins were taken back, until the wallet was seen to owe nothing any more."""

from dataclasses import dataclass

from server.ledger.recharge.claims import share_of
from server.stores.postgres import Connection, Pool


@dataclass(frozen=True, slots=True)
class Recovery:
    """An open recovery. cap: coins that were taken back. final: of these, what claims ask for that stand and whose time
    has come: so many may be gone for good, and no more.

    held, reversed: coins whose diamonds creators cannot be paid at present, and whose diamonds are gone for good.
    """

    purchase_id: str
    cap: int
    final: int
    held: int
    reversed: int

    @property
    def covered(self) -> int:
        """Coins that holds stand for, of either kind."""
        return self.held + self.reversed

    @property
    def due(self) -> int:
        """The diamonds of so many coins that are held for it go now."""
        return max(0, self.final - self.reversed)


async def begin(conn: Connection, purchase_id: str, user_id: str) -> None:
    """Coins were taken back: opens a recovery, or opens it again."""
    await conn.execute(
        """
        INSERT INTO recoveries (purchase_id, user_id) VALUES ($1, $2)
        ON CONFLICT (purchase_id) DO UPDATE SET cleared_at = NULL, looked_at = NULL
        """,
        purchase_id,
        user_id,
    )


async def clear(conn: Connection, purchase_id: str) -> None:
    """The coins are back: nothing is to be recovered any more."""
    await conn.execute(
        "UPDATE recoveries SET cleared_at = now() WHERE purchase_id = $1 AND cleared_at IS NULL", purchase_id
    )


async def clear_all(conn: Connection, user_id: str) -> None:
    """The wallet owes nothing."""
    await conn.execute("UPDATE recoveries SET cleared_at = now() WHERE user_id = $1 AND cleared_at IS NULL", user_id)


async def open_of(conn: Connection, user_id: str) -> list[Recovery]:
    """A user's open recoveries, oldest first."""
    rows = await conn.fetch(
        f"""
        SELECT purchase_id, coins_back + bonus_back AS cap,
               {share_of("purchases.coins")} + {share_of("bonus_coins")} AS final, parts.held, parts.reversed
        FROM recoveries JOIN purchases ON purchases.id = purchase_id
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(claims.amount), 0) AS taken FROM claims
            WHERE claims.purchase_id = purchases.id AND final_at <= now()
        ) AS gone
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(coins) FILTER (WHERE state = 'held'), 0)::bigint AS held,
                   coalesce(sum(coins) FILTER (WHERE state = 'reversed'), 0)::bigint AS reversed
            FROM holds WHERE holds.purchase_id = recoveries.purchase_id
        ) AS parts
        WHERE recoveries.user_id = $1 AND cleared_at IS NULL ORDER BY at, purchase_id
        """,  # noqa: S608 - of our own
        user_id,
    )
    return [Recovery(*row) for row in rows]


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
