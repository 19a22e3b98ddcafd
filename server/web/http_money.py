"""A viewer's wallet and gifts, and a creator's earnings, over HTTP."""

from collections.abc import Mapping, Sequence

from aiohttp import web

from server.domain.errors import Code, Refusal
from server.domain.ids import GiftId, shard_of
from server.ledger import earnings as ledger_earnings
from server.ledger import history, pages
from server.ledger.rooms import Room as LedgerRoom
from server.rooms.rooms import Totals
from server.wallet.unsettled import unsettled_gifts
from server.web.http import LIMIT_MAX, answer, identity_of, limit_of, rfc3339, services_of
from server.web.route import Route
from server.web.services import Services
from server.web.shapes import Earnings, RoomEarnings, SettledAndPending, Wallet, WalletGift, WalletGifts

EPOCH_MAX = 2**31 - 1
NUMBER_MAX = 2**63 - 1
"""What the ledger's columns hold."""


async def get_wallet(request: web.Request) -> web.Response:
    """One's own coins."""
    identity = await identity_of(request)
    balance = await services_of(request).wallets.balance(identity.user_id)
    return answer(Wallet(balance.coins, balance.pending))


async def wallet_gifts(request: web.Request) -> web.Response:
    """One's own gifts, newest first, from the moment they were acknowledged."""
    services, identity = services_of(request), await identity_of(request)
    limit, cursor = limit_of(request), request.query.get("cursor")
    shard = shard_of(identity.user_id, services.settings.wallet_shards)
    before = _place(cursor)
    # The log first: a gift that is settled in between is then in both, never in neither.
    waiting = await unsettled_gifts(services.redis, identity.user_id, services.settings.wallet_shards)
    page = await history.gifts(services.pool, identity.user_id, limit, cursor, shard)
    settled_to = (page.settled_to.epoch, page.settled_to.number)
    gifts = [
        WalletGift(str(gift.gift_id), gift.room, gift.gift, gift.count, gift.coins, gift.at_us, "accepted")
        for gift in waiting
        if settled_to < (gift.gift_id.epoch, gift.gift_id.number) < before
    ]
    gifts += [
        WalletGift(
            gift_id=str(gift.gift_id),
            room=gift.room,
            gift=gift.gift,
            count=gift.count,
            coins=gift.coins,
            at=gift.at_us,
            status="settled" if gift.settled else "accepted",
        )
        for gift in page.gifts
    ]
    following = page.next
    if len(gifts) > limit:
        gifts = gifts[:limit]
        following = history.place(GiftId.parse(gifts[-1].gift_id))
    return answer(WalletGifts(gifts, following))


def _place(cursor: str | None) -> tuple[int, int]:
    """Where a page of gifts ends that the next one goes on from: (epoch, number). Raises Refusal (bad_request)."""
    if cursor is None:
        return EPOCH_MAX, NUMBER_MAX
    epoch, number = pages.decode(cursor, int, int)
    if not (0 <= int(epoch) <= EPOCH_MAX and 0 <= int(number) <= NUMBER_MAX):
        raise Refusal(Code.BAD_REQUEST)
    return int(epoch), int(number)


async def creator_earnings(request: web.Request) -> web.Response:
    """What one's own rooms earned; newest rooms first."""
    services, identity = services_of(request), await identity_of(request)
    # The ledger first: what is settled in between is then still shown as pending, and neither left out nor doubled.
    found = await ledger_earnings.earnings(
        services.pool, identity.user_id, limit_of(request, LIMIT_MAX), request.query.get("cursor")
    )
    live = await services.rooms.totals(list({room.id for room in (*found.newest, *found.page)}))
    pending = sum(_pending(room, live) for room in found.newest)
    rooms = [
        RoomEarnings(
            id=room.id,
            title=room.title,
            state=room.state,  # type: ignore[arg-type]
            started_at=rfc3339(room.started_at),
            diamonds=room.diamonds + _pending(room, live),
            pending=_pending(room, live),
            gifts=max(room.gifts, live[room.id].gifts) if room.id in live else room.gifts,
        )
        for room in found.page
    ]
    return answer(Earnings(SettledAndPending(found.diamonds, pending), rooms, found.next))


async def pending_of(services: Services, rooms: Sequence[LedgerRoom]) -> int:
    """Diamonds of these rooms that stand on screens and are not settled yet; the ledger must have been read before."""
    live = await services.rooms.totals([room.id for room in rooms])
    return sum(_pending(room, live) for room in rooms)


def _pending(room: LedgerRoom, live: Mapping[str, Totals]) -> int:
    """Diamonds that stand on screens and are not settled yet."""
    return max(0, live[room.id].diamonds - room.diamonds) if room.id in live else 0


ROUTES = (
    Route(method="GET", path="/wallet", handler=get_wallet, answer=Wallet),
    Route(
        method="GET",
        path="/wallet/gifts",
        handler=wallet_gifts,
        answer=WalletGifts,
        pages=True,
    ),
    Route(
        method="GET",
        path="/creator/earnings",
        handler=creator_earnings,
        answer=Earnings,
        pages=True,
    ),
)
