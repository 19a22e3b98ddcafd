"""Coins given to somebody, once for each reason: a row, its promotional credit and a notice, in one transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from server.domain.ids import UserId
from server.ledger import pages
from server.ledger.notices import notify
from server.ledger.wallets import book_credit
from server.stores.postgres import Connection, Pool

ISSUED = """
    coalesce(sum(coins) FILTER (WHERE kind IN ('purchase', 'refund')), 0)::bigint AS purchased,
    coalesce(sum(coins) FILTER (WHERE kind IN ('promotion', 'forfeit')), 0)::bigint AS promotional
"""
"""Of rows of `credits`: the columns of `Issued`."""

Source = Literal["bonus", "referral", "challenge", "contest", "event", "rewarded"]


@dataclass(frozen=True, slots=True)
class Reward:
    """One reward of a user's list."""

    id: int
    source: Source
    coins: int
    message: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Issued:
    """Coins that a user ever got, less what was taken back: bought, and given."""

    purchased: int
    promotional: int


async def book_reward(  # noqa: PLR0917
    conn: Connection, user_id: str, coins: int, source: Source, reference: str, message: str
) -> bool:
    """Gives coins in the caller's transaction, once for each source and reference; False when that was done before.

    The user's row is locked from here on. After the commit the caller brings wallet, balance and notices up to date
    (`server/economy/news.py`, or the gateway's parts); the sweepers do if it dies.
    """
    status = await conn.execute(
        """
        INSERT INTO rewards (source, reference, user_id, coins, message) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT DO NOTHING
        """,
        source,
        reference,
        user_id,
        coins,
        message,
    )
    if status.endswith(" 0"):
        return False
    await book_credit(conn, UserId(user_id), coins, "promotion", f"{source}:{reference}", message)
    await notify(conn, user_id, "reward", message, {"coins": coins, "source": source, "reference": reference})
    return True


async def lock_user(conn: Connection, user_id: str) -> bool:
    """Makes everything else that gives this user coins wait for the caller's transaction; answers if blocked."""
    await conn.execute("INSERT INTO users (id, name) VALUES ($1, $1) ON CONFLICT DO NOTHING", user_id)
    blocked: bool = await conn.fetchval("SELECT blocked FROM users WHERE id = $1 FOR NO KEY UPDATE", user_id)
    return blocked


async def has_bought(conn: Connection, user_id: str) -> bool:
    """Whether a purchase of this user was ever credited; settled for the transaction once the user is locked."""
    found: bool = await conn.fetchval(
        "SELECT EXISTS (SELECT FROM credits WHERE user_id = $1 AND kind = 'purchase')", user_id
    )
    return found


async def page(pool: Pool, user_id: str, limit: int, cursor: str | None) -> tuple[list[Reward], str | None]:
    """A page of a user's rewards, newest first, and the next cursor. Raises Refusal (bad_request)."""
    before: int = pages.decode(cursor, int)[0] if cursor else 2**63 - 1
    if not 0 <= before < 2**63:
        raise pages.not_ours()
    rows = await pool.fetch(
        "SELECT id, source, coins, message, at FROM rewards WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
        user_id,
        before,
        limit + 1,
    )
    found = [Reward(*row.values()) for row in rows[:limit]]
    return found, pages.encode(found[-1].id) if len(rows) > limit else None


async def issued(pool: Pool, user_id: str) -> Issued:
    """What a user was issued, by where it came from. What is left of each cannot be told: coins are spent alike."""
    row = await pool.fetchrow(f"SELECT {ISSUED} FROM credits WHERE user_id = $1", user_id)  # noqa: S608 - columns of our own
    assert row is not None
    return Issued(row["purchased"], row["promotional"])
