"""What users are told: one row for each notice, written by the transaction that it speaks of.

A notice for everybody is one row too, of the user `*`, and each user keeps a mark of how far they have read of these.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from asyncpg import Record

from server.ledger import pages
from server.stores.postgres import Connection, Pool

EVERYBODY = "*"
"""Whose notices are everybody's; no user's id has an asterisk."""

MESSAGE_CHARS_MAX = 300
DETAIL_BYTES_MAX = 2_000
UNREAD_MAX = 100
"""Unread notices are counted up to here."""
MARKED_AT_ONCE_MAX = 10_000
KEPT_DAYS = 90
FORGOTTEN_AT_ONCE_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice. user_id: EVERYBODY, or who it is for; regions: whom of everybody, None for all; detail: as JSON."""

    id: int
    user_id: str
    kind: str
    message: str
    detail: Mapping[str, Any]
    at: datetime
    read: bool
    regions: list[str] | None


async def notify(
    conn: Connection, user_id: str, kind: str, message: str, detail: Mapping[str, Any] | None = None
) -> None:
    """Leaves a notice for a user in the caller's transaction. kind: such as `purchase`, `payout` or `budget`.

    After the commit, whoever has the gateway's parts calls `services.notices.changed(user_id)`, and it is on the user's
    screens at once; others need not: it is then a matter of seconds. Raises ValueError for a detail past
    DETAIL_BYTES_MAX.
    """
    await conn.execute(
        "INSERT INTO notices (user_id, kind, message, detail) VALUES ($1, $2, $3, $4)",
        user_id,
        kind,
        message[:MESSAGE_CHARS_MAX],
        _written(detail),
    )


@dataclass(frozen=True, slots=True)
class Word:
    """A notice to be left for one user. once: a name under which the user is told no second time; None: each time."""

    user_id: str
    kind: str
    message: str
    detail: Mapping[str, Any]
    once: str | None = None


async def notify_all(conn: Connection, words: Sequence[Word]) -> set[str]:
    """Leaves many notices in the caller's transaction; answers whom something new was left for. Else as `notify`."""
    rows = await conn.fetch(
        """
        INSERT INTO notices (user_id, kind, message, detail, once)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::text[])
        ON CONFLICT (user_id, once) WHERE once IS NOT NULL DO NOTHING RETURNING user_id
        """,
        [word.user_id for word in words],
        [word.kind for word in words],
        [word.message[:MESSAGE_CHARS_MAX] for word in words],
        [_written(word.detail) for word in words],
        [word.once for word in words],
    )
    return {row["user_id"] for row in rows}


async def announce(
    conn: Connection,
    kind: str,
    message: str,
    detail: Mapping[str, Any] | None = None,
    *,
    regions: Collection[str] | None = None,
) -> None:
    """Leaves a notice for everybody, or for users of these regions, in the caller's transaction; else as `notify`."""
    await conn.execute(
        "INSERT INTO notices (user_id, kind, message, detail, regions) VALUES ($1, $2, $3, $4, $5)",
        EVERYBODY,
        kind,
        message[:MESSAGE_CHARS_MAX],
        _written(detail),
        None if regions is None else sorted(regions),
    )


def _written(detail: Mapping[str, Any] | None) -> str:
    written = orjson.dumps(dict(detail or {}))
    if len(written) > DETAIL_BYTES_MAX:
        raise ValueError(f"the detail of a notice has at most {DETAIL_BYTES_MAX} bytes, not {len(written)}")
    return written.decode()


_MINE = """
    SELECT id, user_id, kind, message, detail, at, read_at IS NOT NULL AS read, regions
    FROM notices WHERE user_id = $1
"""
_EVERYBODYS = """
    SELECT id, user_id, kind, message, detail, at,
           id <= coalesce((SELECT up_to FROM announcements_read WHERE user_id = $1), 0) AS read, regions
    FROM notices
    WHERE user_id = '*' AND at >= (SELECT created_at FROM users WHERE id = $1)
      AND (regions IS NULL OR (SELECT region FROM profiles WHERE user_id = $1) = ANY(regions))
"""


async def page(pool: Pool, user_id: str, limit: int, cursor: str | None) -> tuple[list[Notice], str | None]:
    """A page of a user's notices, newest first, and the next cursor. Raises Refusal (bad_request)."""
    before: int = pages.decode(cursor, int)[0] if cursor else 2**63 - 1
    if not 0 <= before < 2**63:
        raise pages.not_ours()
    rows = await pool.fetch(
        f"""
        (SELECT * FROM ({_MINE}) AS mine WHERE id < $2 ORDER BY id DESC LIMIT $3)
        UNION ALL
        (SELECT * FROM ({_EVERYBODYS}) AS everybodys WHERE id < $2 ORDER BY id DESC LIMIT $3)
        ORDER BY id DESC LIMIT $3
        """,  # noqa: S608 - put together from the two above
        user_id,
        before,
        limit + 1,
    )
    found = [_read(row) for row in rows[:limit]]
    return found, pages.encode(found[-1].id) if len(rows) > limit else None


async def unread(pool: Pool, user_id: str) -> int:
    """How many notices a user has not read; UNREAD_MAX stands for that many and more."""
    counted: int = await pool.fetchval(
        f"""
        SELECT count(*) FROM (
            (SELECT FROM notices WHERE user_id = $1 AND read_at IS NULL LIMIT $2)
            UNION ALL
            (SELECT FROM ({_EVERYBODYS}) AS everybodys WHERE NOT read LIMIT $2)
            LIMIT $2
        ) AS unread
        """,  # noqa: S608
        user_id,
        UNREAD_MAX,
    )
    return counted


async def mark_read(conn: Connection, user_id: str, up_to: int) -> None:
    """Marks what a user was told as read, up to a notice and with it; what commits later is unread all the same."""
    await conn.execute(
        """
        UPDATE notices SET read_at = now() WHERE id IN (
            SELECT id FROM notices WHERE user_id = $1 AND read_at IS NULL AND id <= $2 ORDER BY id DESC LIMIT $3
        )
        """,
        user_id,
        up_to,
        MARKED_AT_ONCE_MAX,
    )
    await conn.execute(
        """
        INSERT INTO announcements_read (user_id, up_to)
        SELECT $1, max(id) FROM notices WHERE user_id = '*' AND id <= $2 HAVING max(id) IS NOT NULL
        ON CONFLICT (user_id) DO UPDATE SET up_to = greatest(announcements_read.up_to, excluded.up_to)
        """,
        user_id,
        up_to,
    )


async def newest(pool: Pool) -> int:
    """The largest id there is; 0 before the first notice."""
    found: int = await pool.fetchval("SELECT coalesce(max(id), 0) FROM notices")
    return found


async def newer(pool: Pool, after: int, seen: Collection[int], limit: int) -> list[Notice]:
    """Anybody's notices past an id that were not seen, in the order of their ids.

    Ids are given out before the commit: a smaller one can appear after a larger one.
    """
    rows = await pool.fetch(
        """
        SELECT id, user_id, kind, message, detail, at, read_at IS NOT NULL AS read, regions
        FROM notices WHERE id > $1 AND id <> ALL($2::bigint[]) ORDER BY id LIMIT $3
        """,
        after,
        list(seen),
        limit,
    )
    return [_read(row) for row in rows]


async def of_regions(pool: Pool, user_ids: list[str], regions: Collection[str]) -> set[str]:
    """Who of these users lives in one of these regions."""
    rows = await pool.fetch(
        "SELECT user_id FROM profiles WHERE user_id = ANY($1::text[]) AND region = ANY($2::text[])",
        user_ids,
        list(regions),
    )
    return {row["user_id"] for row in rows}


async def forget(pool: Pool) -> int:
    """Drops notices that are older than KEPT_DAYS, a bounded number at once; answers how many."""
    status = await pool.execute(
        """
        DELETE FROM notices WHERE id IN (
            SELECT id FROM (SELECT id, at FROM notices ORDER BY id LIMIT $2) AS oldest
            WHERE at < now() - make_interval(days => $1)
        )
        """,
        KEPT_DAYS,
        FORGOTTEN_AT_ONCE_MAX,
    )
    return int(status.rpartition(" ")[2])


def _read(row: Record) -> Notice:
    return Notice(
        id=row["id"],
        user_id=row["user_id"],
        kind=row["kind"],
        message=row["message"],
        detail=orjson.loads(row["detail"]),
        at=row["at"],
        read=row["read"],
        regions=row["regions"],
    )
