"""Who is old enough for what costs or earns money."""

from datetime import date

from server.ledger.profiles import Profile

ADULT_YEARS = 18
ADULT_YEARS_IN = {"KR": 19}
"""Where it is another age, by region (ISO 3166-1 alpha-2)."""


def old_enough(profile: Profile, today: date) -> bool:
    """Whether a profile says so; an unknown birth date does not."""
    born = profile.birth_date
    if born is None:
        return False
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return years >= ADULT_YEARS_IN.get(profile.region or "", ADULT_YEARS)
