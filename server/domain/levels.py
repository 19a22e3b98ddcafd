"""Gifter levels: 1 to 50, from the coins that somebody ever spent.

Level 1 begins with the first coin, level 2 at ten coins, and every eight levels take ten times as much: level 10 at
100, 18 at 1,000, 26 at 10,000, 34 at 100,000, 42 at a million and 50 at ten million coins. Coins that may come back
(tickets, placements of rooms) do not count, so that a level is never lost.
"""

from bisect import bisect_right
from math import ceil

LEVEL_MAX = 50
LEVELS_PER_TENFOLD = 8


def coins_for(level: int) -> int:
    """How many coins a level begins at."""
    return 1 if level == 1 else ceil(10 * 10 ** ((level - 2) / LEVELS_PER_TENFOLD))


THRESHOLDS = [coins_for(level) for level in range(1, LEVEL_MAX + 1)]
"""Where each level begins, the first one first; each is more than the one before."""


def level_of(coins: int) -> int:
    """The level of somebody who spent so many coins; 0 before the first."""
    return bisect_right(THRESHOLDS, coins)


def next_level_at(coins: int) -> int | None:
    """How many coins the next level begins at; None on the last."""
    level = level_of(coins)
    return THRESHOLDS[level] if level < LEVEL_MAX else None
