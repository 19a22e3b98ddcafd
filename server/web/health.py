"""`/healthz`: the process runs. `/readyz`: everything that a gift needs answers."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from aiohttp import web
from msgspec.json import encode

from server.stores import keys
from server.stores.redis import functions_loaded
from server.web.http import services_of
from server.web.services import Services

CHECK_TIMEOUT_S = 2.0

Check = Callable[[Services], Awaitable[bool]]


async def healthz(_: web.Request) -> web.Response:
    """200 as long as the process runs."""
    return web.json_response({"ok": True}, headers={"Cache-Control": "no-store"})


async def readyz(request: web.Request) -> web.Response:
    """200, or 503 with `checks` saying which part is not there."""
    services = services_of(request)
    states = await asyncio.gather(*(_state(check, services) for check in _CHECKS.values()))
    checks = dict(zip(_CHECKS, states, strict=True))
    ready = all(state == "ok" for state in states)
    body = encode({"ok": ready, "process": services.gateway_id, "checks": checks})
    headers = {"Cache-Control": "no-store"}
    return web.Response(body=body, status=200 if ready else 503, content_type="application/json", headers=headers)


async def _state(check: Check, services: Services) -> str:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            return "ok" if await check(services) else "not ready"
    except TimeoutError:
        return f"no answer within {CHECK_TIMEOUT_S:.0f} s"
    except Exception as error:  # noqa: BLE001 - whatever it is, this part does not work
        return type(error).__name__


async def _redis(services: Services) -> bool:
    return bool(await services.redis.ping())


async def _functions(services: Services) -> bool:
    return await functions_loaded(services.redis)


async def _postgres(services: Services) -> bool:
    return bool(await services.pool.fetchval("SELECT 1"))


async def _worker(services: Services) -> bool:
    return bool(await services.redis.zcount(keys.WORKERS, time.time(), "+inf"))


async def _hearing(services: Services) -> bool:
    return services.hub.healthy()


async def _accepting(services: Services) -> bool:
    return not services.draining.is_set()


_CHECKS: dict[str, Check] = {
    "redis": _redis,
    "functions": _functions,
    "postgres": _postgres,
    "worker": _worker,
    "rooms": _hearing,
    "accepting": _accepting,
}
