"""Promotions: what a purchase gets on top or off its price, by when, where and what is bought."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

PromotionKind = Literal["bonus", "discount"]
KINDS: tuple[PromotionKind, ...] = ("bonus", "discount")

BONUS_PERCENT_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Buying:
    """A purchase that somebody is about to make. amount: the price, in minor units; first: nothing bought before."""

    coins: int
    amount: int
    region: str
    platform: str
    package: str
    first: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """One version of a promotion.

    It holds from starts_at until before ends_at. percent: of the coins bought (bonus), or off the price (discount);
    coins: a fixed bonus instead. regions, platforms, packages: None for all. budget_coins: bonus coins in all, None
    for a discount. uses_max, per_user_max: purchases in all, and of one user.
    """

    id: str
    version: int
    name: str
    kind: PromotionKind
    percent: int | None
    coins: int | None
    starts_at: datetime
    ends_at: datetime
    regions: frozenset[str] | None
    platforms: frozenset[str] | None
    packages: frozenset[str] | None
    first_purchase_only: bool
    budget_coins: int | None
    uses_max: int
    per_user_max: int
    active: bool

    @property
    def contradiction(self) -> str:
        """What is wrong with these terms, as a sentence; '' for nothing."""
        if self.starts_at >= self.ends_at:
            return "A promotion ends after it starts."
        if self.kind == "bonus":
            if (self.percent is None) == (self.coins is None):
                return "A bonus is a percentage or so many coins."
            return "" if self.budget_coins else "A bonus has a budget in coins."
        if self.coins is not None or self.budget_coins is not None or not 1 <= (self.percent or 0) <= 90:
            return "A discount is 1 to 90 percent; its budget is the number of uses."
        if self.platforms != frozenset({"web"}):
            return "Prices in app stores are the stores' own: a discount is for the platform web alone."
        return ""

    def fits(self, buying: Buying) -> bool:
        """Whether the purchase is one that this promotion is for, whatever is left of its budget."""
        return (
            self.active
            and self.starts_at <= buying.at < self.ends_at
            and (self.regions is None or buying.region in self.regions)
            and (self.platforms is None or buying.platform in self.platforms)
            and (self.packages is None or buying.package in self.packages)
            and (buying.first or not self.first_purchase_only)
        )

    def worth(self, buying: Buying) -> int:
        """Bonus coins, or minor units off the price; rounded down, and never the whole price."""
        if self.kind == "bonus":
            return self.coins if self.coins is not None else buying.coins * (self.percent or 0) // 100
        return buying.amount * (self.percent or 0) // 100


@dataclass(frozen=True, slots=True)
class Usage:
    """What of a promotion is promised or granted. by_user: purchases of the user who is asking."""

    coins: int = 0
    uses: int = 0
    by_user: int = 0

    def leaves(self, promotion: Promotion, worth: int) -> bool:
        """Whether budget and caps leave room for one more purchase."""
        return (
            self.uses < promotion.uses_max
            and self.by_user < promotion.per_user_max
            and (promotion.budget_coins is None or self.coins + worth <= promotion.budget_coins)
        )


@dataclass(frozen=True, slots=True)
class Applied:
    """A promotion and what one purchase gets by it: bonus coins, or minor units off the price."""

    promotion: Promotion
    worth: int


@dataclass(frozen=True, slots=True)
class Deal:
    """What a purchase gets, at most one promotion of each kind. discount: minor units of the purchase's currency."""

    applied: tuple[Applied, ...] = ()

    @property
    def bonus_coins(self) -> int:
        """Coins on top."""
        return sum(one.worth for one in self.applied if one.promotion.kind == "bonus")

    @property
    def discount(self) -> int:
        """Off the price."""
        return sum(one.worth for one in self.applied if one.promotion.kind == "discount")


def candidates(promotions: Iterable[Promotion], kind: PromotionKind, buying: Buying) -> list[Applied]:
    """Promotions of one kind that a purchase could have, the buyer's best first; of equals what ends first."""
    found = [Applied(promotion, promotion.worth(buying)) for promotion in promotions if promotion.kind == kind]
    found = [one for one in found if one.worth > 0 and one.promotion.fits(buying)]
    return sorted(found, key=lambda one: (-one.worth, one.promotion.ends_at, one.promotion.id))


def best_deal(promotions: Iterable[Promotion], usages: Mapping[str, Usage], buying: Buying) -> Deal:
    """The deal that a purchase made now would get. usages: by promotion; none used where it has none."""
    promotions = list(promotions)
    chosen = []
    for kind in KINDS:
        fitting = candidates(promotions, kind, buying)
        left = (one for one in fitting if usages.get(one.promotion.id, Usage()).leaves(one.promotion, one.worth))
        chosen += [one for one in [next(left, None)] if one is not None]
    return Deal(tuple(chosen))
