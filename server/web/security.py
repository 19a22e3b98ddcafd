"""Headers that keep pages and answers to themselves, and who else may read the API (CORS).

There are no cookies: a request is authorized by its bearer token alone, so another site cannot make one for a visitor.
"""

import re

from aiohttp import hdrs, web

from server.web.origins import allowed_elsewhere
from server.web.problems import Handler
from server.web.route import API_ROOT
from server.web.services import SERVICES

_HOST = re.compile(r"[A-Za-z0-9.:\[\]_-]{1,255}", re.ASCII)

PREFLIGHT_AGE_S = 600

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def content_security_policy(host: str) -> str:
    """What pages may load. The socket's own address is named, as not every browser counts it to 'self'."""
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    return (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src 'self'{sockets}; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    )


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal `on_response_prepare`: every response gets them, errors too."""
    headers = response.headers
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("Content-Security-Policy", content_security_policy(request.host))
    headers.popall(hdrs.SERVER, None)
    if request.path.startswith(API_ROOT):
        _allow_origin(request, response)


@web.middleware
async def preflights(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers the questions that browsers ask before they let another origin's page call the API."""
    asks = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
    if not (asks and request.path.startswith(API_ROOT)):
        return await handler(request)
    headers = {
        "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
        "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key",
        "Access-Control-Max-Age": str(PREFLIGHT_AGE_S),
    }
    return web.Response(status=204, headers=headers)


def _allow_origin(request: web.Request, response: web.StreamResponse) -> None:
    settings = request.app[SERVICES].settings
    response.headers.add("Vary", "Origin")
    origin = request.headers.get("Origin", "")
    if origin and allowed_elsewhere(settings, origin):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "Retry-After"
