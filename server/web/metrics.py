"""`/metrics`: what this gateway process counts. Several processes share a port, so each sample names its process."""

from collections.abc import Iterable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from server.domain.errors import Code, Refusal
from server.web.http import services_of
from server.web.services import Services

GIFTS = Counter("giftstream_gifts", "Gifts answered, by result: accepted, or the code of the refusal.", ["result"])
GIFT_SECONDS = Histogram(
    "giftstream_gift_seconds",
    "From a gift's frame to its answer.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0),
)
CLOSED = Counter("giftstream_sockets_closed", "Sockets closed by this server, by close code.", ["code"])
BAD_FRAMES = Counter("giftstream_bad_frames", "Frames that could not be read.")
REQUESTS = Counter(
    "giftstream_http_requests", "HTTP requests answered, by method, route and status.", ["method", "route", "status"]
)


class _Named(Collector):
    """Everything the process counts, each sample labelled with the process."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterable[Metric]:
        process = {"process": self._services.gateway_id}
        for metric in (*REGISTRY.collect(), *self._gauges()):
            metric.samples = [
                Sample(sample.name, {**sample.labels, **process}, sample.value, sample.timestamp, sample.exemplar)
                for sample in metric.samples
            ]
            yield metric

    def _gauges(self) -> Iterable[Metric]:
        yield GaugeMetricFamily("giftstream_sockets", "Open sockets.", len(self._services.sessions))
        yield GaugeMetricFamily("giftstream_members", "Members of rooms.", self._services.hub.members())


async def metrics(request: web.Request) -> web.Response:
    """The exposition format of Prometheus; asks for the metrics token where one is set."""
    services = services_of(request)
    if not services.settings.metrics:
        raise Refusal(Code.NOT_FOUND)
    wanted = services.settings.metrics_token
    if wanted and request.headers.get("Authorization") != f"Bearer {wanted}":
        raise Refusal(Code.UNAUTHORIZED)
    body = generate_latest(_Named(services))
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})
