"""What a load process counts in one phase, and how the counts of several processes become one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from loadtests.client.histogram import Histogram


@dataclass(slots=True)
class Tally:
    """Counts of one phase. Times are microseconds, from the intended send time when the phase is open-loop.

    ack: gift → gift_ack. delivery: probe gift → each socket of its room. frames, frame_bytes: deltas that arrived until
    the end of the phase, of members members. pieces_acked: gifts acknowledged, by room, counted as often as their
    `count` says; rooms_seen_wrong: where a member saw another number of them. lag: how late the client was in sending.
    nacks: gifts refused for good, by code; asked_again: refusals after which the same gift was sent once more.
    started_at_s: on the monotonic clock; seconds: the phase's length, as it was.
    """

    started_at_s: float = 0.0
    seconds: float = 0.0
    sent: int = 0
    acked: int = 0
    unanswered: int = 0
    strangers: int = 0
    lost_connections: int = 0
    nacks: Counter[str] = field(default_factory=Counter)
    asked_again: Counter[str] = field(default_factory=Counter)
    ack: Histogram = field(default_factory=Histogram)
    probe_ack: Histogram = field(default_factory=Histogram)
    delivery: Histogram = field(default_factory=Histogram)
    lag: Histogram = field(default_factory=Histogram)
    members: int = 0
    frames: int = 0
    frame_bytes: int = 0
    pieces_acked: Counter[str] = field(default_factory=Counter)
    rooms_seen_wrong: list[str] = field(default_factory=list)
    cpu_s: float = 0.0

    def add(self, other: Tally) -> None:
        """Add the counts of another process."""
        self.started_at_s = other.started_at_s
        self.seconds = max(self.seconds, other.seconds)
        for name in (
            "sent",
            "acked",
            "unanswered",
            "strangers",
            "lost_connections",
            "members",
            "frames",
            "frame_bytes",
        ):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.nacks.update(other.nacks)
        self.asked_again.update(other.asked_again)
        self.pieces_acked.update(other.pieces_acked)
        for name in ("ack", "probe_ack", "delivery", "lag"):
            getattr(self, name).add(getattr(other, name))
        self.cpu_s += other.cpu_s

    def as_dict(self) -> dict[str, Any]:
        """What `from_dict` reads back, fit for JSON."""
        return {
            name: value.as_dict() if isinstance(value, Histogram) else value
            for name, value in ((name, getattr(self, name)) for name in self.__slots__)
        }

    @classmethod
    def from_dict(cls, held: dict[str, Any]) -> Tally:
        tally = cls(**held)
        for name in ("ack", "probe_ack", "delivery", "lag"):
            setattr(tally, name, Histogram.from_dict(held[name]))
        for name in ("nacks", "asked_again", "pieces_acked"):
            setattr(tally, name, Counter(held[name]))
        return tally
