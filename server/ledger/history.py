"""What a viewer gave, as far as settlement has come."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

from asyncpg import Record

from server.domain.ids import GiftId, UserId
from server.ledger import pages
from server.ledger.quarantine import readable
from server.ledger.shards import Cursor
from server.stores.postgres import Pool


@dataclass(frozen=True, slots=True)
class PastGift:
    """A gift behind the cursor. coins: of the whole gift; at_us: microseconds, UTC; settled: not in quarantine."""

    gift_id: GiftId
    room: str
    gift: str
    count: int
    coins: int
    at_us: int
    settled: bool


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Gifts behind the cursor, newest first; what of the log is past `settled_to` is not in here yet.

    next: where the next page goes on, None on the last. A page may hold less than was asked for, and others follow.
    """

    gifts: list[PastGift]
    next: str | None
    settled_to: Cursor


def place(gift_id: GiftId) -> str:
    """The cursor of a page that ends with this gift; also for a page that ends among gifts not yet settled."""
    return pages.encode(gift_id.epoch, gift_id.number)


async def gifts(pool: Pool, viewer: UserId, limit: int, cursor: str | None, shard: int) -> HistoryPage:
    """A page of a viewer's gifts behind the cursor, and the shard's cursor, from one snapshot of the database.

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
        aside = await conn.fetch(
            """
            SELECT epoch, number, record FROM quarantine
            WHERE viewer_id = $1 AND shard = $5 AND resolved_at IS NULL AND count IS NOT NULL
              AND (epoch, number) < ($2, $3) ORDER BY epoch DESC, number DESC LIMIT $4
            """,
            viewer,
            epoch,
            number,
            limit + 1,
            shard,
        )
    if settled_to is None:
        raise LookupError(f"the ledger has no wallet shard {shard}")
    found = list(heapq.merge(_settled(shard, rows), _set_aside(shard, aside), key=_newest_first))
    page = found[:limit]
    shown = [gift for _, gift in page if gift is not None]
    return HistoryPage(shown, place(page[-1][0]) if len(found) > limit else None, Cursor(*settled_to))


_Place = tuple[GiftId, PastGift | None]
"""A number of the viewer's, and the gift that stands there; None where there is nothing to show."""


def _newest_first(found: _Place) -> tuple[int, int]:
    return -found[0].epoch, -found[0].number


def _settled(shard: int, rows: Iterable[Record]) -> Iterable[_Place]:
    for row in rows:
        id_ = GiftId(shard, row["epoch"], row["number"])
        yield id_, PastGift(id_, row["room_id"], row["gift_id"], row["count"], row["coins"], row["at_us"], settled=True)


def _set_aside(shard: int, rows: Iterable[Record]) -> Iterable[_Place]:
    """What was acknowledged stays in its viewer's history; a record that cannot be read has nothing to show there."""
    for row in rows:
        id_, gift = GiftId(shard, row["epoch"], row["number"]), readable(row["record"])
        yield (
            id_,
            None if gift is None else PastGift(id_, gift.room, gift.gift, gift.count, gift.coins, gift.at_us, False),
        )
