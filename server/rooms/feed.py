"""What one room sends to its members in this gateway: the last frames, and how far each member has got.

No I/O here: the hub feeds it and writes what it gives out. A frame is known by `n`, the running number in its position
`<incarnation>-<n>`. Within an incarnation frames go on without a gap, unless the hub was told that a gap holds none.
"""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

RING_FRAMES_MAX = 200
RING_BYTES_MAX = 1 << 20
"""Frames kept at hand for members that are behind or come back; older ones are in the room's log."""

WAITING_FRAMES_MAX = 1_000
"""Frames kept while a gap before them is being filled; past it they are dropped, and filled from the log as well."""

FRESH = -1
"""The place of a member that needs a new `joined` frame before anything else."""

Encode = Callable[[bytes], bytes]
"""Makes a socket's text frame of a payload."""


class Member(Protocol):
    """A socket in a room. Members are told apart by identity."""

    @property
    def transport(self) -> asyncio.Transport: ...

    @property
    def unsent(self) -> int:
        """Bytes that were waiting in the send buffer after the last write."""

    def write(self, data: bytes) -> bool:
        """Writes finished socket frames; False when the connection is gone."""

    def cut_off(self, code: int, reason: str) -> None:
        """Closes the socket at once."""


class Position(NamedTuple):
    """A room's position; ordered within an incarnation."""

    incarnation: str
    n: int

    def __str__(self) -> str:
        return f"{self.incarnation}-{self.n}"

    @classmethod
    def parse(cls, text: str) -> "Position | None":
        """Reads `<incarnation>-<n>`; None for anything else, as clients may send what they like."""
        incarnation, dash, n = text.partition("-")
        if len(text) > 40 or not (
            dash and incarnation.isascii() and incarnation.isdigit() and n.isascii() and n.isdigit()
        ):
            return None
        return cls(incarnation, int(n))


class Frame(NamedTuple):
    """One finished socket frame of a room."""

    n: int
    kind: bytes
    data: bytes


class Snapshot(NamedTuple):
    """A room at one position, as `joined` shows it."""

    position: Position
    fields: bytes
    taken_at_s: float

    def joined(self, room_id: str, *, recovered: bool) -> bytes:
        """The `joined` frame's payload."""
        return b'{"type":"joined","room":"%b","position":"%b","recovered":%b,%b}' % (
            room_id.encode(),
            str(self.position).encode(),
            b"true" if recovered else b"false",
            self.fields,
        )


def take(frames: Iterable[Frame], place: int, bytes_max: int) -> tuple[bytes, int]:
    """The first of the frames as one piece of at most bytes_max (one frame may be more), and the place behind it."""
    pieces: list[bytes] = []
    for frame in frames:
        bytes_max -= len(frame.data)
        if pieces and bytes_max < 0:
            break
        pieces.append(frame.data)
        place = frame.n
    return b"".join(pieces), place


class Feed:
    """One room. `floor`: all frames after it, up to `head`, are in the ring."""

    def __init__(self, room_id: str) -> None:
        self.room_id = room_id
        self.members: dict[Member, int] = {}
        self.incarnation: str | None = None
        self.head = 0
        self.floor = 0
        self.state: str | None = None
        self.broken = False
        """There is a gap after `head`, or there may be one: to be filled from the room's log."""
        self.generation = 0
        """Counts fresh starts; a pass over the members that began in another generation ends."""
        self.fresh: Frame | None = None
        """The `joined` frame for members whose place is FRESH."""
        self._ring: deque[Frame] = deque()
        self._ring_bytes = 0
        self._waiting: list[tuple[Position, Frame]] = []

    @property
    def position(self) -> Position | None:
        """Of the newest frame in the ring; None before the first snapshot."""
        return None if self.incarnation is None else Position(self.incarnation, self.head)

    def start(self, snapshot: Snapshot, state: str, fresh: bytes) -> None:
        """Begins at a snapshot; members that were further along in another incarnation begin anew with `fresh`."""
        self.generation += 1
        self.incarnation, self.head = snapshot.position
        self.floor = self.head
        self.state = state
        self.fresh = Frame(self.head, b"j", fresh)
        self._ring.clear()
        self._ring_bytes = 0
        self.members = dict.fromkeys(self.members, FRESH)
        self.broken = False
        self._take_waiting()

    def receive(self, position: Position, kind: bytes, data: bytes) -> None:
        """A frame as it was published. Sets `broken` when one before it is missing."""
        if kind == b"e":
            self.state = "ended"
        frame = Frame(position.n, kind, data)
        if self.broken or self.incarnation is None:
            self._wait(position, frame)
        elif position.incarnation != self.incarnation:
            # Incarnations are times: an older one is a straggler, a newer one a room that was loaded again.
            if int(position.incarnation) > int(self.incarnation):
                self.broken = True
                self._wait(position, frame)
        elif position.n == self.head + 1:
            self._append(frame)
        elif position.n > self.head:
            self.broken = True
            self._wait(position, frame)

    def fill(self, after: Position, frames: Iterable[Frame]) -> None:
        """The room's log gave all frames after a position: closes the gap, or reaches further back."""
        if after.incarnation != self.incarnation:
            return
        frames = list(frames)
        if after.n < self.floor and frames and frames[-1].n >= self.floor:
            self._reach_back(after.n, [frame for frame in frames if frame.n <= self.floor])
        if after.n <= self.head:
            for frame in frames:
                if frame.n > self.head:
                    self._append(frame)
            self.broken = False
            self._take_waiting()

    def holds(self, n: int) -> bool:
        """Whether the ring can say that a frame `n` was sent, and give all that followed it."""
        return n in {self.head, self.floor} or any(frame.n == n for frame in self._ring)

    def after(self, n: int, up_to: int, bytes_max: int) -> tuple[bytes, int] | None:
        """The next frames in (n, up_to] as one piece, and how far it reaches: at least one, of bytes_max at most.

        None when some of them are no longer in the ring.
        """
        if n == FRESH and self.fresh is not None and self.fresh.n >= self.floor:
            return take([self.fresh, *self._between(self.fresh.n, up_to)], self.fresh.n, bytes_max)
        return None if n < self.floor else take(self._between(n, up_to), n, bytes_max)

    def _between(self, n: int, up_to: int) -> list[Frame]:
        newer = list(itertools.takewhile(lambda frame: frame.n > n, reversed(self._ring)))
        return [frame for frame in reversed(newer) if frame.n <= up_to]

    def _append(self, frame: Frame) -> None:
        if frame.kind == b"e":
            self.state = "ended"
        self.head = frame.n
        self._ring.append(frame)
        self._ring_bytes += len(frame.data)
        while len(self._ring) > RING_FRAMES_MAX or self._ring_bytes > RING_BYTES_MAX:
            oldest = self._ring.popleft()
            self._ring_bytes -= len(oldest.data)
            self.floor = oldest.n

    def _reach_back(self, floor: int, frames: list[Frame]) -> None:
        """Puts older frames before the ring, if all of them fit."""
        size = sum(len(frame.data) for frame in frames)
        if len(self._ring) + len(frames) <= RING_FRAMES_MAX and self._ring_bytes + size <= RING_BYTES_MAX:
            self._ring.extendleft(reversed(frames))
            self._ring_bytes += size
            self.floor = floor

    def _wait(self, position: Position, frame: Frame) -> None:
        if len(self._waiting) >= WAITING_FRAMES_MAX:
            self._waiting.clear()
        self._waiting.append((position, frame))

    def _take_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for position, frame in waiting:
            self.receive(position, frame.kind, frame.data)
