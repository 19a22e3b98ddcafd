"""What a viewer gave, as far as it is settled."""

from dataclasses import dataclass

from server.domain.ids import GiftId, UserId
from server.ledger import pages
from server.ledger.shards import Cursor
from server.stores.postgres import Pool


@dataclass(frozen=True, slots=True)
class SettledGift:
    """A gift in the ledger. coins: of the whole gift; at_us: microseconds, UTC."""

    gift_id: GiftId
    room: str
    gift: str
    count: int
    coins: int
    at_us: int


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Settled gifts, newest first; what of the log is past `settled_to` is not in here yet.

    next: where the next page goes on, None on the last.
    """

    gifts: list[SettledGift]
    next: str | None
    settled_to: Cursor


def place(gift_id: GiftId) -> str:
    """The cursor of a page that ends with this gift; also for a page that ends among gifts not yet settled."""
    return pages.encode(gift_id.epoch, gift_id.number)


async def gifts(pool: Pool, viewer: UserId, limit: int, cursor: str | None, shard: int) -> HistoryPage:
    """A page of a viewer's settled gifts and the shard's cursor, from one snapshot of the database.

    shard: the viewer's. Raises Refusal(BAD_REQUEST) for a wrong cursor.
    """
    epoch, number = pages.decode(cursor, int, int) if cursor else (2**31 - 1, 2**63 - 1)
    async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        settled_to = await conn.fetchrow("SELECT epoch, number FROM shards WHERE shard = $1", shard)
        rows = await conn.fetch(
            """
            SELECT epoch, number, room_id, gift_id, count, coins, at_us FROM gifts
            WHERE viewer_id = $1 AND (epoch, number) < ($2, $3) ORDER BY epoch DESC, number DESC LIMIT $4
            """,
            viewer,
            epoch,
            number,
            limit + 1,
        )
    if settled_to is None:
        raise LookupError(f"the ledger has no wallet shard {shard}")
    page = [
        SettledGift(
            gift_id=GiftId(shard, row["epoch"], row["number"]),
            room=row["room_id"],
            gift=row["gift_id"],
            count=row["count"],
            coins=row["coins"],
            at_us=row["at_us"],
        )
        for row in rows[:limit]
    ]
    return HistoryPage(page, place(page[-1].gift_id) if len(rows) > limit else None, Cursor(*settled_to))
