"""Rooms as the ledger knows them: what is settled of their totals and gifters, and how they rank."""

import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from server.domain.ids import RoomId, UserId
from server.domain.ticket import RoomTicket
from server.ledger import pages
from server.ledger.accounts import CREATOR_KINDS, open_account
from server.ledger.shards import Cursor
from server.ledger.spending.in_rooms import RoomItems, items_of
from server.stores.postgres import Connection, Pool

RANK_TAU_S = 600.0
"""How fast "lately" passes: what counts for a room's rank counts 1/e as much after ten minutes.

A room's score at time t is the sum of points * exp((t_then - t) / tau): a point for each diamond of a gift, for each
viewer and minute, and for each coin that was paid to promote the room. Kept is its logarithm plus t / tau, which is
ln(sum of points * exp(t_then / tau)): the same order at every t, so it never needs a refresh. A new room starts with
one point, so that it stands above those long silent.
"""


@dataclass(frozen=True, slots=True)
class Room:
    """A room and its settled totals. gifts: in pieces, as on the screen; started_at: UTC; ticket: that it needs."""

    id: str
    title: str
    creator_id: str
    creator_name: str
    state: str
    started_at: datetime
    diamonds: int
    gifts: int
    coins: int
    ticket: RoomTicket | None


@dataclass(frozen=True, slots=True)
class RoomSnapshot:
    """A room with all its gifters (id, name, coins) and items, and the cursors up to which gifts are in it."""

    id: str
    title: str
    creator_id: str
    creator_name: str
    state: str
    started_at: datetime
    diamonds: int
    gifts: int
    coins: int
    ticket: RoomTicket | None
    gifters: list[tuple[str, str, int]]
    items: RoomItems
    cursors: dict[int, Cursor]


_ROOM = """
    SELECT rooms.id, title, creator_id, users.name AS creator_name, state, started_at, rooms.diamonds, gifts,
           rooms.coins, rank, ticket_id, ticket_version, ticket.coins AS ticket_coins,
           ticket.diamonds AS ticket_diamonds, starts_at
    FROM rooms JOIN users ON users.id = rooms.creator_id
    LEFT JOIN catalogue AS ticket ON ticket.gift_id = ticket_id AND ticket.version = ticket_version
"""


def rank_of(points: float, at_s: float) -> float:
    """Rank of a room that got so many points at this time, and nothing else."""
    return math.log(points) + at_s / RANK_TAU_S


async def create(  # noqa: PLR0917
    pool: Pool,
    room_id: RoomId,
    creator_id: UserId,
    creator_name: str,
    title: str,
    ticket: RoomTicket | None = None,
) -> Room:
    """Opens a room, and the creator's accounts when they are new. Raises ValueError when the room's id is taken."""
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute(
            "INSERT INTO users (id, name) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET name = excluded.name",
            creator_id,
            creator_name,
        )
        await open_account(conn, creator_id, CREATOR_KINDS)
        try:
            await conn.execute(
                """
                INSERT INTO rooms (id, creator_id, title, rank, ticket_id, ticket_version, starts_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7)
                """,
                room_id,
                creator_id,
                title,
                rank_of(1, time.time()),
                None if ticket is None else ticket.item,
                None if ticket is None else ticket.version,
                None if ticket is None or not ticket.starts_at_us else _from_us(ticket.starts_at_us),
            )
        except asyncpg.UniqueViolationError:
            raise ValueError(f"there is a room {room_id} already") from None
        row = await conn.fetchrow(f"{_ROOM} WHERE rooms.id = $1", room_id)
    assert row is not None
    return _room(row)


async def end(pool: Pool, room_id: RoomId, cancel_window_s: int = 0) -> bool:
    """Ends a live room; False when it has ended before or never was. Redis is told next, then comes `end_told`.

    cancel_window_s: a room with tickets that ends sooner after its beginning is cancelled, and they are returned.
    """
    status = await pool.execute(
        """
        UPDATE rooms SET state = 'ended', ended_at = now(), end_told = false,
            cancelled = ticket_id IS NOT NULL
                AND clock_timestamp() < greatest(started_at, starts_at) + make_interval(secs => $2)
        WHERE id = $1 AND state = 'live'
        """,
        room_id,
        float(cancel_window_s),
    )
    return status == "UPDATE 1"


async def end_told(pool: Pool, room_id: RoomId) -> None:
    """Notes that Redis knows of a room's end."""
    await pool.execute("UPDATE rooms SET end_told = true WHERE id = $1 AND NOT end_told", room_id)


async def ends_untold(pool: Pool, limit: int) -> list[RoomId]:
    """Ended rooms that Redis was not seen to know of, longest waiting first."""
    rows = await pool.fetch("SELECT id FROM rooms WHERE NOT end_told ORDER BY ended_at LIMIT $1", limit)
    return [RoomId(row["id"]) for row in rows]


async def ended_among(pool: Pool, room_ids: list[str]) -> list[RoomId]:
    """Those of the rooms that have ended."""
    rows = await pool.fetch("SELECT id FROM rooms WHERE id = ANY($1::text[]) AND state = 'ended'", room_ids)
    return [RoomId(row["id"]) for row in rows]


async def get(pool: Pool, room_id: RoomId) -> Room | None:
    """A room with what is settled of it."""
    row = await pool.fetchrow(f"{_ROOM} WHERE rooms.id = $1", room_id)
    return None if row is None else _room(row)


async def snapshot(pool: Pool, room_id: RoomId) -> RoomSnapshot | None:
    """All that is needed to load a room, from one snapshot of the database.

    Gifts in quarantine are in it: they were acknowledged and stood on screen, and their numbers are behind the cursors.
    """
    async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        row = await conn.fetchrow(f"{_ROOM} WHERE rooms.id = $1", room_id)
        if row is None:
            return None
        room = _room(row)
        settled = await conn.fetch("SELECT viewer_id, coins, gifts FROM room_gifters WHERE room_id = $1", room_id)
        aside = await conn.fetch(
            "SELECT viewer_id, coins, diamonds, count FROM quarantine"
            " WHERE room_id = $1 AND resolved_at IS NULL AND count IS NOT NULL",
            room_id,
        )
        coins_by_viewer: dict[str, int] = {row["viewer_id"]: row["coins"] for row in settled}
        for gift in aside:
            coins_by_viewer[gift["viewer_id"]] = coins_by_viewer.get(gift["viewer_id"], 0) + gift["coins"]
        names = {
            row["id"]: row["name"]
            for row in await conn.fetch("SELECT id, name FROM users WHERE id = ANY($1::text[])", list(coins_by_viewer))
        }
        items = await items_of(conn, room_id)
        cursors = {
            row["shard"]: Cursor(row["epoch"], row["number"])
            for row in await conn.fetch("SELECT shard, epoch, number FROM shards")
        }
    return RoomSnapshot(
        id=room.id,
        title=room.title,
        creator_id=room.creator_id,
        creator_name=room.creator_name,
        state=room.state,
        started_at=room.started_at,
        diamonds=room.diamonds + sum(gift["diamonds"] for gift in aside),
        gifts=room.gifts + sum(gift["count"] for gift in aside),
        coins=room.coins + sum(gift["coins"] for gift in aside),
        ticket=room.ticket,
        items=items,
        gifters=[(viewer, names.get(viewer, viewer), coins) for viewer, coins in coins_by_viewer.items()],
        cursors=cursors,
    )


async def listing(pool: Pool, limit: int, cursor: str | None = None) -> tuple[list[Room], str | None]:
    """Live rooms by what they earned lately, and the cursor of the next page.

    Raises Refusal(BAD_REQUEST) for a wrong cursor.
    """
    rank, after = pages.decode(cursor, float, str) if cursor else (math.inf, "")
    rows = await pool.fetch(
        f"{_ROOM} WHERE state = 'live' AND (rank < $1 OR (rank = $1 AND rooms.id > $2))"
        " ORDER BY rank DESC, rooms.id LIMIT $3",
        rank,
        after,
        limit + 1,
    )
    more = pages.encode(rows[limit - 1]["rank"], rows[limit - 1]["id"]) if len(rows) > limit else None
    return [_room(row) for row in rows[:limit]], more


async def some_live(pool: Pool, room_ids: list[str]) -> dict[str, Room]:
    """Those of the rooms that are live, by id."""
    rows = await pool.fetch(f"{_ROOM} WHERE rooms.id = ANY($1::text[]) AND state = 'live'", room_ids)
    return {row["id"]: _room(row) for row in rows}


async def live_after(pool: Pool, after: str, limit: int) -> list[str]:
    """The ids of live rooms past one, in their order."""
    rows = await pool.fetch("SELECT id FROM rooms WHERE state = 'live' AND id > $1 ORDER BY id LIMIT $2", after, limit)
    return [row["id"] for row in rows]


async def claim_sample(pool: Pool, every_s: float) -> float | None:
    """Claims the next sample of viewers; answers how long the last one is ago, None if it is not due."""
    passed_s: float | None = await pool.fetchval(
        """
        UPDATE rank_samples SET at = now()
        FROM (SELECT at FROM rank_samples FOR UPDATE) AS last WHERE last.at <= now() - make_interval(secs => $1)
        RETURNING extract(epoch FROM now() - last.at)::float8
        """,
        every_s,
    )
    return passed_s


async def of_creator(
    conn: Connection, creator_id: UserId, limit: int, cursor: str | None = None
) -> tuple[list[Room], str | None]:
    """A creator's rooms, newest first, and the cursor of the next page.

    Raises Refusal(BAD_REQUEST) for a wrong cursor.
    """
    started, after = pages.decode(cursor, str, str) if cursor else ("9999-01-01T00:00:00+00:00", "")
    rows = await conn.fetch(
        f"{_ROOM} WHERE creator_id = $1 AND (started_at < $2 OR (started_at = $2 AND rooms.id > $3))"
        " ORDER BY started_at DESC, rooms.id LIMIT $4",
        creator_id,
        pages.moment(str(started)),
        after,
        limit + 1,
    )
    more = pages.encode(rows[limit - 1]["started_at"].isoformat(), rows[limit - 1]["id"]) if len(rows) > limit else None
    return [_room(row) for row in rows[:limit]], more


def _room(row: asyncpg.Record) -> Room:
    ticket = None
    if row["ticket_id"] is not None:
        starts_at_us = 0 if row["starts_at"] is None else round(row["starts_at"].timestamp() * 1_000_000)
        ticket = RoomTicket(
            row["ticket_id"], row["ticket_version"], row["ticket_coins"], row["ticket_diamonds"], starts_at_us
        )
    return Room(
        id=row["id"],
        title=row["title"],
        creator_id=row["creator_id"],
        creator_name=row["creator_name"],
        state=row["state"],
        started_at=row["started_at"],
        diamonds=row["diamonds"],
        gifts=row["gifts"],
        coins=row["coins"],
        ticket=ticket,
    )


def _from_us(at_us: int) -> datetime:
    return datetime.fromtimestamp(at_us / 1_000_000, UTC)
