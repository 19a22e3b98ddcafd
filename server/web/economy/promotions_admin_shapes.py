"""JSON objects of the admin calls for promotions."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from server.domain.promotion import BONUS_PERCENT_MAX
from server.web.economy.rewards_shapes import At
from server.web.shapes import Coins, Count, Next

TermsId = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,40}$")]
Title = Annotated[str, Meta(min_length=1, max_length=120)]
Moment = Annotated[datetime, Meta(tz=True)]
Region = Annotated[str, Meta(pattern="^[A-Z]{2}$", description="ISO 3166-1 alpha-2")]
Platform = Literal["web", "ios", "android"]
PackageId = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_.]{0,63}$")]
Amount = Annotated[int, Meta(ge=1, le=10**12)]
Few = Annotated[int, Meta(ge=1, le=1_000_000)]


class PromotionTerms(Struct, frozen=True, kw_only=True):
    """The terms of a promotion; under an id that there is, a new version.

    A bonus is `percent` of the coins bought or `coins` on top, up to `budget_coins` in all; a discount is `percent` off
    the price, on the platform web alone. It holds from starts_at until before ends_at; regions, platforms, packages:
    null for all.
    """

    id: TermsId
    name: Title
    kind: Literal["bonus", "discount"]
    percent: Annotated[int, Meta(ge=1, le=BONUS_PERCENT_MAX)] | None = None
    coins: Amount | None = None
    starts_at: Moment
    ends_at: Moment
    regions: Annotated[list[Region], Meta(min_length=1, max_length=300)] | None = None
    platforms: Annotated[list[Platform], Meta(min_length=1, max_length=3)] | None = None
    packages: Annotated[list[PackageId], Meta(min_length=1, max_length=100)] | None = None
    first_purchase_only: bool = False
    budget_coins: Amount | None = None
    uses_max: Amount
    per_user_max: Few = 1


class NewPromotion(PromotionTerms, frozen=True, kw_only=True):
    """A promotion to make, or a new version of one. announce: tell everybody once a new one begins."""

    announce: bool = True


class PromotionMade(Struct, frozen=True, kw_only=True):
    """A version of a promotion. used_coins, uses: of the promotion, over all of its versions."""

    terms: PromotionTerms
    version: int
    active: bool
    used_coins: Coins
    uses: Count
    created_by: str
    created_at: At


class PromotionsMade(Struct, frozen=True):
    """A page of promotions by their ids, all versions of each, the newest first."""

    promotions: list[PromotionMade]
    next: Next


class PromotionTrial(Struct, frozen=True, kw_only=True):
    """A purchase to try the live promotions on, and terms that are not made yet (null: none).

    amount: the price in minor units. at: null for now.
    """

    package: PackageId
    coins: Amount
    amount: Amount
    region: Region
    platform: Platform
    first: bool = True
    at: Moment | None = None
    terms: PromotionTerms | None = None


class PromotionApplied(Struct, frozen=True):
    """A promotion that the purchase would have; version 0: the terms that are not made yet."""

    id: str
    version: int
    kind: Literal["bonus", "discount"]
    worth: Count


class PromotionPreview(Struct, frozen=True):
    """What the purchase would get; amount: the price that is left."""

    bonus_coins: Coins
    discount: Count
    amount: Count
    applied: list[PromotionApplied]
