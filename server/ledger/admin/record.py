"""The record of what admins did: append-only, written by the transaction that did it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from server.ledger import pages
from server.stores.postgres import Connection, Pool

ID_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Deed:
    """One step of an admin. subject: the user, item or adjustment that it was about."""

    id: int
    admin: str
    action: str
    subject: str
    detail: dict[str, Any]
    at: datetime


async def record(
    conn: Connection, admin: str, action: str, subject: str, detail: Mapping[str, Any] | None = None
) -> None:
    """Puts a step on record in the caller's transaction."""
    await conn.execute(
        "INSERT INTO admin_log (admin, action, subject, detail) VALUES ($1, $2, $3, $4)",
        admin,
        action,
        subject,
        orjson.dumps(dict(detail or {})).decode(),
    )


async def deeds(pool: Pool, limit: int, cursor: str | None, subject: str | None) -> tuple[list[Deed], str | None]:
    """A page of the record, newest first, of one subject if given; and the next cursor. Raises Refusal."""
    (before,) = pages.decode(cursor, int) if cursor else (ID_MAX,)
    if not 0 <= before <= ID_MAX:
        raise pages.not_ours()
    rows = await pool.fetch(
        """
        SELECT id, admin, action, subject, detail, at FROM admin_log
        WHERE id < $1 AND ($3::text IS NULL OR subject = $3) ORDER BY id DESC LIMIT $2
        """,
        before,
        limit + 1,
        subject,
    )
    found = [Deed(**{**dict(row.items()), "detail": orjson.loads(row["detail"])}) for row in rows[:limit]]
    return found, pages.encode(found[-1].id) if len(rows) > limit else None
