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
    creator: str
    gift: str
    count: int
    coins: int
    at_us: int
    settled: bool


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Gifts behind the cursor, newest first; what of the log is past `settled_to` is not in here yet.

    last: the place that it ends at when others follow, else None. It may hold less than was asked for all the same.
    """

    gifts: list[PastGift]
    last: GiftId | None
    settled_to: Cursor


EPOCH_MAX = 2**31 - 1
NUMBER_MAX = 2**63 - 1
"""What the columns hold."""

NEWEST = Cursor(EPOCH_MAX, NUMBER_MAX)
"""Where a history begins."""


def place(gift_id: GiftId) -> str:
    """The cursor of a page that ends with this gift; also for a page that ends among gifts not yet settled."""
    return pages.encode(gift_id.epoch, gift_id.number)


def read_place(cursor: str | None) -> Cursor:
    """Where a page ends that the next one goes on from. Raises Refusal (bad_request)."""
    if cursor is None:
        return NEWEST
    epoch, number = pages.decode(cursor, int, int)
    if not (0 <= epoch <= EPOCH_MAX and 0 <= number <= NUMBER_MAX):
        raise pages.not_ours()
    return Cursor(epoch, number)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time: from since_us on, and before until_us; microseconds since the epoch, UTC."""

    since_us: int = 0
    until_us: int = NUMBER_MAX

    def holds(self, at_us: int) -> bool:
        """Whether a moment is in it."""
        return self.since_us <= at_us < self.until_us


ALWAYS = Span()


async def gifts(
    pool: Pool, viewer: UserId, limit: int, before: Cursor, shard: int, *, span: Span = ALWAYS
) -> HistoryPage:
    """A page of a viewer's gifts behind the cursor, and the shard's cursor, from one snapshot of the database.

    shard: the viewer's. span: only gifts of this time.
    """
    epoch, number = before.epoch, before.number
    # Said only when it is asked for: a plan for any stretch takes it for a short one, and sorts all that is in it.
    in_span, bounds = ("", ()) if span == ALWAYS else ("AND at_us >= $5 AND at_us < $6", (span.since_us, span.until_us))
    async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        settled_to = await conn.fetchrow("SELECT epoch, number FROM shards WHERE shard = $1", shard)
        rows = await conn.fetch(
            f"""
            SELECT epoch, number, room_id, creator_id, gift_id, count, coins, at_us FROM gifts
            WHERE viewer_id = $1 AND (epoch, number) < ($2, $3) {in_span}
            ORDER BY epoch DESC, number DESC LIMIT $4
            """,  # noqa: S608
            viewer,
            epoch,
            number,
            limit + 1,
            *bounds,
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
    found = list(heapq.merge(_settled(shard, rows), _set_aside(shard, aside, span), key=_newest_first))
    page = found[:limit]
    shown = [gift for _, gift in page if gift is not None]
    return HistoryPage(shown, page[-1][0] if len(found) > limit else None, Cursor(*settled_to))


_Place = tuple[GiftId, PastGift | None]
"""A number of the viewer's, and the gift that stands there; None where there is nothing to show."""


def _newest_first(found: _Place) -> tuple[int, int]:
    return -found[0].epoch, -found[0].number


def _settled(shard: int, rows: Iterable[Record]) -> Iterable[_Place]:
    for row in rows:
        id_ = GiftId(shard, row["epoch"], row["number"])
        yield (
            id_,
            PastGift(
                id_, row["room_id"], row["creator_id"], row["gift_id"], row["count"], row["coins"], row["at_us"], True
            ),
        )


def _set_aside(shard: int, rows: Iterable[Record], span: Span) -> Iterable[_Place]:
    """What was acknowledged stays in its viewer's history; a record that cannot be read has nothing to show there."""
    for row in rows:
        id_, gift = GiftId(shard, row["epoch"], row["number"]), readable(row["record"])
        yield (
            id_,
            None
            if gift is None or not span.holds(gift.at_us)
            else PastGift(id_, gift.room, gift.creator, gift.gift, gift.count, gift.coins, gift.at_us, False),
        )
