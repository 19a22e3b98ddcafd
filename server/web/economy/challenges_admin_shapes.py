"""JSON objects of the admin calls for challenges, contests and events."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from server.web.economy.challenges_shapes import ChallengeKindText, MetricText
from server.web.economy.promotions_admin_shapes import Amount, Few, Moment, TermsId, Title
from server.web.economy.rewards_shapes import At
from server.web.shapes import Coins, Count, Next

GiftKindId = Annotated[str, Meta(min_length=1, max_length=64)]


class ChallengeTerms(Struct, frozen=True, kw_only=True):
    """The terms of a challenge, contest or event.

    It counts from starts_at, which may be past, until before ends_at. side: whose gifts count, given or received;
    gifts: null for all gifts, and nothing else that is sold. A challenge or event has goal, reward_coins and
    winners_max; a contest has prizes. opt_in: only who says so takes part, with all that they did in its time.
    """

    id: TermsId
    kind: ChallengeKindText
    title: Title
    metric: MetricText
    side: Literal["viewer", "creator"] = "viewer"
    gifts: Annotated[list[GiftKindId], Meta(min_length=1, max_length=100)] | None = None
    starts_at: Moment
    ends_at: Moment
    goal: Amount | None = None
    least: Amount = 1
    reward_coins: Few | None = None
    winners_max: Few | None = None
    prizes: Annotated[list[Few], Meta(min_length=1, max_length=100)] | None = None
    opt_in: bool = False


class NewChallenge(ChallengeTerms, frozen=True, kw_only=True):
    """A challenge to make, or a new version of one that has not begun. announce: tell everybody of a new one."""

    announce: bool = True


class ChallengeMade(Struct, frozen=True, kw_only=True):
    """A version of a challenge, and the state that the challenge is in."""

    terms: ChallengeTerms
    version: int
    state: Literal["open", "closing", "ended", "cancelled"]
    created_by: str
    created_at: At


class ChallengesMade(Struct, frozen=True):
    """A page of challenges by their ids, all versions of each, the newest first."""

    challenges: list[ChallengeMade]
    next: Next


class ChallengePreview(Struct, frozen=True):
    """What the terms would have come to in the same stretch of time up to now: who would have got how much."""

    participants: Count
    winners: Count
    coins: Coins
    total: Count
