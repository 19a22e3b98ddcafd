"""JSON objects of challenges, contests and events."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from server.web.economy.rewards_shapes import At, PositiveCoins
from server.web.shapes import Coins, Count, User

ChallengeKindText = Literal["challenge", "contest", "event"]
MetricText = Literal["gifts", "coins", "rooms_gifted", "rooms_watched"]


class ChallengeStanding(Struct, frozen=True):
    """A challenge (reach a goal), contest (be ranked) or event (reach a goal together), and how one stands in it.

    side: whose gifts count, given or received; gifts: null for all gifts. total: of all users; least: what it takes to
    be ranked or to share. reward_coins for the first winners_max; prizes: of the first place, the second, and so on.
    opt_in: only who says so takes part. amount, taking_part, outcome, place: one's own.
    """

    id: str
    kind: ChallengeKindText
    title: str
    metric: MetricText
    side: Literal["viewer", "creator"]
    gifts: list[str] | None
    state: Literal["coming", "open", "closing", "ended"]
    starts_at: At
    ends_at: At
    goal: Count | None
    least: Count
    reward_coins: Coins | None
    winners: Count
    winners_max: Count | None
    prizes: list[PositiveCoins] | None
    total: Count
    amount: Count
    opt_in: bool
    taking_part: bool
    outcome: Literal["rewarded", "too_late", "blocked"] | None
    place: Annotated[int, Meta(ge=1)] | None


class Challenges(Struct, frozen=True):
    """Those that are open or coming, then those that ended lately; of each, those that end first."""

    challenges: list[ChallengeStanding]


class RankingPlace(Struct, frozen=True):
    """One place. coins: its prize."""

    place: Annotated[int, Meta(ge=1)]
    user: User
    amount: Count
    coins: Coins


class ChallengeRanking(Struct, frozen=True):
    """The first places: as they are now, or as they were when a contest ended."""

    ranking: list[RankingPlace]
