"""What one gateway counts; plain numbers, as counting stands on the path of every gift."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable

from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric

ACCEPTED = "accepted"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Upper bounds of the buckets that gifts are counted in by how long their answer took."""


class Counts:
    """gifts: by result. closed: by close code. requests: by (method, route, status)."""

    def __init__(self) -> None:
        self.gifts: Counter[str] = Counter()
        self.closed: Counter[int] = Counter()
        self.requests: Counter[tuple[str, str, int]] = Counter()
        self.bad_frames = 0
        self._slower = [0] * (len(SECONDS) + 1)
        self._seconds = 0.0

    def gift(self, result: str, seconds: float) -> None:
        """A gift was answered, so long after it was asked for."""
        self.gifts[result] += 1
        self._slower[bisect_left(SECONDS, seconds)] += 1
        self._seconds += seconds

    def collect(self) -> Iterable[Metric]:
        """As Prometheus wants it."""
        gifts = CounterMetricFamily(
            "giftstream_gifts", "Gifts answered: accepted, or the code of the refusal.", labels=["result"]
        )
        for result, count in self.gifts.items():
            gifts.add_metric([result], count)
        yield gifts
        answers = HistogramMetricFamily("giftstream_gift_seconds", "From a gift's frame to its answer.")
        answers.add_metric([], self._buckets(), self._seconds)
        yield answers
        closed = CounterMetricFamily("giftstream_sockets_closed", "Sockets this server closed.", labels=["code"])
        for code, count in self.closed.items():
            closed.add_metric([str(code)], count)
        yield closed
        yield CounterMetricFamily("giftstream_bad_frames", "Frames that could not be read.", self.bad_frames)
        requests = CounterMetricFamily(
            "giftstream_http_requests", "HTTP requests answered.", labels=["method", "route", "status"]
        )
        for (method, route, status), count in self.requests.items():
            requests.add_metric([method, route, str(status)], count)
        yield requests

    def _buckets(self) -> list[tuple[str, float]]:
        buckets: list[tuple[str, float]] = []
        total = 0
        for bound, count in zip((*map(str, SECONDS), "+Inf"), self._slower, strict=True):
            total += count
            buckets.append((bound, float(total)))
        return buckets
