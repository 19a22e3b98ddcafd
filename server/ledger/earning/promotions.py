"""Promotions in Postgres: versions that never change, and how much of each promotion is used."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg
from asyncpg import Record

from server.domain.errors import Code, Refusal
from server.domain.promotion import Promotion, Usage
from server.ledger.admin.record import record
from server.ledger.notices import announce
from server.stores.postgres import Connection, Pool

LIVE_MAX = 100
"""Promotions that are active and not over, at once: each purchase looks at all of them."""

_COLUMNS = (
    "id", "version", "name", "kind", "percent", "coins", "starts_at", "ends_at", "regions", "platforms", "packages",
    "first_purchase_only", "budget_coins", "uses_max", "per_user_max", "active",
)  # fmt: skip
_SELECTED = ", ".join(_COLUMNS)
_NEWEST = f"SELECT DISTINCT ON (id) {_SELECTED} FROM promotions ORDER BY id, version DESC"  # noqa: S608


@dataclass(frozen=True, slots=True)
class PromotionVersion:
    """A version with who made it and when, and what of the promotion is used."""

    promotion: Promotion
    created_by: str
    created_at: datetime
    usage: Usage


async def live(conn: Connection, at: datetime) -> list[Promotion]:
    """The promotions that hold at a moment."""
    rows = await conn.fetch(
        f"SELECT * FROM ({_NEWEST}) AS newest WHERE active AND starts_at <= $1 AND ends_at > $1 LIMIT {LIVE_MAX}",  # noqa: S608
        at,
    )
    return [_read(row) for row in rows]


async def usages(conn: Connection, user_id: str, ids: list[str]) -> dict[str, Usage]:
    """What of these promotions is used, in all and by a user."""
    rows = await conn.fetch(
        """
        SELECT promotion_id, coins, uses,
               (SELECT count(*) FROM deals
                WHERE user_id = $1 AND deals.promotion_id = promotion_usage.promotion_id AND state <> 'released'
               ) AS by_user
        FROM promotion_usage WHERE promotion_id = ANY($2::text[])
        """,
        user_id,
        ids,
    )
    return {row["promotion_id"]: Usage(row["coins"], row["uses"], row["by_user"]) for row in rows}


async def add_version(conn: Connection, promotion: Promotion, created_by: str, *, announced: bool = True) -> int:
    """Adds a version to a promotion, or makes the promotion; answers its number. promotion.version is not looked at.

    announced: everybody is told once it begins; settled when the promotion is made.
    Raises Refusal (limit_exceeded) when too many would be live, bad_request for terms that contradict each other.
    """
    await conn.execute("SELECT pg_advisory_xact_lock(hashtext('promotions'))")
    number: int = await conn.fetchval(
        "SELECT coalesce(max(version), 0) + 1 FROM promotions WHERE id = $1", promotion.id
    )
    others: int = await conn.fetchval(
        f"SELECT count(*) FROM ({_NEWEST}) AS newest WHERE active AND ends_at > now() AND id <> $1",  # noqa: S608
        promotion.id,
    )
    if promotion.active and others >= LIVE_MAX:
        raise Refusal(Code.LIMIT_EXCEEDED, f"There can be {LIVE_MAX} promotions at once, and there are.")
    values = {name: getattr(promotion, name) for name in _COLUMNS} | {"version": number, "created_by": created_by}
    for scope in ("regions", "platforms", "packages"):
        values[scope] = None if values[scope] is None else sorted(values[scope])
    places = ", ".join(f"${place}" for place in range(1, len(values) + 1))
    try:
        await conn.execute(
            f"INSERT INTO promotions ({', '.join(values)}) VALUES ({places})",  # noqa: S608 - names of columns
            *values.values(),
        )
    except asyncpg.CheckViolationError:
        raise Refusal(Code.BAD_REQUEST, "These terms of a promotion contradict each other.") from None
    await conn.execute(
        """
        INSERT INTO promotion_usage (promotion_id, announced_at) VALUES ($1, CASE WHEN $2 THEN NULL ELSE now() END)
        ON CONFLICT DO NOTHING
        """,
        promotion.id,
        announced,
    )
    await record(
        conn, created_by, "promotion_version_added", promotion.id, {"version": number, "active": promotion.active}
    )
    return number


_MADE = """
    SELECT promotions.*, usage.coins AS used_coins, usage.uses
    FROM promotions JOIN promotion_usage AS usage ON usage.promotion_id = id
"""


async def exists(conn: Connection, promotion_id: str) -> bool:
    """Whether there is such a promotion; settled until the caller's transaction ends."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtext('promotions'))")
    found: bool = await conn.fetchval("SELECT EXISTS (SELECT FROM promotions WHERE id = $1)", promotion_id)
    return found


async def newest(conn: Connection, promotion_id: str) -> PromotionVersion | None:
    """The version of a promotion that holds."""
    row = await conn.fetchrow(f"{_MADE} WHERE id = $1 ORDER BY version DESC LIMIT 1", promotion_id)
    return None if row is None else _read_version(row)


async def listing(pool: Pool, limit: int, after: str) -> list[PromotionVersion]:
    """All versions, newest first, of a page of promotions by id."""
    rows = await pool.fetch(
        f"""
        {_MADE}
        WHERE id IN (SELECT promotion_id FROM promotion_usage WHERE promotion_id > $1 ORDER BY promotion_id LIMIT $2)
        ORDER BY id, version DESC
        """,  # noqa: S608
        after,
        limit,
    )
    return [_read_version(row) for row in rows]


def _read_version(row: Record) -> PromotionVersion:
    usage = Usage(row["used_coins"], row["uses"])
    return PromotionVersion(_read(row), row["created_by"], row["created_at"], usage)


async def announce_begun(pool: Pool) -> list[str]:
    """Tells everybody of promotions that have begun, each once; answers which."""
    async with pool.acquire() as conn, conn.transaction():
        rows = await conn.fetch(
            f"""
            UPDATE promotion_usage SET announced_at = now() FROM ({_NEWEST}) AS newest
            WHERE promotion_id = newest.id AND announced_at IS NULL
              AND active AND starts_at <= now() AND ends_at > now()
            RETURNING newest.*
            """  # noqa: S608
        )
        for row in rows:
            detail = {"promotion": row["id"], "ends_at": row["ends_at"]}
            await announce(conn, "promotion", row["name"], detail, regions=row["regions"])
    return [row["id"] for row in rows]


def _read(row: Record) -> Promotion:
    values = {name: row[name] for name in _COLUMNS}
    for scope in ("regions", "platforms", "packages"):
        values[scope] = None if values[scope] is None else frozenset(values[scope])
    return Promotion(**values)
