"""Corrections of coins: proposed by one admin, approved by another, booked as a credit of kind `correction`."""

from dataclasses import dataclass, fields
from datetime import datetime

import asyncpg

from server.domain.errors import Code, Refusal
from server.domain.ids import UserId, new_id
from server.ledger import pages
from server.ledger.admin.record import record
from server.ledger.wallets import book_credit
from server.stores.postgres import Connection, Pool

COINS_MAX = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A row of `adjustments`. coins: given, or taken when below zero. state: `proposed`, `approved` or `rejected`."""

    id: str
    user_id: str
    coins: int
    reason: str
    state: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None


_COLUMNS = ", ".join(field.name for field in fields(Adjustment))


async def propose(conn: Connection, admin: str, user_id: str, coins: int, reason: str) -> Adjustment:
    """Asks for a correction; nothing moves yet. Raises Refusal: not_found, forbidden for one's own wallet."""
    if user_id == admin:
        raise Refusal(Code.FORBIDDEN, "Nobody corrects their own wallet.")
    try:
        row = await conn.fetchrow(
            f"""
            INSERT INTO adjustments (id, user_id, coins, reason, proposed_by) VALUES ($1, $2, $3, $4, $5)
            RETURNING {_COLUMNS}
            """,  # noqa: S608 - columns of our own
            new_id("adj"),
            user_id,
            coins,
            reason,
            admin,
        )
    except asyncpg.ForeignKeyViolationError:
        raise Refusal(Code.NOT_FOUND, "There is no such user.") from None
    assert row is not None
    made = Adjustment(**dict(row.items()))
    await record(conn, admin, "adjustment_proposed", user_id, {"adjustment": made.id, "coins": coins, "reason": reason})
    return made


async def decide(conn: Connection, admin: str, adjustment_id: str, *, approve: bool) -> Adjustment:
    """Approves or rejects a correction, once; an approved one is booked in the same transaction.

    Raises Refusal: not_found, conflict when it was decided already, forbidden for approving one's own proposal, or a
    correction of one's own wallet.
    """
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM adjustments WHERE id = $1",  # noqa: S608
        adjustment_id,
    )
    if row is None:
        raise Refusal(Code.NOT_FOUND, "There is no such adjustment.")
    held = Adjustment(**dict(row.items()))
    if approve and admin in {held.proposed_by, held.user_id}:
        raise Refusal(Code.FORBIDDEN, "A second person has to approve this.")
    row = await conn.fetchrow(
        f"""
        UPDATE adjustments SET state = $2, decided_by = $3, decided_at = now()
        WHERE id = $1 AND state = 'proposed' RETURNING {_COLUMNS}
        """,  # noqa: S608
        adjustment_id,
        "approved" if approve else "rejected",
        admin,
    )
    if row is None:
        raise Refusal(Code.CONFLICT, "This adjustment was decided already.")
    decided = Adjustment(**dict(row.items()))
    if approve:
        await book_credit(conn, UserId(decided.user_id), decided.coins, "correction", decided.id, decided.reason)
    await record(
        conn, admin, f"adjustment_{decided.state}", decided.user_id, {"adjustment": decided.id, "coins": decided.coins}
    )
    return decided


async def proposed(pool: Pool, limit: int, cursor: str | None) -> tuple[list[Adjustment], str | None]:
    """Adjustments that wait for a second person, longest first, and the next cursor. Raises Refusal (bad_request)."""
    (after,) = pages.decode(cursor, int) if cursor else (0,)
    rows = await pool.fetch(
        f"""
        SELECT {_COLUMNS} FROM adjustments WHERE state = 'proposed'
        ORDER BY proposed_at, id OFFSET $1 LIMIT $2
        """,  # noqa: S608
        max(0, min(after, 1_000_000)),
        limit + 1,
    )
    found = [Adjustment(**dict(row.items())) for row in rows[:limit]]
    return found, pages.encode(after + limit) if len(rows) > limit else None
