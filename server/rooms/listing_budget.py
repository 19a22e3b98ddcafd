"""How many gifts a delta lists: what all members of a room download together is bounded by bytes, not by gifts.

A room in which little happens, or much for a moment, lists up to ENTRIES_MAX entries. In a room where thousands give
for long, deltas list the most valuable ones within a budget of bytes a second, and count the others in `more`.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable

BYTES_AT_ONCE = 16_384
"""What a room that was quiet may list at once: a delta full of entries with long names."""

ROOMS_MAX = 20_000
"""Rooms whose spending is remembered, the longest untouched dropped first: it may then spend all at once again."""


class ListingBudget:
    """A token bucket for each room, in bytes of encoded entries. clock: seconds that never go back."""

    def __init__(self, bytes_per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._bytes_per_second = bytes_per_second
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """Room → bytes left, and when."""

    def cut(self, room: str, entries: Iterable[bytes]) -> list[bytes]:
        """The first of the entries, as many as the room can afford now; one at least."""
        now_s = self._clock()
        left, since_s = self._left.get(room, (BYTES_AT_ONCE, now_s))
        left = min(BYTES_AT_ONCE, left + (now_s - since_s) * self._bytes_per_second)
        listed: list[bytes] = []
        for entry in entries:
            if listed and len(entry) > left:
                break
            left -= len(entry)
            listed.append(entry)
        self._left[room] = left, now_s
        self._left.move_to_end(room)
        if len(self._left) > ROOMS_MAX:
            self._left.popitem(last=False)
        return listed
