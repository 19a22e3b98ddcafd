"""The gateway's web application: every address it answers, and what happens around each answer."""

import re

from aiohttp import web

from server.web import http_demo, http_moderation, http_rooms
from server.web.documents import add_documents
from server.web.economy import http_follows, http_payouts, http_statements, http_step_up
from server.web.health import healthz, readyz
from server.web.metrics import counting, metrics
from server.web.pages import add_pages
from server.web.problems import problems
from server.web.request_logs import keep_requests_out
from server.web.route import API_ROOT, Handler
from server.web.routes import ROUTES
from server.web.security import add_headers, preflights
from server.web.services import SERVICES, Services
from server.web.socket import socket

BODY_BYTES_MAX = 16_384


def build_app(services: Services) -> web.Application:
    """The application; the services must be running before it serves."""
    keep_requests_out()
    app = web.Application(middlewares=[_hear, counting, problems, preflights], client_max_size=BODY_BYTES_MAX)
    app[SERVICES] = services
    http_demo.set_up(app, services)
    http_rooms.set_up(app)
    http_moderation.set_up(app)
    http_follows.set_up(app)
    http_payouts.set_up(app, services)
    http_statements.set_up(app)
    http_step_up.set_up(app, services)
    app.on_response_prepare.append(add_headers)
    for route in ROUTES:
        # Any id reaches its handler: whether it can be one is the handler's business, and has its own code.
        app.router.add_route(route.method, API_ROOT + re.sub(r"{(\w+)}", r"{\1:[^/]+}", route.path), route.handler)
    add_documents(app)
    app.router.add_get("/ws", socket)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
    add_pages(app, sandbox=services.cashier.providers.sandbox is not None, admin=services.settings.admin)
    return app


@web.middleware
async def _hear(request: web.Request, handler: Handler) -> web.StreamResponse:
    request.app[SERVICES].silence.heard(request)
    return await handler(request)
