"""What is on sale for somebody: each package with what promotions make of it now, and which is the best value."""

from dataclasses import dataclass, replace
from fractions import Fraction

from server.domain.errors import Code, Refusal
from server.domain.packages import Package, best_value
from server.domain.promotion import Deal
from server.economy.earning.deals import Priced, previews
from server.ledger.recharge import packages
from server.ledger.recharge.purchases import REGION_UNKNOWN
from server.stores.postgres import Connection


@dataclass(frozen=True, slots=True)
class Offer:
    """A package on sale. deal: of a fixed package; what a custom amount gets depends on the amount (`quote`)."""

    package: Package
    deal: Deal
    best: bool

    @property
    def amount(self) -> int:
        """What is left to pay, in minor units."""
        return self.package.amount - self.deal.discount

    @property
    def amount_per_1000_coins(self) -> int:
        """What 1,000 coins come to, those on top counted too: minor units, rounded."""
        return round(Fraction(self.amount * 1000, self.package.coins + self.deal.bonus_coins))


async def offers(conn: Connection, user_id: str | None, region: str | None, platform: str) -> list[Offer]:
    """What a user, or somebody unknown, is offered on a platform. region: ISO 3166-1 alpha-2, None if not known."""
    found = await packages.offered(conn, platform, region or "")
    # Of a custom amount both ends: between them no coin is cheaper than at one of the two.
    sizes = [(package, *package.price_of(coins)) for package in found for coins in _sizes(package)]
    deals = [Deal()] * len(sizes)
    if user_id is not None:
        priced = [Priced(package=package.id, coins=coins, amount=amount) for package, coins, amount in sizes]
        deals = await previews(conn, user_id, priced, region=region or REGION_UNKNOWN, platform=platform)
    best = best_value(
        [
            (package, Fraction(amount - deal.discount, coins + deal.bonus_coins))
            for (package, coins, amount), deal in zip(sizes, deals, strict=True)
        ]
    )
    own = {package.id: deal for (package, _, _), deal in zip(sizes, deals, strict=True) if not package.custom}
    return [Offer(package, own.get(package.id, Deal()), package is best) for package in found]


async def quote(
    conn: Connection, user_id: str | None, region: str | None, package: Package, coins: int | None
) -> Offer:
    """What so many coins of a package would cost a user, or somebody unknown, now; the package comes in that size.

    coins: of a custom amount. Raises Refusal: bad_request for a size that is not sold, conflict outside its region.
    """
    if package.id not in {found.id for found in await packages.offered(conn, package.platform, region or "")}:
        raise Refusal(Code.CONFLICT, f"This package is not sold in {region or 'your region'}.")
    try:
        coins, amount = package.price_of(coins)
    except ValueError as error:
        raise Refusal(Code.BAD_REQUEST, str(error)) from error
    deal = Deal()
    if user_id is not None:
        priced = [Priced(package=package.id, coins=coins, amount=amount)]
        [deal] = await previews(conn, user_id, priced, region=region or REGION_UNKNOWN, platform=package.platform)
    return Offer(replace(package, coins=coins, amount=amount), deal, best=False)


def _sizes(package: Package) -> tuple[int | None, ...]:
    return (package.coins_min, package.coins_max) if package.custom else (None,)
