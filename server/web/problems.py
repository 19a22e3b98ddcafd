"""Errors over HTTP: RFC 9457 problems, made in one place from the codes of `server/domain/errors.py`."""

import secrets
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web
from msgspec import UNSET
from msgspec.json import Encoder

from server.domain.controls import Restraint, moment
from server.domain.errors import RULES, Code, Refusal
from server.stores.failures import STORE_AWAY
from server.web.http import rfc3339
from server.web.shapes import Problem

log = structlog.get_logger()

CONTENT_TYPE = "application/problem+json"
RETRY_DEFAULT_MS = 1000
"""When to come back after a store was away."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_encode = Encoder().encode
_CODE_OF_STATUS = {401: Code.UNAUTHORIZED, 403: Code.FORBIDDEN, 404: Code.NOT_FOUND, 429: Code.RATE_LIMITED}
_DETAIL_OF_STATUS = {
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    413: "The request is too large.",
    415: "The body must be application/json.",
}


def problem(
    code: Code,
    detail: str | None = None,
    *,
    status: int | None = None,
    retry_ms: int | None = None,
    restraint: Restraint | None = None,
    headers: dict[str, str] | None = None,
) -> web.Response:
    """A problem response. status: the code's own, unless HTTP has a closer one."""
    rule = RULES[code]
    body = Problem(
        type=f"urn:giftstream:problem:{code}",
        title=rule.message,
        status=status or rule.status,
        detail=detail or rule.message,
        code=code,
        retry_ms=UNSET if retry_ms is None else retry_ms,
        limit=UNSET if restraint is None or restraint.limit is None else restraint.limit,
        until=UNSET if restraint is None else rfc3339(moment(restraint.until_us)),
    )
    headers = dict(headers or {})
    if retry_ms is not None:
        headers["Retry-After"] = str(-(-retry_ms // 1000))
    if body.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return web.Response(body=_encode(body), status=body.status, content_type=CONTENT_TYPE, headers=headers)


def refused(refusal: Refusal) -> web.Response:
    """The problem that a refusal is."""
    return problem(refusal.code, refusal.message, retry_ms=refusal.retry_ms, restraint=refusal.restraint)


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns whatever goes wrong in a handler into a problem; no traceback gets out, none is lost."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return refused(refusal)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        code = _CODE_OF_STATUS.get(error.status, Code.BAD_REQUEST)
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
        return problem(code, _DETAIL_OF_STATUS.get(error.status), status=error.status, headers=headers)
    except STORE_AWAY as error:
        log.warning("a store could not be reached", path=_pattern(request), error=f"{type(error).__name__}: {error}")
        return problem(Code.UNAVAILABLE, retry_ms=RETRY_DEFAULT_MS)
    except Exception:
        incident = secrets.token_hex(8)
        log.exception("a request failed", incident=incident, method=request.method, path=_pattern(request))
        return problem(Code.UNAVAILABLE, f"Something failed here; it was logged as {incident}.", status=500)


def _pattern(request: web.Request) -> str:
    """The route, not the address: addresses may hold what does not belong into a log."""
    resource = request.match_info.route.resource
    return "?" if resource is None else resource.canonical
