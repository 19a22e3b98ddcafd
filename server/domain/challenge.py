"""Challenges, contests and events: what counts for whom, and when."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

ChallengeKind = Literal["challenge", "contest", "event"]
Metric = Literal["gifts", "coins", "rooms_gifted", "rooms_watched"]
Side = Literal["viewer", "creator"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One version of a challenge (reach a goal), contest (be ranked) or event (reach a goal together).

    It counts from starts_at until before ends_at. side: whose gifts count, given or received; gift_ids: None for all
    gifts, and nothing else that is sold: a ticket may come back, and a creator's own room is promoted by the creator.
    goal: of each user, or of all together; least: what it takes to be ranked or to share in an event. reward_coins for
    the first winners_max who get there; prizes: coins of the first place, the second, and so on. opt_in: only who says
    so takes part, with all that they did in its time; else everybody does.
    """

    id: str
    version: int
    kind: ChallengeKind
    title: str
    metric: Metric
    side: Side
    gift_ids: frozenset[str] | None
    starts_at: datetime
    ends_at: datetime
    goal: int | None
    least: int
    reward_coins: int | None
    winners_max: int | None
    prizes: tuple[int, ...] | None
    opt_in: bool

    @property
    def by_gifts(self) -> bool:
        """Whether gifts count, and not visits."""
        return self.metric != "rooms_watched"

    @property
    def contradiction(self) -> str:
        """What is wrong with these terms, as a sentence; '' for nothing."""
        if self.starts_at >= self.ends_at:
            return "A challenge ends after it starts."
        if self.side == "creator" and self.metric not in {"gifts", "coins"}:
            return "Creators are counted by gifts or coins."
        if self.gift_ids is not None and not self.by_gifts:
            return "Visits are not of a kind of gift."
        goals = (self.goal, self.reward_coins, self.winners_max)
        if self.kind == "contest":
            return "" if goals == (None,) * 3 and self.prizes else "A contest has prizes, and neither goal nor reward."
        if None in goals or self.prizes:
            return "A challenge or event has a goal, a reward and a number of winners, and no prizes."
        return ""

    @property
    def starts_us(self) -> int:
        """Microseconds since the Unix epoch, UTC."""
        return (self.starts_at - _EPOCH) // timedelta(microseconds=1)

    @property
    def ends_us(self) -> int:
        """Microseconds since the Unix epoch, UTC; not in it any more."""
        return (self.ends_at - _EPOCH) // timedelta(microseconds=1)


class Given(NamedTuple):
    """What counts of something settled. coins: all pieces together; is_gift: and no ticket, highlight or the like."""

    viewer: str
    creator: str
    room: str
    gift: str
    pieces: int
    coins: int
    at_us: int
    is_gift: bool


@dataclass(slots=True)
class Gains:
    """What gifts add to challenges. amounts: (challenge, user) → [how much, when the last of it came].

    rooms: (challenge, user, room) → when it came first; which of them are new, the ledger knows.
    """

    amounts: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    rooms: dict[tuple[str, str, str], int] = field(default_factory=dict)


def count_up(challenges: Iterable[Challenge], gifts: Iterable[Given]) -> Gains:
    """What these gifts add to each challenge that they are in."""
    gains = Gains()
    amounts, rooms = gains.amounts, gains.rooms
    spans = [(one, one.starts_us, one.ends_us) for one in challenges if one.by_gifts]
    for gift in gifts:
        for one, starts_us, ends_us in spans:
            counts = gift.is_gift if one.gift_ids is None else gift.gift in one.gift_ids
            if not counts or not starts_us <= gift.at_us < ends_us:
                continue
            if one.metric == "rooms_gifted":
                place = (one.id, gift.viewer, gift.room)
                rooms[place] = min(gift.at_us, rooms.get(place, gift.at_us))
                continue
            amount = gift.coins if one.metric == "coins" else gift.pieces
            gain = amounts.setdefault((one.id, gift.viewer if one.side == "viewer" else gift.creator), [0, 0])
            gain[0] += amount
            gain[1] = max(gain[1], gift.at_us)
    return gains
