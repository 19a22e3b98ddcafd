"""What every part of a bench run knows: how often and how long to measure, and how to say what it is doing."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class BenchRun:
    """quick: a short look; its figures are rough. repeats: of each figure, the median counts."""

    quick: bool = False
    began_s: float = field(default_factory=time.monotonic)

    @property
    def repeats(self) -> int:
        return 1 if self.quick else 3

    def pick(self, whole: float, quick: float) -> float:
        """A length or size, by how thorough the run is."""
        return quick if self.quick else whole

    def count(self, whole: int, quick: int) -> int:
        return quick if self.quick else whole

    def say(self, text: str) -> None:
        """A line about what is going on, with the time since the start."""
        print(f"[{time.monotonic() - self.began_s:5.0f} s] {text}", file=sys.stderr, flush=True)
