"""Where a gift is: debit, log, screen, settlement."""

from datetime import UTC, datetime

from redis.asyncio import Redis

from server.domain.ids import GiftId, shard_of
from server.economy.history.trace import Step, Trace
from server.ledger import traces
from server.ledger.shards import ShardState, read_state
from server.ledger.traces import SetAside, SettledGift
from server.stores.postgres import Pool
from server.wallet.unsettled import UnsettledGift, unsettled_gifts


async def trace_gift(redis: Redis, pool: Pool, gift_id: GiftId, viewer: str | None, shards: int) -> Trace | None:
    """Follows a gift by its id; None when there is none that this viewer sent (None: anybody's).

    The log is read before the ledger: what is settled in between is found in both, never in neither. A gift that only
    the log has is found with its viewer's name alone.
    """
    if gift_id.shard >= shards or (viewer is not None and shard_of(viewer, shards) != gift_id.shard):
        return None
    state = await read_state(redis, gift_id.shard)
    waiting = {} if viewer is None else {gift.gift_id: gift for gift in await unsettled_gifts(redis, viewer, shards)}
    async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        settled = await traces.settled_gift(conn, gift_id)
        aside = await traces.set_aside(conn, gift_id)
    applied = state.epoch > gift_id.epoch or state.applied >= gift_id.number
    if settled is not None and viewer in {None, settled.viewer}:
        return _settled(gift_id, settled, applied=applied)
    if aside is not None and aside.viewer is not None and viewer in {None, aside.viewer}:
        return _aside(gift_id, aside, applied=applied)
    if gift_id in waiting:
        return _waiting(gift_id, viewer or "", waiting[gift_id], state, applied=applied)
    return None


async def trace_request(redis: Redis, pool: Pool, request_id: str, viewer: str, shards: int) -> Trace | None:
    """Follows a viewer's gift by the id of its request; None when no gift was charged for it."""
    waiting = {gift.request_id: gift.gift_id for gift in await unsettled_gifts(redis, viewer, shards)}
    gift_id = waiting.get(request_id)
    if gift_id is None:
        async with pool.acquire() as conn:
            gift_id = await traces.gift_of_request(conn, viewer, request_id)
    return None if gift_id is None else await trace_gift(redis, pool, gift_id, viewer, shards)


def _debit(coins: int, at_us: int) -> Step:
    return Step("debit", "done", f"{coins:,} coins were taken, and the gift was acknowledged.", _time(at_us))


def _logged(gift_id: GiftId) -> Step:
    where = f"number {gift_id.number} of wallet shard {gift_id.shard}, epoch {gift_id.epoch}"
    return Step("log", "done", f"It is on disk as {where}.")


def _screen(*, applied: bool) -> Step:
    if applied:
        return Step("screen", "done", "It was counted in the room and sent to every screen there.")
    return Step("screen", "waiting", "The room has not counted it yet.")


def _settled(gift_id: GiftId, gift: SettledGift, *, applied: bool) -> Trace:
    posting = "" if gift.posting is None else f" by posting {gift.posting}"
    booked = Step(
        "settlement", "done", f"It was booked{posting}: {gift.diamonds:,} diamonds for {gift.creator}.", gift.settled_at
    )
    return Trace(
        "gift",
        str(gift_id),
        gift.viewer,
        f"The gift arrived: {gift.creator} earned {gift.diamonds:,} diamonds with it.",
        [_debit(gift.coins, gift.at_us), _logged(gift_id), _screen(applied=applied), booked],
    )


def _aside(gift_id: GiftId, aside: SetAside, *, applied: bool) -> Trace:
    looked = (
        "An operator has dealt with it." if aside.resolved_at else "An operator will deal with it; nothing is lost."
    )
    return Trace(
        "gift",
        str(gift_id),
        aside.viewer or "",
        f"The gift was paid and could not be booked ({aside.reason}). {looked}",
        [
            Step("debit", "done", f"{aside.coins or 0:,} coins were taken, and the gift was acknowledged."),
            _logged(gift_id),
            _screen(applied=applied),
            Step("settlement", "stopped", f"It was put aside: {aside.reason}.", aside.at),
        ],
    )


def _waiting(gift_id: GiftId, viewer: str, gift: UnsettledGift, state: ShardState, *, applied: bool) -> Trace:
    before = max(0, gift_id.number - state.settled - 1)
    return Trace(
        "gift",
        str(gift_id),
        viewer,
        "The gift is paid and on its way: it is on disk, and will be booked exactly once.",
        [
            _debit(gift.coins, gift.at_us),
            _logged(gift_id),
            _screen(applied=applied),
            Step("settlement", "waiting", f"It waits to be booked, with {before:,} before it."),
        ],
    )


def _time(at_us: int) -> datetime:
    return datetime.fromtimestamp(at_us / 1_000_000, UTC)
