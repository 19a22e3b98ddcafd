"""JSON objects of promotions, referrals and the list of rewards."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from server.web.shapes import Coins, Count, Next, User

At = Annotated[str, Meta(description="RFC 3339")]
PositiveCoins = Annotated[int, Meta(ge=1)]


class RewardGiven(Struct, frozen=True):
    """Coins that were given to one, and what for."""

    id: str
    source: Literal["bonus", "referral", "challenge", "contest", "event", "rewarded"]
    coins: PositiveCoins
    message: str
    at: At


class CoinsIssued(Struct, frozen=True):
    """Coins that one ever got, less what was taken back: bought, and given."""

    purchased: Coins
    promotional: Coins


class Rewards(Struct, frozen=True):
    """A page of rewards, newest first, and what was issued in all."""

    rewards: list[RewardGiven]
    issued: CoinsIssued
    next: Next


class PromotionOffered(Struct, frozen=True):
    """A promotion that one's next purchase may have. percent: on top or off the price; coins: so many on top instead.

    platforms, packages: null for all. ends_at: not in it any more.
    """

    id: str
    name: str
    kind: Literal["bonus", "discount"]
    percent: int | None
    coins: int | None
    ends_at: At
    platforms: list[str] | None
    packages: list[str] | None
    first_purchase_only: bool


class PromotionsOffered(Struct, frozen=True):
    """The promotions for one's next purchase, those that end first before the others."""

    promotions: list[PromotionOffered]


class ReferralCode(Struct, frozen=True):
    """The code of who invited one."""

    code: Annotated[str, Meta(pattern=r"^\s*[A-Za-z0-9]{8}\s*$")]


class ReferralCoins(Struct, frozen=True):
    """What each side gets after the invited one's first purchase."""

    invited: PositiveCoins
    inviter: PositiveCoins


class Referrals(Struct, frozen=True):
    """One's code, who invited one, and what came of one's own invitations.

    state: `open` as long as a code can be entered; `entered` until the first purchase; `rewarded` after it, or
    `refused` if both accounts are one person's; `closed` when one bought without. invited: who entered one's code;
    rewarded: how many of these one was rewarded for.
    """

    code: str
    state: Literal["open", "entered", "rewarded", "refused", "closed"]
    invited_by: User | None
    invited: Count
    rewarded: Count
    coins: ReferralCoins
    per_month_max: Count
