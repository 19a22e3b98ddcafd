"""The time that the stores' functions and the ledger see: it moves only when a step says so."""

from __future__ import annotations

START_US = 4_103_524_800_000_000
"""In the year 2100: what the functions let expire at a time of this clock is still there when the real one is asked.
And in the middle of a day, a week and a month: no budget begins anew."""

SECONDS_KEY = "simulation:s"
MICROS_KEY = "simulation:us"

SERVER_TIME = "redis.call('TIME')"
SIMULATED_TIME = f"redis.call('MGET', '{SECONDS_KEY}', '{MICROS_KEY}')"
"""Both answer the seconds and the microseconds past them, as two strings."""


class Clock:
    """Stands in for the module `time` where the server asks for the time of day.

    now_us: what it shows. elapsed_us: how far it went forward altogether, setting it back not counted.
    """

    def __init__(self) -> None:
        self.now_us = START_US
        self.elapsed_us = 0

    def time(self) -> float:
        """Seconds since the Unix epoch."""
        return self.now_us / 1_000_000

    def forward(self, us: int) -> None:
        self.now_us += us
        self.elapsed_us += us

    def back(self, us: int) -> None:
        self.now_us -= us
