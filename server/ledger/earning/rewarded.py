"""Rewarded ads and surveys: who began which, and what providers reported, each transaction once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from asyncpg import Record

from server.domain.errors import Code, Refusal
from server.ledger.earning.rewards import book_reward, lock_user
from server.stores.postgres import Connection, Pool

SESSION_S = 3_600
SESSIONS_PER_DAY_MAX = 200
"""Of one user, of both kinds, whatever became of them."""
NONCE_KEPT_S = 3_600
SESSIONS_KEPT_DAYS = 2
FORGOTTEN_AT_ONCE_MAX = 10_000

Kind = Literal["ad", "survey"]
Outcome = Literal["rewarded", "capped", "expired", "repeated", "blocked", "not_completed"]


@dataclass(frozen=True, slots=True)
class Session:
    """An ad or a survey that a user began. coins: what it will be worth."""

    id: str
    user_id: str
    kind: Kind
    provider: str
    coins: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """What a provider's transaction came to. first: it was told for the first time."""

    user_id: str
    outcome: Outcome
    coins: int
    first: bool


async def used_today(conn: Connection, user_id: str) -> dict[str, int]:
    """How many of each kind a user was rewarded for since midnight, UTC."""
    rows = await conn.fetch(
        """
        SELECT kind, count(*) AS used FROM rewarded_reports
        WHERE user_id = $1 AND outcome = 'rewarded' AND at >= date_trunc('day', now(), 'UTC') GROUP BY kind
        """,
        user_id,
    )
    return {row["kind"]: row["used"] for row in rows}


async def begin(  # noqa: PLR0917
    conn: Connection, session_id: str, user_id: str, kind: Kind, provider: str, coins: int, per_day_max: int
) -> Session:
    """Begins an ad or a survey in the caller's transaction. Raises Refusal (limit_exceeded) after the day's last."""
    await lock_user(conn, user_id)
    begun: int = await conn.fetchval(
        "SELECT count(*) FROM rewarded_sessions WHERE user_id = $1 AND started_at >= date_trunc('day', now(), 'UTC')",
        user_id,
    )
    if begun >= SESSIONS_PER_DAY_MAX or (await used_today(conn, user_id)).get(kind, 0) >= per_day_max:
        raise Refusal(Code.LIMIT_EXCEEDED, "That was all for today; there is more after midnight, UTC.")
    expires_at: datetime = await conn.fetchval(
        """
        INSERT INTO rewarded_sessions (id, user_id, kind, provider, coins, expires_at)
        VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6)) RETURNING expires_at
        """,
        session_id,
        user_id,
        kind,
        provider,
        coins,
        SESSION_S,
    )
    return Session(session_id, user_id, kind, provider, coins, expires_at)


async def session(pool: Pool, session_id: str) -> Session | None:
    """A session that was begun."""
    row = await pool.fetchrow(
        "SELECT id, user_id, kind, provider, coins, expires_at FROM rewarded_sessions WHERE id = $1", session_id
    )
    return None if row is None else Session(*row.values())


async def report(
    conn: Connection,
    *,
    provider: str,
    nonce: str,
    transaction: str,
    session_id: str,
    completed: bool,
    per_day_max: dict[Kind, int],
) -> Report:
    """Takes a provider's report in the caller's transaction, and rewards the user unless it is told again or too much.

    Its signature was checked. Raises Refusal: unauthorized for a nonce that was used for another transaction,
    idempotency_conflict for a transaction that was told for another session, not_found for a session that this provider
    was not given.
    """
    found = await _told(conn, provider, transaction, session_id)
    if found is not None:
        return found
    row = await conn.fetchrow(
        """
        SELECT user_id, kind, coins, expires_at <= now() AS expired FROM rewarded_sessions
        WHERE id = $1 AND provider = $2
        """,
        session_id,
        provider,
    )
    if row is None:
        raise Refusal(Code.NOT_FOUND, "This provider was not given such a session.")
    user_id: str = row["user_id"]
    blocked = await lock_user(conn, user_id)
    # Whoever told the same at the same time is done by now.
    found = await _told(conn, provider, transaction, session_id)
    if found is not None:
        return found
    fresh = await conn.execute(
        "INSERT INTO rewarded_nonces (provider, nonce) VALUES ($1, $2) ON CONFLICT DO NOTHING", provider, nonce
    )
    if fresh.endswith(" 0"):
        raise Refusal(Code.UNAUTHORIZED, "This nonce was used before.")
    outcome: Outcome = "not_completed"
    if completed:
        outcome = await _outcome(conn, row, session_id, blocked=blocked, per_day_max=per_day_max[row["kind"]])
    coins: int = row["coins"] if outcome == "rewarded" else 0
    await conn.execute(
        """
        INSERT INTO rewarded_reports (provider, transaction, session_id, user_id, kind, outcome, coins)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        provider,
        transaction,
        session_id,
        user_id,
        row["kind"],
        outcome,
        coins,
    )
    if coins:
        message = "You watched an ad" if row["kind"] == "ad" else "You answered a survey"
        await book_reward(conn, user_id, coins, "rewarded", f"{provider}:{transaction}", message)
    return Report(user_id, outcome, coins, first=True)


async def _told(conn: Connection, provider: str, transaction: str, session_id: str) -> Report | None:
    row = await conn.fetchrow(
        "SELECT session_id, user_id, outcome, coins FROM rewarded_reports WHERE provider = $1 AND transaction = $2",
        provider,
        transaction,
    )
    if row is None:
        return None
    if row["session_id"] != session_id:
        raise Refusal(Code.IDEMPOTENCY_CONFLICT, "This transaction was told for another session.")
    return Report(row["user_id"], row["outcome"], row["coins"], first=False)


async def _outcome(conn: Connection, row: Record, session_id: str, *, blocked: bool, per_day_max: int) -> Outcome:
    if blocked:
        return "blocked"
    if await conn.fetchval(
        "SELECT EXISTS (SELECT FROM rewarded_reports WHERE session_id = $1 AND outcome = 'rewarded')", session_id
    ):
        return "repeated"
    if row["expired"]:
        return "expired"
    used = (await used_today(conn, row["user_id"])).get(row["kind"], 0)
    return "capped" if used >= per_day_max else "rewarded"


async def forget(pool: Pool) -> None:
    """Drops old nonces and sessions, a bounded number at once; reports stay."""
    await pool.execute(
        """
        DELETE FROM rewarded_nonces WHERE (provider, nonce) IN (
            SELECT provider, nonce FROM rewarded_nonces WHERE at < now() - make_interval(secs => $1)
            ORDER BY at LIMIT $2
        )
        """,
        NONCE_KEPT_S,
        FORGOTTEN_AT_ONCE_MAX,
    )
    await pool.execute(
        """
        DELETE FROM rewarded_sessions WHERE id IN (
            SELECT id FROM rewarded_sessions WHERE started_at < now() - make_interval(days => $1)
            ORDER BY started_at LIMIT $2
        )
        """,
        SESSIONS_KEPT_DAYS,
        FORGOTTEN_AT_ONCE_MAX,
    )
