"""One measured figure, several times over, beside its limit or baseline and its goal."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure should be at least or at most; of_ratio: the figure divided by the one beside it."""

    bound: Literal["≥", "≤"]
    value: float
    of_ratio: bool = False

    def met(self, value: float) -> bool:
        return value >= self.value if self.bound == "≥" else value <= self.value

    def __str__(self) -> str:
        return f"{self.bound} {self.value:g}{' ×' if self.of_ratio else ''}"


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure. values: of each repetition; beside: what it is compared with, measured in the same run."""

    part: str
    name: str
    unit: str
    values: Sequence[float]
    beside: str = ""
    beside_values: Sequence[float] = ()
    goal: Goal | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def beside_median(self) -> float | None:
        return statistics.median(self.beside_values) if self.beside_values else None

    @property
    def ratio(self) -> float | None:
        """The figure as a multiple of the one beside it."""
        beside = self.beside_median
        return self.median / beside if beside else None

    @property
    def met(self) -> bool | None:
        """Whether the goal was reached; None without one."""
        if self.goal is None:
            return None
        judged = self.ratio if self.goal.of_ratio else self.median
        return judged is not None and self.goal.met(judged)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "part": self.part,
            "name": self.name,
            "unit": self.unit,
            "median": self.median,
            "values": list(self.values),
            "beside": self.beside,
            "beside_median": self.beside_median,
            "beside_values": list(self.beside_values),
            "ratio": self.ratio,
            "goal": str(self.goal) if self.goal else None,
            "met": self.met,
        }


def number(value: float) -> str:
    """Three digits that count, with thousands marked."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}" if abs(value) < 1 else f"{value:.2f}"
