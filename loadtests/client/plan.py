"""What a load process is told: who connects where, and what one phase of load is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["viewer", "gifter", "probe"]

PROBES_MAX = 9_999
"""A probe carries its number as its `count`, and this is the largest that the interface takes."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One connection: a user with a token in a room. A probe is a gifter whose gifts are timed at every screen."""

    user: str
    token: str
    room: str
    role: Role


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect. connecting_max: connections that one process opens at the same time."""

    host: str
    port: int
    path: str = "/ws"
    connecting_max: int = 32


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch of load, told to all processes.

    starts_at_s: on the monotonic clock, which all processes of a machine share.
    rate: gifts a second of all gifters together, each at its intended time whatever the answers do (open loop); or
    window: gifts that each gifter keeps unanswered (closed loop, to find what is possible at most).
    probe_rate: probe gifts a second of each probe; the n-th is meant for starts_at_s + n / probe_rate.
    label: 4 characters that no other phase on the same server uses.
    gift: what is sent; of a kind that costs little. answers_grace_s: how long answers are waited for after the end.
    """

    duration_s: float
    label: str = "0000"
    starts_at_s: float = 0.0
    rate: float = 0.0
    window: int = 0
    probe_rate: float = 0.0
    gift: str = "rose"
    probe_gift: str = "galaxy"
    answers_grace_s: float = 5.0

    def probe_at_s(self, number: int) -> float:
        """When a probe was meant to be sent."""
        return self.starts_at_s + number / self.probe_rate

    @property
    def ends_at_s(self) -> float:
        return self.starts_at_s + self.duration_s
