"""Which pages may talk to us: our own, and those of the allowed origins."""

from urllib.parse import urlsplit

from aiohttp import web

from server.settings import Settings


def allowed_elsewhere(settings: Settings, origin: str) -> bool:
    """Whether a page of another host may read our answers."""
    return "*" in settings.allowed_origins or origin in settings.allowed_origins


def may_connect(settings: Settings, request: web.Request) -> bool:
    """Whether this WebSocket may be opened. A client that is no browser sends no origin, and may."""
    origins = request.headers.getall("Origin", [])
    if not origins:
        return True
    if len(origins) > 1:
        return False
    return _own(origins[0], request.host) or allowed_elsewhere(settings, origins[0])


def _own(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and parts.netloc.lower() == host.lower()
