"""The promotions engine: what a purchase gets is shown before it, promised when it is made, kept when it is paid."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from server.domain.promotion import KINDS, Buying, Deal, best_deal, candidates
from server.ledger.earning import deals as ledger
from server.ledger.earning.promotions import live, usages
from server.ledger.earning.rewards import has_bought, lock_user
from server.stores.postgres import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """Something on offer. amount: its price without any promotion, in minor units."""

    package: str
    coins: int
    amount: int


async def previews(
    conn: Connection, user_id: str, offers: Sequence[Priced], *, region: str, platform: str
) -> list[Deal]:
    """The deal that each of these would be for a user now; nothing is promised."""
    at: datetime = await conn.fetchval("SELECT now()")
    promotions = await live(conn, at)
    used = await usages(conn, user_id, [promotion.id for promotion in promotions])
    first = not await has_bought(conn, user_id)
    return [
        best_deal(promotions, used, _buying(offer, region=region, platform=platform, first=first, at=at))
        for offer in offers
    ]


async def promise(
    conn: Connection,
    purchase_id: str,
    user_id: str,
    *,
    package: str,
    coins: int,
    amount: int,
    region: str,
    platform: str,
) -> Deal:
    """Promises a purchase that is being made the best deal there is, in the caller's transaction.

    amount: the price without any promotion, in minor units. What is promised takes room in the promotion's budget until
    the purchase is credited (`on_purchase`) or comes to nothing.
    """
    await lock_user(conn, user_id)
    at: datetime = await conn.fetchval("SELECT now()")
    offer = Priced(package=package, coins=coins, amount=amount)
    first = not await has_bought(conn, user_id)
    buying = _buying(offer, region=region, platform=platform, first=first, at=at)
    promotions = await live(conn, at)
    applied = []
    for kind in KINDS:
        for one in candidates(promotions, kind, buying):
            if await ledger.claim(conn, purchase_id, user_id, one):
                applied.append(one)
                break
    return Deal(tuple(applied))


def _buying(offer: Priced, *, region: str, platform: str, first: bool, at: datetime) -> Buying:
    return Buying(
        coins=offer.coins,
        amount=offer.amount,
        region=region,
        platform=platform,
        package=offer.package,
        first=first,
        at=at,
    )
