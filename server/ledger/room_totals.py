"""What settlement adds to rooms: totals, gifters and rank."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from server.ledger.rooms import rank_of
from server.stores.postgres import Connection, Pool


@dataclass(slots=True)
class RoomGain:
    """What a settled batch adds to a room. gifts: in pieces; points: to its rank."""

    coins: int = 0
    diamonds: int = 0
    gifts: int = 0
    points: int = 0
    at_us: int = 0


async def add_to_rooms(conn: Connection, gains: dict[str, RoomGain]) -> None:
    """Adds to the totals and ranks of rooms, taking the rows in the order of their ids."""
    ids = sorted(gains)
    # The rank is a logarithm: adding means max + ln(1 + e^-distance); the bound keeps exp() from an underflow error.
    await conn.execute(
        """
        WITH gain AS MATERIALIZED (
            SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::float8[])
                AS gain (id, coins, diamonds, gifts, rank)
        ), locked AS MATERIALIZED (
            SELECT id FROM rooms WHERE id = ANY($1::text[]) ORDER BY id FOR NO KEY UPDATE
        )
        UPDATE rooms SET
            coins = rooms.coins + gain.coins,
            diamonds = rooms.diamonds + gain.diamonds,
            gifts = rooms.gifts + gain.gifts,
            rank = coalesce(
                greatest(rooms.rank, gain.rank) + ln(1 + exp(greatest(-abs(rooms.rank - gain.rank), -600))), rooms.rank
            )
        FROM gain JOIN locked USING (id)
        WHERE rooms.id = gain.id
        """,
        ids,
        [gains[room].coins for room in ids],
        [gains[room].diamonds for room in ids],
        [gains[room].gifts for room in ids],
        [rank_of(gains[room].points, gains[room].at_us / 1e6) if gains[room].points else None for room in ids],
    )


async def add_points(pool: Pool, points: Mapping[str, float]) -> None:
    """Adds to the ranks of live rooms what is no gift, as of now; taking the rows in the order of their ids."""
    if not points:
        return
    ids, at_s = sorted(points), time.time()
    await pool.execute(
        """
        WITH gain AS MATERIALIZED (
            SELECT * FROM unnest($1::text[], $2::float8[]) AS gain (id, rank)
        ), locked AS MATERIALIZED (
            SELECT id FROM rooms WHERE id = ANY($1::text[]) AND state = 'live' ORDER BY id FOR NO KEY UPDATE
        )
        UPDATE rooms SET
            rank = greatest(rooms.rank, gain.rank) + ln(1 + exp(greatest(-abs(rooms.rank - gain.rank), -600)))
        FROM gain JOIN locked USING (id) WHERE rooms.id = gain.id
        """,
        ids,
        [rank_of(points[room], at_s) for room in ids],
    )


async def add_to_gifters(conn: Connection, gains: dict[tuple[str, str], list[int]]) -> None:
    """Adds to what viewers gave in rooms: (room, viewer) → [coins, pieces, …]."""
    keys = sorted(gains)
    await conn.execute(
        """
        INSERT INTO room_gifters (room_id, viewer_id, coins, gifts)
        SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
        ON CONFLICT (room_id, viewer_id) DO UPDATE SET
            coins = room_gifters.coins + excluded.coins, gifts = room_gifters.gifts + excluded.gifts
        """,
        [key[0] for key in keys],
        [key[1] for key in keys],
        [gains[key][0] for key in keys],
        [gains[key][1] for key in keys],
    )
