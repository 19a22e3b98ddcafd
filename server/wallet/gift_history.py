"""A viewer's gifts from the moment they were acknowledged: the log and the ledger as one list, newest first."""

from dataclasses import dataclass

from redis.asyncio import Redis

from server.domain.ids import GiftId, UserId, shard_of
from server.ledger import history
from server.ledger.history import ALWAYS, PastGift, Span
from server.ledger.shards import Cursor
from server.stores.postgres import Pool
from server.wallet.unsettled import unsettled_gifts


@dataclass(frozen=True, slots=True)
class GiftPage:
    """A page of gifts; what of them is not `settled` is in the log, or in quarantine. last: as in `HistoryPage`."""

    gifts: list[PastGift]
    last: GiftId | None


async def gift_page(
    redis: Redis, pool: Pool, viewer: UserId, shards: int, *, limit: int, before: Cursor, span: Span = ALWAYS
) -> GiftPage:
    """The page that follows a place, of gifts of some time. Raises what the stores raise."""
    shard = shard_of(viewer, shards)
    # The log first: a gift that is settled in between is then in both, never in neither.
    waiting = await unsettled_gifts(redis, viewer, shards)
    page = await history.gifts(pool, viewer, limit, before, shard, span=span)
    settled_to, end = (page.settled_to.epoch, page.settled_to.number), (before.epoch, before.number)
    gifts = [
        PastGift(gift.gift_id, gift.room, gift.creator, gift.gift, gift.count, gift.coins, gift.at_us, settled=False)
        for gift in waiting
        if settled_to < (gift.epoch, gift.number) < end and span.holds(gift.at_us)
    ]
    gifts += page.gifts
    if len(gifts) > limit:
        return GiftPage(gifts[:limit], gifts[limit - 1].gift_id)
    return GiftPage(gifts, page.last)
