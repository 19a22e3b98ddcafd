"""Users as admins see them, and what admins may do to them: freeze the wallet, ban."""

from dataclasses import dataclass
from datetime import datetime

from server.domain.errors import Code, Refusal
from server.ledger.admin.record import record
from server.ledger.earning.rewards import ISSUED
from server.stores.postgres import Connection, Pool

BANNED_MAX = 100_000
"""How many banned users a gateway keeps in memory; the newest."""


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user in a list of findings."""

    id: str
    name: str
    frozen: bool
    banned: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class UserAccount:
    """A user's books. coins: the ledger's balance, behind what is not settled; purchased, promotional: ever got."""

    id: str
    name: str
    frozen: bool
    banned: str | None
    created_at: datetime
    region: str | None
    coins: int
    purchased: int
    promotional: int
    spent: int
    diamonds_available: int
    diamonds_held: int
    diamonds_paid: int
    rooms: int
    purchases: int


async def find_users(pool: Pool, text: str, limit: int) -> list[UserRow]:
    """Users by id, or by the beginning of their name (any case)."""
    rows = await pool.fetch(
        """
        SELECT users.id, name, blocked AS frozen, banned_users.user_id IS NOT NULL AS banned, created_at
        FROM users LEFT JOIN banned_users ON banned_users.user_id = users.id
        WHERE users.id = $1 OR starts_with(lower(name), lower($1)) ORDER BY users.id = $1 DESC, name, users.id LIMIT $2
        """,
        text,
        limit,
    )
    return [UserRow(**dict(row.items())) for row in rows]


async def account(conn: Connection, user_id: str) -> UserAccount:
    """One user with everything that counts. Raises Refusal (not_found)."""
    row = await conn.fetchrow(
        f"""
        SELECT users.id, name, blocked AS frozen, banned_users.reason AS banned, users.created_at, profiles.region,
               coalesce(held.coins, 0)::bigint AS coins,
               given.purchased, given.promotional,
               coalesce(given.total - held.coins, 0)::bigint AS spent,
               coalesce(held.available, 0)::bigint AS diamonds_available,
               coalesce(held.held, 0)::bigint AS diamonds_held, coalesce(held.paid, 0)::bigint AS diamonds_paid,
               (SELECT count(*) FROM rooms WHERE creator_id = $1) AS rooms,
               (SELECT count(*) FROM purchases WHERE user_id = $1 AND credited_at IS NOT NULL) AS purchases
        FROM users
        LEFT JOIN banned_users ON banned_users.user_id = users.id
        LEFT JOIN profiles ON profiles.user_id = users.id,
        LATERAL (
            SELECT sum(balance) FILTER (WHERE kind = 'wallet') AS coins,
                   sum(balance) FILTER (WHERE kind = 'diamonds_available') AS available,
                   sum(balance) FILTER (WHERE kind = 'diamonds_held') AS held,
                   sum(balance) FILTER (WHERE kind = 'diamonds_paid') AS paid
            FROM accounts WHERE owner = $1
        ) AS held,
        LATERAL (
            SELECT {ISSUED}, sum(coins) AS total FROM credits WHERE user_id = $1
        ) AS given
        WHERE users.id = $1
        """,  # noqa: S608 - columns of our own
        user_id,
    )
    if row is None:
        raise Refusal(Code.NOT_FOUND, "There is no such user.")
    return UserAccount(**dict(row.items()))


async def ban(conn: Connection, admin: str, user_id: str, reason: str) -> None:
    """Bans a user, and puts it on record. Raises Refusal: not_found, forbidden for oneself."""
    if admin == user_id:
        raise Refusal(Code.FORBIDDEN, "Nobody bans themselves.")
    known = await conn.fetchval("SELECT true FROM users WHERE id = $1", user_id)
    if not known:
        raise Refusal(Code.NOT_FOUND, "There is no such user.")
    await conn.execute(
        "INSERT INTO banned_users (user_id, reason, by_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        user_id,
        reason,
        admin,
    )
    await record(conn, admin, "user_banned", user_id, {"reason": reason})


async def unban(conn: Connection, admin: str, user_id: str, reason: str) -> None:
    """Lets a user in again, and puts it on record."""
    await conn.execute("DELETE FROM banned_users WHERE user_id = $1", user_id)
    await record(conn, admin, "user_unbanned", user_id, {"reason": reason})


async def banned(pool: Pool) -> frozenset[str]:
    """All banned users, the newest BANNED_MAX."""
    rows = await pool.fetch("SELECT user_id FROM banned_users ORDER BY at DESC LIMIT $1", BANNED_MAX)
    return frozenset(row["user_id"] for row in rows)
