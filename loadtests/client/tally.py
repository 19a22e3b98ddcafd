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
    the end of the phase, of members members. pieces_*: gifts, counted as often as their `count` says: acknowledged
    by room, and seen at least and at most by a member of the room. lag: how late the client itself was in sending.
    """

    seconds: float = 0.0
    sent: int = 0
    acked: int = 0
    unanswered: int = 0
    strangers: int = 0
    lost_connections: int = 0
    nacks: Counter[str] = field(default_factory=Counter)
    ack: Histogram = field(default_factory=Histogram)
    probe_ack: Histogram = field(default_factory=Histogram)
    delivery: Histogram = field(default_factory=Histogram)
    lag: Histogram = field(default_factory=Histogram)
    members: int = 0
    frames: int = 0
    frame_bytes: int = 0
    frames_most: int = 0
    bytes_most: int = 0
    pieces_acked: Counter[str] = field(default_factory=Counter)
    pieces_seen_least: dict[str, int] = field(default_factory=dict)
    pieces_seen_most: dict[str, int] = field(default_factory=dict)
    cpu_s: float = 0.0
    cpu_s_most: float = 0.0

    def add(self, other: Tally) -> None:
        """Add the counts of another process."""
        self.seconds = max(self.seconds, other.seconds)
        for name in ("sent", "acked", "unanswered", "strangers", "lost_connections", "members", "frames", "frame_bytes"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.nacks.update(other.nacks)
        self.pieces_acked.update(other.pieces_acked)
        for name in ("ack", "probe_ack", "delivery", "lag"):
            getattr(self, name).add(getattr(other, name))
        self.frames_most = max(self.frames_most, other.frames_most)
        self.bytes_most = max(self.bytes_most, other.bytes_most)
        for room, seen in other.pieces_seen_least.items():
            self.pieces_seen_least[room] = min(seen, self.pieces_seen_least.get(room, seen))
        for room, seen in other.pieces_seen_most.items():
            self.pieces_seen_most[room] = max(seen, self.pieces_seen_most.get(room, seen))
        self.cpu_s += other.cpu_s
        self.cpu_s_most = max(self.cpu_s_most, other.cpu_s)

    def rooms_seen_wrong(self) -> list[str]:
        """Rooms where some member saw another number of gifts than were acknowledged."""
        return [
            room
            for room, least in self.pieces_seen_least.items()
            if not least == self.pieces_seen_most[room] == self.pieces_acked[room]
        ]

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
        tally.nacks, tally.pieces_acked = Counter(held["nacks"]), Counter(held["pieces_acked"])
        return tally
