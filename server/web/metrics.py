"""`/metrics`: what this gateway process counts. Several processes share a port, so each sample names its process."""

from collections.abc import Iterable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from server.domain.errors import Code, Refusal
from server.metrics_access import may_read_metrics
from server.web.http import services_of
from server.web.problems import Handler
from server.web.services import SERVICES, Services

CLOSED = "Without GIFTSTREAM_METRICS_TOKEN only callers on the server's own machine may read this."


class _Named(Collector):
    """Everything the process counts, each sample labelled with the process."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterable[Metric]:
        process = {"process": self._services.gateway_id}
        for metric in (*REGISTRY.collect(), *self._services.counts.collect(), *self._gauges()):
            metric.samples = [
                Sample(sample.name, {**sample.labels, **process}, sample.value, sample.timestamp, sample.exemplar)
                for sample in metric.samples
            ]
            yield metric

    def _gauges(self) -> Iterable[Metric]:
        yield GaugeMetricFamily("giftstream_sockets", "Open sockets.", len(self._services.sessions))
        yield GaugeMetricFamily("giftstream_members", "Members of rooms.", self._services.hub.members())


async def metrics(request: web.Request) -> web.Response:
    """The exposition format of Prometheus, for those who may read it."""
    services = services_of(request)
    if not services.settings.metrics:
        raise Refusal(Code.NOT_FOUND)
    if not may_read_metrics(services.settings, request):
        raise Refusal(Code.UNAUTHORIZED, None if services.settings.metrics_token else CLOSED)
    body = generate_latest(_Named(services))
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


@web.middleware
async def counting(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Counts every answer, by route: addresses are without number."""
    response = await handler(request)
    resource = request.match_info.route.resource
    route = "unknown" if resource is None else resource.canonical
    request.app[SERVICES].counts.requests[request.method, route, response.status] += 1
    return response
