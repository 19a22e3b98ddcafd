"""`/healthz` and `/metrics` of a worker, on a port of their own where one is set."""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from server.metrics_access import may_read_metrics
from server.settings import Settings
from server.start_error import StartError


async def serve_status(settings: Settings, stop: asyncio.Event) -> None:
    """Serves until `stop`; returns at once where no port is set. Raises StartError when the port cannot be had."""
    if settings.worker_port == 0:
        return
    app = web.Application()
    app.router.add_get("/healthz", _healthz)
    if settings.metrics:
        app.router.add_get("/metrics", _metrics(settings))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, settings.host, settings.worker_port).start()
        except OSError as error:
            raise StartError(f"GIFTSTREAM_WORKER_PORT: {error.strerror}") from error
        await stop.wait()
    finally:
        await runner.cleanup()


async def _healthz(_: web.Request) -> web.Response:
    return web.json_response({"ok": True}, headers={"Cache-Control": "no-store"})


def _metrics(settings: Settings) -> Handler:
    async def metrics(request: web.Request) -> web.Response:
        if not may_read_metrics(settings, request):
            raise web.HTTPUnauthorized
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return metrics
