"""Who may read /metrics of a gateway or a worker: whoever has its token; without one, only callers on this machine."""

import hmac
from ipaddress import ip_address

from aiohttp import web

from server.settings import Settings

_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")
"""Any of these says that a proxy on this machine asks for somebody else."""


def may_read_metrics(settings: Settings, request: web.BaseRequest) -> bool:
    """Whether this request may have the metrics."""
    if not settings.metrics_token:
        return _from_here(request)
    given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
    return hmac.compare_digest(given, f"Bearer {settings.metrics_token}".encode())


def _from_here(request: web.BaseRequest) -> bool:
    if any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ip_address(request.remote or "").is_loopback
    except ValueError:
        return False
