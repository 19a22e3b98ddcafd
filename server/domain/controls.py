"""What viewers allow themselves to spend: budgets by the calendar (UTC), and pauses.

The rules are applied where the coins are taken (server/wallet/functions); this is how the other parts speak of them.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Period(StrEnum):
    """A stretch of the calendar, UTC, that a budget is for; a week begins on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def bounds_us(self, at_us: int) -> tuple[int, int]:
        """Beginning and end of the period that a moment is in; all are microseconds since the epoch."""
        day = moment(at_us).replace(hour=0, minute=0, second=0, microsecond=0)
        if self is Period.DAY:
            begins, ends = day, day + timedelta(days=1)
        elif self is Period.WEEK:
            begins = day - timedelta(days=day.weekday())
            ends = begins + timedelta(days=7)
        else:
            begins = day.replace(day=1)
            ends = (begins + timedelta(days=31)).replace(day=1)
        return microseconds(begins), microseconds(ends)


class Budget(Struct, frozen=True, gc=False):
    """Of one period. limit: coins, None for as many as there are. spent: in the period that ends at ends_us."""

    limit: int | None
    spent: int
    ends_us: int


class Controls(Struct, frozen=True):
    """All of a viewer's. version: counts changes, from 1. not_before_us: nothing is sent before; 0 for no pause."""

    version: int
    not_before_us: int
    budgets: Mapping[Period, Budget]

    def counting(self, debits: Iterable[tuple[int, int]]) -> "Controls":
        """The same with more debits (when, in microseconds; coins) in what is spent."""
        budgets = dict(self.budgets)
        for at_us, coins in debits:
            for period, budget in budgets.items():
                begins_us, _ = period.bounds_us(budget.ends_us - 1)
                if at_us >= begins_us:
                    budgets[period] = replace(budget, spent=budget.spent + coins)
        return Controls(self.version, self.not_before_us, budgets)


def microseconds(moment: datetime) -> int:
    """Since the Unix epoch, UTC."""
    return (moment - _EPOCH) // _MICROSECOND


class Restraint(Struct, frozen=True, gc=False):
    """Why controls refuse a gift. limit: the budget that it is over, None for a pause; until_us: when either ends."""

    limit: Period | None
    until_us: int

    @property
    def message(self) -> str:
        """The sentence for the viewer."""
        until = told(self.until_us)
        if self.limit is None:
            return f"You have paused spending until {until}."
        return f"This is more than is left of your budget for this {self.limit}. The next {self.limit} begins {until}."


def moment(us: int) -> datetime:
    """Of microseconds since the Unix epoch, UTC."""
    return _EPOCH + timedelta(microseconds=us)


def told(us: int) -> str:
    """A moment, in microseconds since the Unix epoch, as sentences for viewers have it."""
    return f"{moment(us):%Y-%m-%d %H:%M} UTC"
