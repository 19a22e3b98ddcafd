"""Viewers and their coins as the ledger knows them: credits, and what a loaded wallet should have."""

from dataclasses import dataclass

import asyncpg

from server.domain.ids import UserId, shard_of
from server.domain.money import MONEY_MAX
from server.ledger.accounts import (
    WALLET,
    PostingId,
    account_ids,
    add_entries,
    allow_debt,
    move_shared,
    move_wallets,
    open_account,
    platform_owner,
)
from server.stores.postgres import Connection, Pool

_CONTRA = {
    "purchase": "coins_purchased",
    "promotion": "coins_promotional",
    "correction": "coins_corrected",
    "return": "coins_spent",
    "refund": "coins_purchased",
    "forfeit": "coins_promotional",
}
"""Kind of credit → the platform account that it is issued from, or given back to."""

_TAKES_BACK = {"refund", "forfeit"}
"""Kinds that are negative, each of them; a correction may be either."""


class CreditConflictError(Exception):
    """This kind and reference were booked before, for another viewer or amount."""


@dataclass(frozen=True, slots=True)
class Credit:
    """Coins given to a viewer, with the viewer's own gap-free number. spent_at_us: of coins that come back."""

    number: int
    coins: int
    spent_at_us: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """credit: number of the viewer's newest credit. blocked: sends nothing. controls: their version, 0 for none.
    told: whether the wallet is known to have these controls.
    """

    credit: int
    blocked: bool
    controls: int
    told: bool


async def open_wallet(pool: Pool, viewer: UserId) -> None:
    """Makes the viewer and the wallet unless they are there."""
    async with pool.acquire() as conn, conn.transaction():
        await ensure(conn, viewer)


async def ensure(conn: Connection, viewer: UserId) -> None:
    """Makes the viewer and the wallet when they are new."""
    await conn.execute("INSERT INTO users (id, name) VALUES ($1, $1) ON CONFLICT DO NOTHING", viewer)
    await open_account(conn, viewer, {WALLET: "coins"})


async def grant(  # noqa: PLR0917
    pool: Pool, viewer: UserId, coins: int, kind: str, reference: str, reason: str
) -> int:
    """Books a credit in a transaction of its own; else as `book_credit`."""
    try:
        async with pool.acquire() as conn, conn.transaction():
            return await book_credit(conn, viewer, coins, kind, reference, reason)
    except asyncpg.UniqueViolationError:
        # Somebody booked it while we did; all of ours is rolled back.
        async with pool.acquire() as conn:
            booked = await _booked(conn, viewer, coins, kind, reference)
        if booked is None:
            raise
        return booked


async def book_credit(  # noqa: PLR0917
    conn: Connection,
    viewer: UserId,
    coins: int,
    kind: str,
    reference: str,
    reason: str,
    *,
    spent_at_us: int | None = None,
) -> int:
    """Books a credit in the caller's transaction, once for each kind and reference, and answers its number.

    The caller tells Redis after the commit (`Wallets.refresh`); the sweeper does if the caller dies. kind: `purchase`,
    `promotion` or `return`, of 1 coin and more; `refund` or `forfeit`, of -1 and less; `correction`, of either. Each
    has its contra account. What is taken back may have been spent, also by gifts that are not settled yet: the wallet
    may then be below zero by as much, and sends no gifts while it is. spent_at_us: of a `return`, when the coins were
    spent that come back; they no longer count for the budgets of that time.

    Raises ValueError for another kind or amount, CreditConflictError when the reference was used for another viewer or
    amount, asyncpg.UniqueViolationError when somebody books it at the same time.
    """
    if kind not in _CONTRA:
        raise ValueError(f"not a kind of credit: {kind!r}")
    negative = kind in _TAKES_BACK or (kind == "correction" and coins < 0)
    if not 1 <= (-coins if negative else coins) <= MONEY_MAX:
        raise ValueError(f"not an amount of coins: {coins}")
    booked = await _booked(conn, viewer, coins, kind, reference)
    if booked is None:
        booked = await _grant(
            conn, viewer, coins=coins, kind=kind, reference=reference, reason=reason, spent_at_us=spent_at_us
        )
    return booked


async def _booked(conn: Connection, viewer: UserId, coins: int, kind: str, reference: str) -> int | None:
    row = await conn.fetchrow(
        "SELECT user_id, number, coins FROM credits WHERE kind = $1 AND reference = $2", kind, reference
    )
    if row is None:
        return None
    if (row["user_id"], row["coins"]) != (viewer, coins):
        raise CreditConflictError(f"the {kind} {reference!r} was booked before, and not like this")
    number: int = row["number"]
    return number


async def _grant(
    conn: Connection, viewer: UserId, *, coins: int, kind: str, reference: str, reason: str, spent_at_us: int | None
) -> int:
    await ensure(conn, viewer)
    # Locks the user: numbers are given out one after the other, and only by transactions that commit.
    number: int = await conn.fetchval(
        "UPDATE users SET credit_number = credit_number + 1 WHERE id = $1 RETURNING credit_number", viewer
    )
    await conn.execute(
        """
        INSERT INTO credits (user_id, number, coins, kind, reference, reason, spent_at_us)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        viewer,
        number,
        coins,
        kind,
        reference,
        reason,
        spent_at_us,
    )
    shards: int = await conn.fetchval("SELECT wallet_shards FROM installation")
    platform = platform_owner(shard_of(viewer, shards))
    wallet = (await account_ids(conn, WALLET, [viewer]))[viewer]
    contra = (await account_ids(conn, _CONTRA[kind], [platform]))[platform]
    posting_id: int = await conn.fetchval(
        "INSERT INTO postings (kind, user_id, credit_number) VALUES ('credit', $1, $2) RETURNING id", viewer, number
    )
    posting = PostingId(posting_id)
    await add_entries(conn, posting, coins={wallet: coins, contra: -coins}, diamonds={})
    if coins < 0:
        await allow_debt(conn, wallet, -coins)
    await move_wallets(conn, posting, [wallet])
    await move_shared(conn, posting, [contra])
    return number


async def is_blocked(pool: "Pool | Connection", viewer: UserId) -> bool:
    """Whether a viewer's wallet is blocked; one that the ledger does not have is not."""
    return bool(await pool.fetchval("SELECT blocked FROM users WHERE id = $1", viewer))


async def balance_of(conn: Connection, viewer: str) -> tuple[int, int]:
    """A viewer's coins as they are settled, and the number of the newest credit; nothing of somebody unknown."""
    row = await conn.fetchrow(
        """
        SELECT accounts.balance, users.credit_number FROM users
        JOIN accounts ON accounts.owner = users.id AND accounts.kind = 'wallet' WHERE users.id = $1
        """,
        viewer,
    )
    return (0, 0) if row is None else (row["balance"], row["credit_number"])


async def credits_after(pool: Pool, viewer: UserId, number: int, limit: int = 100) -> list[Credit]:
    """A viewer's credits past a number, oldest first."""
    rows = await pool.fetch(
        "SELECT number, coins, spent_at_us FROM credits WHERE user_id = $1 AND number > $2 ORDER BY number LIMIT $3",
        viewer,
        number,
        limit,
    )
    return [Credit(row["number"], row["coins"], row["spent_at_us"]) for row in rows]


async def standings(pool: Pool, viewers: list[str]) -> dict[str, Standing]:
    """What a loaded wallet of each viewer should have; viewers whom the ledger does not know are left out."""
    rows = await pool.fetch(
        """
        SELECT id, credit_number, blocked, coalesce(version, 0) AS controls, coalesce(told = version, true) AS told
        FROM users LEFT JOIN controls ON controls.user_id = users.id WHERE id = ANY($1::text[])
        """,
        viewers,
    )
    return {row["id"]: Standing(row["credit_number"], row["blocked"], row["controls"], row["told"]) for row in rows}


async def unapplied(pool: Pool, older_than_s: float, limit: int) -> list[UserId]:
    """Viewers with a credit that nobody saw in Redis yet, longest waiting first."""
    rows = await pool.fetch(
        """
        SELECT user_id FROM credits WHERE applied_at IS NULL AND at < now() - make_interval(secs => $1)
        GROUP BY user_id ORDER BY min(at) LIMIT $2
        """,
        older_than_s,
        limit,
    )
    return [UserId(row["user_id"]) for row in rows]


async def mark_applied(pool: Pool, viewer: UserId, number: int) -> None:
    """Notes that Redis has a viewer's credits up to a number (or loads them with the wallet)."""
    await pool.execute(
        "UPDATE credits SET applied_at = now() WHERE user_id = $1 AND number <= $2 AND applied_at IS NULL",
        viewer,
        number,
    )


async def remember_user(pool: Pool, user_id: UserId, name: str) -> None:
    """Keeps the name that a user goes by now."""
    await pool.execute(
        """
        INSERT INTO users (id, name) VALUES ($1, $2)
        ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE users.name <> excluded.name
        """,
        user_id,
        name,
    )


async def set_blocked(pool: Pool, viewer: UserId, blocked: bool) -> None:
    """Blocks a viewer's wallet, or frees it; the wallet in Redis is told by the caller."""
    await pool.execute(
        "INSERT INTO users (id, name, blocked) VALUES ($1, $1, $2)"
        " ON CONFLICT (id) DO UPDATE SET blocked = excluded.blocked",
        viewer,
        blocked,
    )
