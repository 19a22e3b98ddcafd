"""Packages of coins and their prices. Prices are versioned: a purchase keeps the version it was made at."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from importlib.resources import files

import orjson

EVERYWHERE = "*"
"""The region of packages that are offered wherever there are none closer to home."""
ID = r"[a-z0-9][a-z0-9_.]{0,63}"
"""What ids of packages look like, as a regular expression for the whole of one."""
AMOUNT_MAX = 10**12
"""The most that one purchase can cost, in minor units: far from 2^53, also when a thousand coins are priced by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """Coins at a price. amount: minor units of the currency, for `coins`.

    coins_min, coins_max: bounds of a custom amount, of which each coin costs amount / coins; None for a fixed package.
    """

    id: str
    version: int
    platform: str
    region: str
    currency: str
    coins: int
    amount: int
    coins_min: int | None = None
    coins_max: int | None = None
    active: bool = True

    @property
    def custom(self) -> bool:
        """Whether the buyer says how many coins."""
        return self.coins_min is not None

    @property
    def contradiction(self) -> str:
        """What is wrong with these terms, as a sentence; '' for nothing."""
        if (self.coins_min is None) != (self.coins_max is None):
            return "A custom amount needs both a least and a most."
        if self.coins_min is not None and self.coins_max is not None and self.coins_min > self.coins_max:
            return "The least of a custom amount must not be more than its most."
        if self.price_of(self.coins_max)[1] > AMOUNT_MAX:
            return f"The most of a custom amount must not cost more than {AMOUNT_MAX:,} minor units."
        return ""

    @property
    def coin_price(self) -> Fraction:
        """What one coin costs, exactly, in minor units."""
        return Fraction(self.amount, self.coins)

    @property
    def amount_per_1000_coins(self) -> int:
        """What 1,000 coins would cost at this price, in minor units, rounded to the nearest: for people to compare."""
        return round(self.coin_price * 1000)

    def price_of(self, coins: int | None) -> tuple[int, int]:
        """(coins, amount) of a purchase. Raises ValueError: a custom amount needs coins within its bounds."""
        if self.coins_min is None or self.coins_max is None:
            if coins not in {None, self.coins}:
                raise ValueError(f"this package has {self.coins} coins")
            return self.coins, self.amount
        if coins is None or not self.coins_min <= coins <= self.coins_max:
            raise ValueError(f"between {self.coins_min} and {self.coins_max} coins can be bought")
        return coins, -(-coins * self.amount // self.coins)


def best_value(prices: Iterable[tuple[Package, Fraction]]) -> Package | None:
    """The one fixed package whose coins cost less than those of every other offered with it; None where there is none.

    prices: what a coin of each package costs, at every size that it can be bought in.
    """
    cheapest = sorted(prices, key=lambda entry: entry[1])
    if not cheapest:
        return None
    package, price = cheapest[0]
    others = [other for entry, other in cheapest if entry is not package]
    return package if others and price < others[0] and not package.custom else None


def seed() -> Iterable[Package]:
    """The packages that a new installation starts with (`packages.json`), all at version 1."""
    rows = orjson.loads(files("server.domain").joinpath("packages.json").read_bytes())
    return [Package(version=1, **row) for row in rows]
