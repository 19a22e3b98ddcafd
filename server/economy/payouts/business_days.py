"""Business days: Monday to Friday, UTC. Bank holidays differ from country to country, and are left out."""

from datetime import datetime, timedelta

_SATURDAY = 5


def after(start: datetime, days: int) -> datetime:
    """The moment so many business days after another; what comes in on a weekend counts from its end."""
    at = start
    while days > 0:
        at += timedelta(days=1)
        days -= at.weekday() < _SATURDAY
    return at
