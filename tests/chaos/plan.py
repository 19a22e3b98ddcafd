"""A round, drawn from its seed and from nothing else: who is there, how much they send, what goes wrong and when."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tests.chaos.faults import FAULTS, FREEZE_S, LOSING

TWO_WORKERS = "two_workers"
"""Not a moment but a state: for the whole round two workers each believe that they own every shard."""

KINDS = (*FAULTS, TWO_WORKERS)
COMPANION_SHARE = 0.4
"""Rounds in which something else goes wrong as well."""

PURCHASES = 3
AFTER_S = 2.0
"""How long gifts go on after the last strike is over."""

STRIKE_S = 1.5
"""How long a strike takes at least that is over by itself."""


@dataclass(frozen=True, slots=True)
class Strike:
    """at_s: seconds after the first gift."""

    at_s: float
    fault: str


@dataclass(frozen=True, slots=True)
class Plan:
    """gifts_per_s: of all viewers together. outage_s: of a stopped Postgres."""

    seed: int
    kind: str
    strikes: tuple[Strike, ...]
    purchases_at_s: tuple[float, ...]
    gateways: int
    wallet_shards: int
    gifts_per_s: float
    load_s: float
    outage_s: float

    @property
    def greedy(self) -> bool:
        return self.kind == TWO_WORKERS

    @property
    def shifts_clock(self) -> bool:
        return any(strike.fault == "set_clock_back" for strike in self.strikes)

    def line(self) -> str:
        """The schedule, for people."""
        strikes = ", ".join(f"{strike.fault} at {strike.at_s:.1f} s" for strike in self.strikes)
        return f"{self.kind}: {strikes or 'nothing else'}"


def draw_plan(seed: int, *, kind: str | None = None, short: bool = False) -> Plan:
    """The plan of a seed. kind: another than the seed's own; short: an outage of seconds, and fewer strikes."""
    rng = Random(seed)
    kind = kind or KINDS[seed % len(KINDS)]
    outage_s = 6.0 if short else 60.0
    times = 1 if kind == "stop_postgres" else rng.randint(1, 2 if short else 3)
    faults = [kind] * times if kind != TWO_WORKERS else ["kill_worker"] * times
    if rng.random() < COMPANION_SHARE:
        faults.append(rng.choice([name for name in FAULTS if name not in LOSING and name != "set_clock_back"]))
        # Two minutes without Postgres tell no more than one.
        if faults.count("stop_postgres") > 1:
            faults.pop()
    strikes: list[Strike] = []
    at_s, over_s = rng.uniform(1.0, 3.0), 0.0
    for fault in faults:
        strikes.append(Strike(round(at_s, 2), fault))
        over_s = max(over_s, at_s + _lasts_s(fault, outage_s))
        at_s += rng.uniform(0.3, 3.0 if short else 5.0)
    load_s = over_s + (1.0 if short else AFTER_S)
    return Plan(
        seed=seed,
        kind=kind,
        strikes=tuple(strikes),
        purchases_at_s=tuple(sorted(rng.uniform(0.5, load_s) for _ in range(PURCHASES))),
        gateways=rng.randint(2, 3),
        wallet_shards=rng.choice((1, 4, 8, 16)),
        gifts_per_s=rng.uniform(60, 200),
        load_s=load_s,
        outage_s=outage_s,
    )


def _lasts_s(fault: str, outage_s: float) -> float:
    if fault == "stop_postgres":
        return outage_s
    return FREEZE_S if fault.startswith("freeze_") else STRIKE_S
