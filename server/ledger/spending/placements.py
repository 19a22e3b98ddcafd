"""Placements of rooms in the list of rooms: who may deliver how many impressions, and how many were delivered.

A gateway delivers only what it holds, and holds little, for a short time. What it delivered is counted when it says so,
out of its hold. A gateway that dies, or stands still for longer than its hold lasts, may have delivered up to its hold
without having said so, and others deliver that again: never more, and never less than was paid.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from server.domain.ids import GiftId, UserId
from server.ledger.notices import notify
from server.ledger.wallets import book_credit
from server.stores.postgres import Connection, Pool

HELD_MAX = 50
"""Impressions of one placement that a gateway holds at most: the bound of what is delivered twice if it dies."""
HOLD_S = 30
PLACEMENTS_MAX = 500
"""Placements that are served at the same time, the oldest first; others wait for their turn."""


@dataclass(frozen=True, slots=True)
class Hold:
    """What a gateway may deliver of a placement, beyond what it has told of. room, creator: whose it is."""

    placement: GiftId
    room_id: str
    creator_id: str
    impressions: int


async def renew(conn: Connection, gateway: str, told: Mapping[GiftId, int]) -> list[Hold]:
    """Counts what a gateway delivered, and answers what it holds for the next HOLD_S seconds, in one transaction.

    told: all impressions that it delivered of each placement that it held, since it first held it; saying it again
    changes nothing. What is held does not become less by this, unless a placement is used up or its room ended.
    """
    if not await conn.fetchval("SELECT EXISTS (SELECT FROM placements WHERE closed_at IS NULL)"):
        return []
    await conn.execute(_ONE_AT_A_TIME)
    await _count(conn, gateway, told)
    await conn.execute(
        """
        DELETE FROM placement_holds AS held WHERE (gateway <> $1 AND until <= now()) OR (gateway = $1 AND NOT EXISTS (
            SELECT FROM placements JOIN rooms ON rooms.id = room_id AND state = 'live'
            WHERE closed_at IS NULL
              AND (held.shard, held.epoch, held.number) = (placements.shard, placements.epoch, placements.number)
        ))
        """,
        gateway,
    )
    rows = await conn.fetch(
        """
        WITH open AS (
            SELECT shard, epoch, number, room_id, creator_id, impressions - delivered - coalesce((
                SELECT sum(held.impressions) FROM placement_holds AS held
                WHERE (held.shard, held.epoch, held.number) = (placements.shard, placements.epoch, placements.number)
            ), 0)::bigint AS free
            FROM placements JOIN rooms ON rooms.id = room_id AND state = 'live'
            WHERE closed_at IS NULL ORDER BY at_us, shard, epoch, number LIMIT $4
        ), held AS (
            INSERT INTO placement_holds (shard, epoch, number, gateway, impressions, until)
            SELECT shard, epoch, number, $1, least($2, free), now() + make_interval(secs => $3) FROM open
            ON CONFLICT (shard, epoch, number, gateway) DO UPDATE SET
                impressions = least($2, placement_holds.impressions + excluded.impressions), until = excluded.until
            RETURNING shard, epoch, number, impressions
        )
        SELECT shard, epoch, number, room_id, creator_id, held.impressions
        FROM held JOIN open USING (shard, epoch, number)
        """,
        gateway,
        HELD_MAX,
        float(HOLD_S),
        PLACEMENTS_MAX,
    )
    return [
        Hold(
            placement=GiftId(row["shard"], row["epoch"], row["number"]),
            room_id=row["room_id"],
            creator_id=row["creator_id"],
            impressions=row["impressions"],
        )
        for row in rows
    ]


_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('placements'))"
"""Gateways take and give one after the other: each sees what the others hold."""


async def _count(conn: Connection, gateway: str, told: Mapping[GiftId, int]) -> None:
    """Adds what a gateway tells of for the first time, up to what it holds; closes what is used up."""
    if not told:
        return
    arguments = (
        gateway,
        [placement.shard for placement in told],
        [placement.epoch for placement in told],
        [placement.number for placement in told],
        list(told.values()),
    )
    await conn.execute(
        """
        UPDATE placements SET
            delivered = delivered + least(new.told - held.told, held.impressions),
            closed_at = CASE WHEN delivered + least(new.told - held.told, held.impressions) = placements.impressions
                             THEN now() END
        FROM unnest($2::int[], $3::int[], $4::bigint[], $5::bigint[]) AS new (shard, epoch, number, told)
        JOIN placement_holds AS held USING (shard, epoch, number)
        WHERE held.gateway = $1 AND new.told > held.told AND closed_at IS NULL
          AND (placements.shard, placements.epoch, placements.number) = (new.shard, new.epoch, new.number)
        """,
        *arguments,
    )
    await conn.execute(
        """
        UPDATE placement_holds AS held SET
            impressions = greatest(0, held.impressions - (new.told - held.told)), told = new.told
        FROM unnest($2::int[], $3::int[], $4::bigint[], $5::bigint[]) AS new (shard, epoch, number, told)
        WHERE held.gateway = $1 AND new.told > held.told
          AND (held.shard, held.epoch, held.number) = (new.shard, new.epoch, new.number)
        """,
        *arguments,
    )


async def give_up(conn: Connection, gateway: str, told: Mapping[GiftId, int]) -> None:
    """The gateway stops: counts what it delivered, and lets go what it holds."""
    await conn.execute(_ONE_AT_A_TIME)
    await _count(conn, gateway, told)
    await conn.execute("DELETE FROM placement_holds WHERE gateway = $1", gateway)


async def due_for_return(pool: Pool, limit: int) -> list[GiftId]:
    """Placements of rooms that ended before all was delivered, once nobody delivers any more."""
    rows = await pool.fetch(
        """
        SELECT shard, epoch, number FROM placements JOIN rooms ON rooms.id = room_id AND state = 'ended'
        WHERE closed_at IS NULL AND NOT EXISTS (
            SELECT FROM placement_holds AS held WHERE until > now()
              AND (held.shard, held.epoch, held.number) = (placements.shard, placements.epoch, placements.number)
        ) ORDER BY at_us LIMIT $1
        """,
        limit,
    )
    return [GiftId(*row) for row in rows]


async def close(conn: Connection, placement: GiftId) -> UserId | None:
    """Ends a placement whose room ended: the part that was not delivered comes back, rounded down.

    Answers whose coins came back; the caller refreshes the wallet after the commit. None when there is nothing to do.
    """
    row = await conn.fetchrow(
        """
        SELECT viewer_id, placements.coins, impressions, delivered, at_us, title
        FROM placements JOIN rooms ON rooms.id = room_id AND state = 'ended'
        WHERE shard = $1 AND epoch = $2 AND number = $3 AND closed_at IS NULL
        FOR NO KEY UPDATE OF placements SKIP LOCKED
        """,
        *placement,
    )
    if row is None:
        return None
    left = row["impressions"] - row["delivered"]
    coins = row["coins"] * left // row["impressions"]
    await conn.execute(
        """
        UPDATE placements SET closed_at = now(), returned_coins = $4 WHERE shard = $1 AND epoch = $2 AND number = $3
        """,
        *placement,
        coins,
    )
    if not coins:
        return None
    viewer = UserId(row["viewer_id"])
    reason = "placement ended with its room"
    await book_credit(conn, viewer, coins, "return", f"placement:{placement}", reason, spent_at_us=row["at_us"])
    said = (
        f"“{row['title']}” ended with {left:,} of {row['impressions']:,} impressions to go: {coins:,} coins are back."
    )
    await notify(conn, viewer, "placement", said, {"coins": coins, "gift_id": str(placement)})
    return viewer


@dataclass(frozen=True, slots=True)
class Progress:
    """A placement as its buyer sees it. at_us: when it was bought."""

    placement: GiftId
    room_id: str
    coins: int
    impressions: int
    delivered: int
    returned_coins: int
    open: bool
    at_us: int


async def of_room(pool: Pool, room_id: str, buyer: str | None, limit: int) -> list[Progress]:
    """A room's placements, newest first. buyer: only those of one who bought them; None: all."""
    rows = await pool.fetch(
        """
        SELECT shard, epoch, number, room_id, coins, impressions, delivered, returned_coins, closed_at IS NULL, at_us
        FROM placements WHERE room_id = $1 AND ($2::text IS NULL OR viewer_id = $2) ORDER BY at_us DESC LIMIT $3
        """,
        room_id,
        buyer,
        limit,
    )
    return [Progress(GiftId(*list(row.values())[:3]), *list(row.values())[3:]) for row in rows]
