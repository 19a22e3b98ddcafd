"""Reports by users and patterns that look like fraud: what waits for a person, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from server.domain.errors import Code, Refusal
from server.ledger import pages
from server.ledger.admin.record import record
from server.stores.postgres import Connection, Pool

ID_MAX = 2**63 - 1
REPORTS_PER_DAY_MAX = 20
"""Of one user; more are refused."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a user reported."""

    id: int
    reporter_id: str
    subject_kind: str
    subject_id: str
    reason: str
    words: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Flag:
    """A pattern that a person should look at."""

    id: int
    pattern: str
    user_id: str
    detail: dict[str, Any]
    at: datetime


async def report(conn: Connection, reporter_id: str, subject: tuple[str, str], *, reason: str, words: str) -> int:
    """Takes a report; answers its number. subject: kind and id. Raises Refusal (rate_limited)."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('reports ' || $1, 0))", reporter_id)
    today: int = await conn.fetchval(
        "SELECT count(*) FROM reports WHERE reporter_id = $1 AND at > now() - interval '1 day'", reporter_id
    )
    if today >= REPORTS_PER_DAY_MAX:
        raise Refusal(Code.RATE_LIMITED, "That are many reports for one day.", retry_ms=3_600_000)
    number: int = await conn.fetchval(
        """
        INSERT INTO reports (reporter_id, subject_kind, subject_id, reason, words)
        VALUES ($1, $2, $3, $4, $5) RETURNING id
        """,
        reporter_id,
        *subject,
        reason,
        words,
    )
    return number


async def flag(conn: Connection, pattern: str, user_id: str, detail: Mapping[str, Any]) -> bool:
    """Flags a pattern of a user for review, once a day; False when it is flagged already."""
    status = await conn.execute(
        "INSERT INTO review_flags (pattern, user_id, detail) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        pattern,
        user_id,
        orjson.dumps(dict(detail)).decode(),
    )
    return status.endswith(" 1")


async def suspected(conn: Connection, creator_id: str) -> bool:
    """Whether an open flag is on a creator, or on somebody because of what they gave to one."""
    found: bool = await conn.fetchval(
        """
        SELECT EXISTS (
            SELECT FROM review_flags WHERE closed_at IS NULL AND (user_id = $1 OR detail ->> 'creator' = $1)
        )
        """,
        creator_id,
    )
    return found


async def open_reports(pool: Pool, limit: int, cursor: str | None) -> tuple[list[Report], str | None]:
    """Reports that wait, oldest first, and the next cursor. Raises Refusal (bad_request)."""
    rows = await pool.fetch(
        """
        SELECT id, reporter_id, subject_kind, subject_id, reason, words, at FROM reports
        WHERE closed_at IS NULL AND id > $1 ORDER BY id LIMIT $2
        """,
        _after(cursor),
        limit + 1,
    )
    found = [Report(**dict(row.items())) for row in rows[:limit]]
    return found, pages.encode(found[-1].id) if len(rows) > limit else None


async def open_flags(pool: Pool, limit: int, cursor: str | None) -> tuple[list[Flag], str | None]:
    """Flags that wait, oldest first, and the next cursor. Raises Refusal (bad_request)."""
    rows = await pool.fetch(
        """
        SELECT id, pattern, user_id, detail, at FROM review_flags
        WHERE closed_at IS NULL AND id > $1 ORDER BY id LIMIT $2
        """,
        _after(cursor),
        limit + 1,
    )
    found = [Flag(**{**dict(row.items()), "detail": orjson.loads(row["detail"])}) for row in rows[:limit]]
    return found, pages.encode(found[-1].id) if len(rows) > limit else None


async def close_report(conn: Connection, admin: str, number: int, outcome: str) -> None:
    """Closes a report, once, and puts it on record. Raises Refusal (not_found)."""
    subject = await conn.fetchval(
        """
        UPDATE reports SET closed_at = now(), closed_by = $2, outcome = $3
        WHERE id = $1 AND closed_at IS NULL RETURNING subject_id
        """,
        number,
        admin,
        outcome,
    )
    if subject is None:
        raise Refusal(Code.NOT_FOUND, "No open report has this number.")
    await record(conn, admin, "report_closed", subject, {"report": number, "outcome": outcome})


async def close_flag(conn: Connection, admin: str, number: int, outcome: str) -> None:
    """Closes a flag, once, and puts it on record. Raises Refusal (not_found)."""
    user_id = await conn.fetchval(
        """
        UPDATE review_flags SET closed_at = now(), closed_by = $2, outcome = $3
        WHERE id = $1 AND closed_at IS NULL RETURNING user_id
        """,
        number,
        admin,
        outcome,
    )
    if user_id is None:
        raise Refusal(Code.NOT_FOUND, "No open flag has this number.")
    await record(conn, admin, "flag_closed", user_id, {"flag": number, "outcome": outcome})


def _after(cursor: str | None) -> int:
    (after,) = pages.decode(cursor, int) if cursor else (0,)
    if not 0 <= after <= ID_MAX:
        raise pages.not_ours()
    return int(after)
