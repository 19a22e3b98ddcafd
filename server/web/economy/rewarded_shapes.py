"""JSON objects of rewarded ads and surveys."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from server.web.economy.rewards_shapes import At, PositiveCoins
from server.web.shapes import Coins, Count

KindText = Literal["ad", "survey"]


class RewardedOffer(Struct, frozen=True):
    """Something that can be watched or answered for coins. left: how many more today (UTC)."""

    kind: KindText
    provider: str
    coins: PositiveCoins
    per_day: Count
    left: Count


class RewardedOffers(Struct, frozen=True):
    """What can be earned by ads and surveys."""

    offers: list[RewardedOffer]


class RewardedSession(Struct, frozen=True):
    """An ad or a survey that was begun. url: where it is shown; '' for the sandbox, which this page shows itself."""

    id: str
    kind: KindText
    provider: str
    coins: PositiveCoins
    url: str
    expires_at: At


class RewardedReport(Struct, frozen=True):
    """What a provider tells when somebody is done. transaction: the provider's own id of this, for ever."""

    transaction: Annotated[str, Meta(pattern=r"^[!-~]{1,128}$")]
    session: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_]{1,64}$")]
    completed: bool


class RewardedOutcome(Struct, frozen=True):
    """What a report came to; told again, it comes to the same and changes nothing."""

    transaction: str
    outcome: Literal["rewarded", "capped", "expired", "repeated", "blocked", "not_completed"]
    coins: Coins


class SandboxDone(Struct, frozen=True):
    """How an ad or a survey of the sandbox went."""

    completed: bool
