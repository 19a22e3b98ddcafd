"""What a creator earned, asked of what was added up: by hour, by gift, by gifter, by room. Days and hours are UTC."""

from dataclasses import dataclass
from datetime import datetime

from server.ledger import pages
from server.stores.postgres import Connection, Pool

EARLIER_ROOMS = 10
"""How many rooms before a room it is compared with."""


@dataclass(frozen=True, slots=True)
class Sum:
    """Settled amounts. gifts: in pieces."""

    diamonds: int = 0
    coins: int = 0
    gifts: int = 0

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(self.diamonds + other.diamonds, self.coins + other.coins, self.gifts + other.gifts)


@dataclass(frozen=True, slots=True)
class OfGifter:
    """What one viewer gave. diamonds: None where only the coins are known, which is so for a single room."""

    viewer_id: str
    name: str
    diamonds: int | None
    coins: int
    gifts: int


@dataclass(frozen=True, slots=True)
class OfRoom:
    """What a room earned, and what the EARLIER_ROOMS before it did on average (None for a creator's first)."""

    id: str
    title: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    diamonds: int
    coins: int
    gifts: int
    gifters: int
    earlier_diamonds: int | None
    earlier_gifters: int | None


async def by_hour(conn: Connection, creator_id: str, from_hour: int, to_hour: int) -> dict[int, Sum]:
    """What was earned in each hour of a stretch, by hours since the Unix epoch; hours without gifts are left out."""
    rows = await conn.fetch(
        """
        SELECT hour, diamonds, coins, gifts FROM earned_hours
        WHERE creator_id = $1 AND hour >= $2 AND hour < $3 ORDER BY hour
        """,
        creator_id,
        from_hour,
        to_hour,
    )
    return {row["hour"]: Sum(row["diamonds"], row["coins"], row["gifts"]) for row in rows}


async def gifters_between(conn: Connection, creator_id: str, from_day: int, to_day: int) -> int:
    """How many different viewers gave in a stretch of days."""
    counted: int = await conn.fetchval(
        "SELECT count(DISTINCT viewer_id) FROM earned_gifters WHERE creator_id = $1 AND day >= $2 AND day < $3",
        creator_id,
        from_day,
        to_day,
    )
    return counted


async def by_gift(conn: Connection, creator_id: str, from_day: int, to_day: int, room_id: str | None) -> dict[str, Sum]:
    """What each kind of gift brought, the most first; of one room or of all."""
    rows = await conn.fetch(
        """
        SELECT gift_id, sum(diamonds)::bigint AS diamonds, sum(coins)::bigint AS coins, sum(gifts)::bigint AS gifts
        FROM earned_gifts WHERE creator_id = $1 AND day >= $2 AND day < $3 AND ($4::text IS NULL OR room_id = $4)
        GROUP BY gift_id ORDER BY 2 DESC, 1
        """,
        creator_id,
        from_day,
        to_day,
        room_id,
    )
    return {row["gift_id"]: Sum(row["diamonds"], row["coins"], row["gifts"]) for row in rows}


async def by_gifter(conn: Connection, creator_id: str, from_day: int, to_day: int, limit: int) -> list[OfGifter]:
    """Who gave the most in a stretch of days."""
    rows = await conn.fetch(
        """
        SELECT viewer_id, coalesce(users.name, viewer_id) AS name, diamonds, coins, gifts FROM (
            SELECT viewer_id,
                   sum(diamonds)::bigint AS diamonds, sum(coins)::bigint AS coins, sum(gifts)::bigint AS gifts
            FROM earned_gifters WHERE creator_id = $1 AND day >= $2 AND day < $3
            GROUP BY viewer_id ORDER BY 3 DESC, 1 LIMIT $4
        ) AS most LEFT JOIN users ON users.id = viewer_id ORDER BY coins DESC, viewer_id
        """,
        creator_id,
        from_day,
        to_day,
        limit,
    )
    return [OfGifter(*row.values()) for row in rows]


async def by_gifter_of_room(conn: Connection, creator_id: str, room_id: str, limit: int) -> list[OfGifter]:
    """Who gave the most in one of the creator's rooms."""
    rows = await conn.fetch(
        """
        SELECT viewer_id, coalesce(users.name, viewer_id) AS name, NULL::bigint, given.coins, given.gifts
        FROM room_gifters AS given JOIN rooms ON rooms.id = room_id LEFT JOIN users ON users.id = viewer_id
        WHERE room_id = $2 AND creator_id = $1 ORDER BY given.coins DESC, viewer_id LIMIT $3
        """,
        creator_id,
        room_id,
        limit,
    )
    return [OfGifter(*row.values()) for row in rows]


async def by_room(
    pool: Pool, creator_id: str, since: datetime, limit: int, cursor: str | None
) -> tuple[list[OfRoom], str | None]:
    """A page of the rooms begun since, newest first, and the next cursor. Raises Refusal (bad_request)."""
    before, after = pages.decode(cursor, str, str) if cursor else ("9999-01-01T00:00:00+00:00", "")
    rows = await pool.fetch(
        f"""
        WITH mine AS MATERIALIZED (
            SELECT id, title, state, started_at, ended_at, diamonds, coins, gifts,
                   (SELECT count(*) FROM room_gifters WHERE room_id = rooms.id) AS gifters
            FROM rooms WHERE creator_id = $1 AND started_at >= coalesce((
                SELECT started_at FROM rooms WHERE creator_id = $1 AND started_at < $2
                ORDER BY started_at DESC OFFSET {EARLIER_ROOMS - 1} LIMIT 1
            ), '-infinity')
        )
        SELECT * FROM (
            SELECT mine.*, avg(diamonds) OVER earlier::bigint AS earlier_diamonds,
                   avg(gifters) OVER earlier::bigint AS earlier_gifters
            FROM mine
            WINDOW earlier AS (ORDER BY started_at, id DESC ROWS BETWEEN {EARLIER_ROOMS} PRECEDING AND 1 PRECEDING)
        ) AS compared
        WHERE started_at >= $2 AND (started_at < $3 OR (started_at = $3 AND id > $4))
        ORDER BY started_at DESC, id LIMIT $5
        """,  # noqa: S608 - a number of ours
        creator_id,
        since,
        pages.moment(before),
        after,
        limit + 1,
    )
    found = [OfRoom(*row.values()) for row in rows[:limit]]
    return found, pages.encode(found[-1].started_at.isoformat(), found[-1].id) if len(rows) > limit else None
