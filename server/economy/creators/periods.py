"""Stretches of days that earnings are looked at in: whole days, UTC, up to and with today."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from server.ledger.creators.earned import Sum

DAYS_DEFAULT = 28
DAYS_MAX = 366
_HOURS = 24
_DAY_S = 86_400
_THURSDAY = 3
"""The weekday of the epoch's first day, counted from Monday."""


@dataclass(frozen=True, slots=True)
class Period:
    """Days since the Unix epoch, from … to (the first one not in it)."""

    from_day: int
    to_day: int

    @classmethod
    def last(cls, days: int, now: datetime) -> "Period":
        """The last so many days, today among them."""
        today = int(now.timestamp()) // _DAY_S
        return cls(today + 1 - days, today + 1)

    @property
    def before(self) -> "Period":
        """As many days before it, to compare with."""
        return Period(2 * self.from_day - self.to_day, self.from_day)

    @property
    def hours(self) -> tuple[int, int]:
        return self.from_day * _HOURS, self.to_day * _HOURS

    @property
    def begins(self) -> datetime:
        return day_start(self.from_day)


def day_start(day: int) -> datetime:
    """When a day since the epoch begins."""
    return datetime.fromtimestamp(0, UTC) + timedelta(days=day)


def by_day(hours: dict[int, Sum], period: Period) -> list[Sum]:
    """Sums by hour as one for each day of a period, in order."""
    days = [Sum()] * (period.to_day - period.from_day)
    for hour, earned in hours.items():
        days[hour // _HOURS - period.from_day] += earned
    return days


def heat_map(hours: dict[int, Sum]) -> list[list[int]]:
    """Diamonds by weekday (Monday first) and hour of the day."""
    cells = [[0] * _HOURS for _ in range(7)]
    for hour, earned in hours.items():
        cells[(hour // _HOURS + _THURSDAY) % 7][hour % _HOURS] += earned.diamonds
    return cells
