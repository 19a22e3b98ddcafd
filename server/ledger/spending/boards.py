"""Boards of creators and gifters by day, week and month, and what everybody ever spent: added up and read.

What may be returned (tickets, placements) is left out, so that nothing here is ever taken back.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from server.domain.levels import THRESHOLDS
from server.ledger import pages
from server.stores.postgres import Connection, Pool

RANK_COUNTED_MAX = 10_000
"""How far down a board somebody's own place is counted."""


class Board(StrEnum):
    """Whom a board ranks: creators by diamonds, gifters by the coins they gave in rooms."""

    CREATORS = "creators"
    GIFTERS = "gifters"


class Period(StrEnum):
    """What time a board is about; UTC, weeks from Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def around(self, day: date) -> tuple[date, date]:
        """The first day of the period that a day is in, and the first day after it."""
        if self is Period.DAY:
            return day, day + timedelta(days=1)
        if self is Period.WEEK:
            monday = day - timedelta(days=day.weekday())
            return monday, monday + timedelta(days=7)
        first = day.replace(day=1)
        return first, (first + timedelta(days=31)).replace(day=1)


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a board. amount: diamonds of a creator, coins of a gifter; level: as a gifter, 0 for none."""

    rank: int
    user_id: str
    user_name: str
    level: int
    amount: int


async def add(conn: Connection, shard: int, epoch: int, after: int, to: int, since_us: int) -> list[str]:  # noqa: PLR0917
    """Adds the gifts numbered after … to, accepted since, in the caller's transaction: each once, as its mark moves.

    Answers who looks different now: whose level rose, and who bought an upgrade.
    """
    rows = await conn.fetch(_ADD, shard, epoch, after, to, since_us, THRESHOLDS)
    return [row["viewer_id"] for row in rows]


_ADD = """
    WITH batch AS MATERIALIZED (
        SELECT creator_id, viewer_id, room_id, kind, gifts.coins, gifts.diamonds,
               to_timestamp(at_us / 1000000) AT TIME ZONE 'UTC' AS at
        FROM gifts JOIN catalogue USING (gift_id, version)
        WHERE shard = $1 AND epoch = $2 AND number > $3 AND number <= $4 AND at_us >= $5
    ), by_day AS (
        SELECT board, user_id, at::date AS day, sum(amount)::bigint AS amount
        FROM batch, LATERAL (VALUES ('creators', creator_id, diamonds), ('gifters', viewer_id, coins))
            AS got (board, user_id, amount)
        WHERE room_id <> '' AND kind <> 'ticket' AND amount > 0 GROUP BY 1, 2, 3
    ), on_boards AS (
        INSERT INTO board_totals (board, period, starts, user_id, amount)
        SELECT board, period, starts, user_id, sum(amount)::bigint
        FROM by_day, LATERAL (VALUES
            ('day', day), ('week', date_trunc('week', day)::date), ('month', date_trunc('month', day)::date)
        ) AS span (period, starts)
        GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
        ON CONFLICT (board, period, starts, user_id) DO UPDATE SET amount = board_totals.amount + excluded.amount
    ), spent AS (
        SELECT viewer_id, sum(coins)::bigint AS coins FROM batch
        WHERE kind NOT IN ('ticket', 'promote') GROUP BY 1
    ), rising AS (
        SELECT spent.viewer_id, spent.coins, coalesce(gifters.level, 0) AS before,
               width_bucket(coalesce(gifters.coins, 0) + spent.coins, $6::bigint[]) AS level
        FROM spent LEFT JOIN gifters USING (viewer_id)
    ), levels AS (
        INSERT INTO gifters (viewer_id, coins, level) SELECT viewer_id, coins, level FROM rising ORDER BY 1
        ON CONFLICT (viewer_id) DO UPDATE SET coins = gifters.coins + excluded.coins, level = excluded.level
    )
    SELECT viewer_id FROM rising WHERE level > before
    UNION SELECT viewer_id FROM batch WHERE kind = 'upgrade'
"""


async def page(  # noqa: PLR0917
    pool: Pool, board: Board, period: Period, starts: date, limit: int, cursor: str | None
) -> tuple[list[Place], str | None]:
    """A page of a board, the highest first, and the next cursor. Raises Refusal (bad_request) for a wrong cursor."""
    amount, after, rank = pages.decode(cursor, int, str, int) if cursor else (2**63 - 1, "", 0)
    rows = await pool.fetch(
        """
        SELECT user_id, coalesce(users.name, user_id) AS user_name, coalesce(level, 0) AS level, amount
        FROM board_totals LEFT JOIN users ON users.id = user_id LEFT JOIN gifters ON viewer_id = user_id
        WHERE board = $1 AND period = $2 AND starts = $3 AND (amount < $4 OR (amount = $4 AND user_id > $5))
        ORDER BY amount DESC, user_id LIMIT $6
        """,
        board,
        period,
        starts,
        amount,
        after,
        limit + 1,
    )
    places = [Place(rank + number, *row.values()) for number, row in enumerate(rows[:limit], 1)]
    last = places[-1] if len(rows) > limit else None
    return places, pages.encode(last.amount, last.user_id, last.rank) if last is not None else None


async def own_place(pool: Pool, board: Board, period: Period, starts: date, user_id: str) -> tuple[int | None, int]:
    """Somebody's rank and amount; the rank is None for nobody, and past RANK_COUNTED_MAX."""
    amount: int | None = await pool.fetchval(
        "SELECT amount FROM board_totals WHERE board = $1 AND period = $2 AND starts = $3 AND user_id = $4",
        board,
        period,
        starts,
        user_id,
    )
    if amount is None:
        return None, 0
    before: int = await pool.fetchval(
        """
        SELECT count(*) FROM (
            SELECT FROM board_totals
            WHERE board = $1 AND period = $2 AND starts = $3 AND (amount > $4 OR (amount = $4 AND user_id < $5))
            LIMIT $6
        ) AS higher
        """,
        board,
        period,
        starts,
        amount,
        user_id,
        RANK_COUNTED_MAX,
    )
    return (before + 1 if before < RANK_COUNTED_MAX else None), amount
