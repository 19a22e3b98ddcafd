"""Latencies in a bounded number of buckets, exact to less than one percent."""

from __future__ import annotations

from collections.abc import Mapping

SUB_BUCKET_BITS = 7
EXACT_BELOW = 1 << (SUB_BUCKET_BITS + 1)
VALUE_MAX = (1 << 36) - 1
"""About nineteen hours in microseconds; longer counts as this long."""


class Histogram:
    """Counts of whole numbers from 0 to VALUE_MAX; a bucket is at most 1/128 of its value wide."""

    __slots__ = ("_counts", "count", "greatest")

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self.count = 0
        self.greatest = 0

    def record(self, value: int, times: int = 1) -> None:
        """Count a value; a negative one counts as 0."""
        value = min(max(value, 0), VALUE_MAX)
        bucket = _bucket(value)
        counts = self._counts
        counts[bucket] = counts.get(bucket, 0) + times
        self.count += times
        self.greatest = max(self.greatest, value)

    def add(self, other: Histogram) -> None:
        """Add all that another one counted."""
        for bucket, times in other._counts.items():
            self._counts[bucket] = self._counts.get(bucket, 0) + times
        self.count += other.count
        self.greatest = max(self.greatest, other.greatest)

    def percentile(self, percent: float) -> int:
        """The smallest value that at least this share of all values does not exceed; 0 when nothing was counted."""
        wanted = self.count * percent / 100
        seen = 0
        for bucket in sorted(self._counts):
            seen += self._counts[bucket]
            if seen >= wanted:
                return min(_top_of(bucket), self.greatest)
        return self.greatest

    def as_dict(self) -> dict[str, object]:
        """What `from_dict` reads back, fit for JSON."""
        return {
            "greatest": self.greatest,
            "counts": {str(bucket): times for bucket, times in self._counts.items()},
        }

    @classmethod
    def from_dict(cls, held: Mapping[str, object]) -> Histogram:
        made = cls()
        counts = held["counts"]
        assert isinstance(counts, Mapping)
        made._counts = {int(bucket): int(times) for bucket, times in counts.items()}
        made.count = sum(made._counts.values())
        made.greatest = int(held["greatest"])  # type: ignore[call-overload]
        return made


def _bucket(value: int) -> int:
    if value < EXACT_BELOW:
        return value
    shift = value.bit_length() - SUB_BUCKET_BITS - 1
    return (shift << SUB_BUCKET_BITS) + (value >> shift)


def _top_of(bucket: int) -> int:
    """The largest value of a bucket."""
    if bucket < EXACT_BELOW:
        return bucket
    shift = (bucket >> SUB_BUCKET_BITS) - 1
    return ((bucket - (shift << SUB_BUCKET_BITS) + 1) << shift) - 1
