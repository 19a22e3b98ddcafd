"""Finding what somebody means by an id: of a gift, its request, a purchase, a payment or a credit."""

import re

from redis.asyncio import Redis

from server.domain.ids import GiftId, is_request_id
from server.economy.history.credit_trace import trace_credit
from server.economy.history.gift_trace import trace_gift, trace_request
from server.economy.history.purchase_trace import trace_purchase
from server.economy.history.trace import Trace
from server.stores.postgres import Pool

REFERENCE_CHARS_MAX = 255
_CREDIT = re.compile(r"credit-(\d{1,18})", re.ASCII)


async def find(redis: Redis, pool: Pool, reference: str, user_id: str, shards: int) -> Trace | None:
    """What a user means by a reference, and where it is; None when it is nothing of theirs."""
    if not 0 < len(reference) <= REFERENCE_CHARS_MAX or not reference.isprintable():
        return None
    if credit := _CREDIT.fullmatch(reference):
        return await trace_credit(pool, int(credit[1]), user_id)
    try:
        gift_id = GiftId.parse(reference)
    except ValueError:
        gift_id = None
    if gift_id is not None and (found := await trace_gift(redis, pool, gift_id, user_id, shards)):
        return found
    if found := await trace_purchase(pool, reference, user_id):
        return found
    return await trace_request(redis, pool, reference, user_id, shards) if is_request_id(reference) else None
