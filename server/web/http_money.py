"""A viewer's wallet and gifts, and a creator's earnings, over HTTP."""

from collections.abc import Mapping, Sequence

from aiohttp import web

from server.ledger import earnings as ledger_earnings
from server.ledger import history
from server.ledger.rooms import Room as LedgerRoom
from server.rooms.rooms import Totals
from server.wallet.gift_history import gift_page
from server.web.http import LIMIT_MAX, answer, identity_of, limit_of, rfc3339, services_of
from server.web.route import Route
from server.web.services import Services
from server.web.shapes import Earnings, RoomEarnings, SettledAndPending, Wallet, WalletGift, WalletGifts


async def get_wallet(request: web.Request) -> web.Response:
    """One's own coins."""
    services, identity = services_of(request), await identity_of(request)
    balance = await services.wallets.balance(identity.user_id)
    return answer(Wallet(balance.coins, balance.pending))


async def wallet_gifts(request: web.Request) -> web.Response:
    """One's own gifts, newest first, from the moment they were acknowledged."""
    services, identity = services_of(request), await identity_of(request)
    page = await gift_page(
        services.redis,
        services.pool,
        identity.user_id,
        services.settings.wallet_shards,
        limit=limit_of(request),
        before=history.read_place(request.query.get("cursor")),
    )
    gifts = [
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
    return answer(WalletGifts(gifts, None if page.last is None else history.place(page.last)))


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
