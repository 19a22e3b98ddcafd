"""How users look to others: their level, and the upgrades that are not over."""

from collections.abc import Collection
from dataclasses import dataclass

from server.domain.look import Look
from server.stores.postgres import Connection, Pool


@dataclass(frozen=True, slots=True)
class Upgrade:
    """An item that somebody has for a time. until_us: microseconds, UTC."""

    item: str
    slot: str
    look: str
    until_us: int


@dataclass(frozen=True, slots=True)
class Gifter:
    """What somebody is as a gifter. coins: ever spent, but for what may be returned; upgrades: the last one first."""

    coins: int
    level: int
    upgrades: list[Upgrade]


async def looks_of(pool: Pool, users: Collection[str], now_us: int) -> dict[str, Look]:
    """The looks of users, of each slot the upgrade that was bought last; who has nothing to show is in it too."""
    levels = await pool.fetch("SELECT viewer_id, level FROM gifters WHERE viewer_id = ANY($1::text[])", list(users))
    worn = await pool.fetch(
        """
        SELECT DISTINCT ON (viewer_id, slot) viewer_id, slot, look FROM upgrades
        WHERE viewer_id = ANY($1::text[]) AND until_us > $2 ORDER BY viewer_id, slot, at_us DESC
        """,
        list(users),
        now_us,
    )
    slots: dict[str, dict[str, str]] = {}
    for row in worn:
        slots.setdefault(row["viewer_id"], {})[row["slot"]] = row["look"]
    level = {row["viewer_id"]: row["level"] for row in levels}
    return {user: Look(level=level.get(user, 0), **slots.get(user, {})) for user in users}


async def gifter(conn: Connection, user_id: str, now_us: int) -> Gifter:
    """What a user is as a gifter, and the upgrades that are not over."""
    row = await conn.fetchrow("SELECT coins, level FROM gifters WHERE viewer_id = $1", user_id)
    upgrades = await conn.fetch(
        """
        SELECT item_id, slot, look, max(until_us) AS until_us FROM upgrades
        WHERE viewer_id = $1 AND until_us > $2 GROUP BY 1, 2, 3 ORDER BY max(at_us) DESC
        """,
        user_id,
        now_us,
    )
    coins, level = row or (0, 0)
    return Gifter(coins, level, [Upgrade(*row.values()) for row in upgrades])
