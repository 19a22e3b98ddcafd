"""What purchases are promised: room taken in a promotion's budget when a purchase is made, used or given back later."""

from dataclasses import dataclass

from server.domain.promotion import Applied, Usage
from server.ledger.earning.rewards import book_reward
from server.stores.postgres import Connection, Pool

RELEASED_AT_ONCE_MAX = 500


@dataclass(frozen=True, slots=True)
class Promise:
    """A deal as a purchase has it. coins: bonus; discount: minor units off the price."""

    promotion_id: str
    version: int
    name: str
    coins: int
    discount: int
    state: str


async def claim(conn: Connection, purchase_id: str, user_id: str, one: Applied) -> bool:
    """Promises a promotion to a purchase if budget and caps leave room. The caller has locked the user."""
    promotion, worth = one.promotion, one.worth
    bonus = worth if promotion.kind == "bonus" else 0
    # Purchases of all users wait here for each other until their makers commit, so that no budget is overdrawn.
    row = await conn.fetchrow(
        "SELECT coins, uses FROM promotion_usage WHERE promotion_id = $1 FOR NO KEY UPDATE", promotion.id
    )
    if row is None:
        return False
    mine = await conn.fetchrow(
        """
        SELECT count(*) FILTER (WHERE promotion_id = $2) AS by_user, coalesce(bool_or(first_purchase), false) AS first
        FROM deals WHERE user_id = $1 AND state <> 'released' AND purchase_id <> $3
        """,
        user_id,
        promotion.id,
        purchase_id,
    )
    assert mine is not None
    if not Usage(row["coins"], row["uses"], mine["by_user"]).leaves(promotion, bonus):
        return False
    if promotion.first_purchase_only and mine["first"]:
        return False  # promised to another purchase under way, which may well be the first
    await _use(conn, promotion.id, bonus, 1)
    await conn.execute(
        """
        INSERT INTO deals (purchase_id, kind, promotion_id, version, user_id, first_purchase, coins, discount)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        purchase_id,
        promotion.kind,
        promotion.id,
        promotion.version,
        user_id,
        promotion.first_purchase_only,
        bonus,
        worth - bonus,
    )
    return True


async def promises(conn: Connection, purchase_id: str) -> list[Promise]:
    """What a purchase was promised."""
    rows = await conn.fetch(
        """
        SELECT promotion_id, deals.version, name, deals.coins, discount, state
        FROM deals JOIN promotions ON id = promotion_id AND promotions.version = deals.version
        WHERE purchase_id = $1 ORDER BY deals.kind
        """,
        purchase_id,
    )
    return [Promise(*row.values()) for row in rows]


async def keep(conn: Connection, purchase_id: str, user_id: str) -> bool:
    """Keeps what a purchase was promised, once: books its bonus; answers whether the user got coins.

    A promise that was given back in the meantime is taken up again if there is still room for it; else the purchase
    has no bonus any more.
    """
    rows = await conn.fetch(
        """
        SELECT deals.kind, promotion_id, deals.version, deals.coins, state, name
        FROM deals JOIN promotions ON id = promotion_id AND promotions.version = deals.version
        WHERE purchase_id = $1 AND state <> 'granted' ORDER BY promotion_id FOR NO KEY UPDATE OF deals
        """,
        purchase_id,
    )
    booked = False
    for kind, promotion_id, version, coins, state, name in rows:
        if state == "released" and not await _take_up(conn, promotion_id, version, coins):
            continue
        await conn.execute("UPDATE deals SET state = 'granted' WHERE purchase_id = $1 AND kind = $2", purchase_id, kind)
        if coins:
            booked |= await book_reward(conn, user_id, coins, "bonus", purchase_id, name)
    return booked


async def _take_up(conn: Connection, promotion_id: str, version: int, coins: int) -> bool:
    status = await conn.execute(
        """
        UPDATE promotion_usage SET coins = promotion_usage.coins + $3, uses = uses + 1 FROM promotions
        WHERE promotion_id = $1 AND id = $1 AND version = $2
          AND uses < uses_max AND (budget_coins IS NULL OR promotion_usage.coins + $3 <= budget_coins)
        """,
        promotion_id,
        version,
        coins,
    )
    return status.endswith(" 1")


async def release(conn: Connection, purchase_id: str) -> None:
    """Gives back what a purchase was promised that came to nothing; nothing happens if it was kept or given back."""
    rows = await conn.fetch(
        """
        UPDATE deals SET state = 'released' WHERE purchase_id = $1 AND state = 'promised' RETURNING promotion_id, coins
        """,
        purchase_id,
    )
    for row in sorted(rows, key=lambda row: str(row["promotion_id"])):
        await _use(conn, row["promotion_id"], -row["coins"], -1)


async def ended(pool: Pool) -> list[str]:
    """Purchases that came to nothing and still hold a promise, a bounded number of them."""
    rows = await pool.fetch(
        """
        SELECT DISTINCT purchase_id FROM deals JOIN purchases ON purchases.id = purchase_id
        WHERE state = 'promised' AND purchases.status IN ('declined', 'expired') LIMIT $1
        """,
        RELEASED_AT_ONCE_MAX,
    )
    return [row["purchase_id"] for row in rows]


async def _use(conn: Connection, promotion_id: str, coins: int, uses: int) -> None:
    await conn.execute(
        "UPDATE promotion_usage SET coins = coins + $2, uses = uses + $3 WHERE promotion_id = $1",
        promotion_id,
        coins,
        uses,
    )
