"""Token buckets: so many a second, and so many at once."""

from collections import OrderedDict
from collections.abc import Hashable


class TokenBucket:
    """One bucket; starts full. Times are of a clock that never goes back, in seconds."""

    __slots__ = ("_burst", "_left", "_per_second", "_then_s")

    def __init__(self, per_second: float, burst: float, now_s: float) -> None:
        self._per_second = per_second
        self._burst = burst
        self._left = burst
        self._then_s = now_s

    def take(self, now_s: float, wanted: float = 1) -> bool:
        """Takes what is wanted, or nothing and says False."""
        self._fill(now_s)
        if self._left < wanted:
            return False
        self._left -= wanted
        return True

    def take_up_to(self, now_s: float, wanted: int) -> int:
        """Takes as much of what is wanted as there is."""
        self._fill(now_s)
        taken = min(wanted, int(self._left))
        self._left -= taken
        return taken

    def retry_ms(self, wanted: float = 1) -> int:
        """When what is wanted will be there, counted from the last look."""
        return max(1, round(1000 * (wanted - self._left) / self._per_second))

    def _fill(self, now_s: float) -> None:
        self._left = min(self._burst, self._left + (now_s - self._then_s) * self._per_second)
        self._then_s = now_s


class BucketTable:
    """A bucket for each of many, such as client addresses; the least lately used ones are forgotten."""

    def __init__(self, per_second: float, burst: float, *, size_max: int) -> None:
        self._per_second = per_second
        self._burst = burst
        self._size_max = size_max
        self._buckets: OrderedDict[Hashable, TokenBucket] = OrderedDict()

    def get(self, key: Hashable, now_s: float) -> TokenBucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(self._per_second, self._burst, now_s)
            if len(self._buckets) > self._size_max:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(key)
        return bucket
