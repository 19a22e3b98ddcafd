"""Tickets after the sale: returned when their room was cancelled, or when a viewer has one already; else released.

Until then the diamonds of a ticket are held, so that they can always be taken back: a payout never sees them. Each
ticket is ended once, as its row says so in the transaction that moves the money; the references of credit and posting
are the second guard.
"""

from dataclasses import dataclass

from server.domain.ids import GiftId, UserId, shard_of
from server.ledger.accounts import account_ids, platform_owner, post
from server.ledger.notices import notify
from server.ledger.wallets import book_credit
from server.stores.postgres import Connection, Pool

RELEASE_SLACK_S = 10
"""How much longer than a room can be cancelled its tickets are held: for a cancellation that is being committed."""

TICKETS_PER_RELEASE = 1_000


@dataclass(frozen=True, slots=True)
class Returned:
    """A ticket whose coins are back."""

    viewer: UserId
    coins: int


async def due_for_return(pool: Pool, limit: int) -> list[GiftId]:
    """Tickets of cancelled rooms, and spare ones."""
    rows = await pool.fetch(
        """
        SELECT shard, epoch, number FROM tickets JOIN rooms ON rooms.id = room_id
        WHERE released_at IS NULL AND returned_at IS NULL AND (cancelled OR spare) ORDER BY at_us LIMIT $1
        """,
        limit,
    )
    return [GiftId(*row) for row in rows]


async def give_back(conn: Connection, ticket: GiftId) -> Returned | None:
    """Returns a ticket's coins and takes back its diamonds, in the caller's transaction.

    None when somebody else does or did. The caller refreshes the viewer's wallet after the commit.
    """
    row = await conn.fetchrow(
        """
        SELECT viewer_id, tickets.creator_id, tickets.coins, tickets.diamonds, at_us, spare, title
        FROM tickets JOIN rooms ON rooms.id = room_id
        WHERE shard = $1 AND epoch = $2 AND number = $3 AND released_at IS NULL AND returned_at IS NULL
          AND (cancelled OR spare)
        FOR UPDATE OF tickets SKIP LOCKED
        """,
        *ticket,
    )
    if row is None:
        return None
    viewer, reference = UserId(row["viewer_id"]), f"ticket:{ticket}"
    why = "bought twice" if row["spare"] else "the room was cancelled"
    await book_credit(
        conn, viewer, row["coins"], "return", reference, f"ticket returned: {why}", spent_at_us=row["at_us"]
    )
    if row["diamonds"]:
        shards: int = await conn.fetchval("SELECT wallet_shards FROM installation")
        platform = platform_owner(shard_of(viewer, shards))
        held = (await account_ids(conn, "diamonds_held", [row["creator_id"]]))[row["creator_id"]]
        issued = (await account_ids(conn, "diamonds_issued", [platform]))[platform]
        await post(conn, "reversal", reference, diamonds={held: -row["diamonds"], issued: row["diamonds"]})
    await conn.execute(
        "UPDATE tickets SET returned_at = now() WHERE shard = $1 AND epoch = $2 AND number = $3", *ticket
    )
    said = (
        f"Your second ticket for “{row['title']}”" if row["spare"] else f"“{row['title']}” was cancelled. Your ticket"
    )
    await notify(
        conn,
        viewer,
        "ticket",
        f"{said} was returned: {row['coins']:,} coins are back.",
        {"coins": row["coins"], "gift_id": str(ticket)},
    )
    return Returned(viewer, row["coins"])


async def rooms_to_release(pool: Pool, cancel_window_s: int, limit: int) -> list[str]:
    """Rooms with held tickets that can no longer be cancelled."""
    rows = await pool.fetch(
        f"""
        SELECT DISTINCT room_id FROM tickets JOIN rooms ON rooms.id = room_id
        WHERE released_at IS NULL AND returned_at IS NULL AND NOT spare AND {_STANDS} LIMIT $2
        """,  # noqa: S608
        float(cancel_window_s + RELEASE_SLACK_S),
        limit,
    )
    return [row["room_id"] for row in rows]


class _CancelledError(Exception):
    """The room was cancelled while its tickets were being released."""


async def release(pool: Pool, room_id: str, cancel_window_s: int) -> int:
    """Lets a creator have the diamonds of a room's tickets, some at a time; answers how many diamonds.

    0 when the room can still be cancelled or was, and when there is nothing to release.
    """
    try:
        async with pool.acquire() as conn, conn.transaction():
            diamonds = await _release(conn, room_id)
            # Last, as settlement takes accounts before rooms too. Who cancels now waits for us, or we see it.
            await _expect_to_stand(conn, room_id, cancel_window_s)
    except _CancelledError:
        return 0
    return diamonds


async def _expect_to_stand(conn: Connection, room_id: str, cancel_window_s: int) -> None:
    query = f"SELECT true FROM rooms WHERE id = $2 AND {_STANDS} FOR SHARE"  # noqa: S608
    if not await conn.fetchval(query, float(cancel_window_s + RELEASE_SLACK_S), room_id):
        raise _CancelledError


async def _release(conn: Connection, room_id: str) -> int:
    rows = await conn.fetch(
        """
        UPDATE tickets SET released_at = now() WHERE (shard, epoch, number) IN (
            SELECT shard, epoch, number FROM tickets
            WHERE room_id = $1 AND released_at IS NULL AND returned_at IS NULL AND NOT spare
            ORDER BY shard, epoch, number LIMIT $2 FOR UPDATE SKIP LOCKED
        ) RETURNING shard, epoch, number, creator_id, diamonds
        """,
        room_id,
        TICKETS_PER_RELEASE,
    )
    diamonds: int = sum(row["diamonds"] for row in rows)
    if diamonds:
        first = min(GiftId(row["shard"], row["epoch"], row["number"]) for row in rows)
        creator: str = rows[0]["creator_id"]
        held = (await account_ids(conn, "diamonds_held", [creator]))[creator]
        available = (await account_ids(conn, "diamonds_available", [creator]))[creator]
        await post(conn, "hold", f"tickets:{first}", diamonds={held: -diamonds, available: diamonds})
    return diamonds


_STANDS = """
    NOT cancelled AND (state = 'ended'
        OR clock_timestamp() > greatest(started_at, starts_at) + make_interval(secs => $1))
"""
"""A room that takes place: it ended in good order, or began too long ago to be cancelled."""
