"""Carries the pretend provider's webhooks to where they belong: over HTTP, signed, and again when nobody took them."""

import asyncio
import contextlib

import aiohttp
import structlog

from server.economy.recharge.providers.sandbox.sandbox import Sandbox
from server.economy.recharge.providers.sandbox.signing import HEADER, sign
from server.ledger.recharge import sandbox as books
from server.ledger.recharge.sandbox import Delivery
from server.stores.failures import POSTGRES_AWAY

log = structlog.get_logger()

LOOK_EVERY_S = 0.5
AT_ONCE_MAX = 20
TIMEOUT_S = 10.0
RETRY_S = 2.0
TRIES_MAX = 8


class Courier:
    """The courier of one gateway; several share the work."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._pool = sandbox.pool

    async def run(self) -> None:
        """Carries webhooks until cancelled."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as http:
            while True:
                self._sandbox.posted.clear()
                try:
                    due = await books.take_due(self._pool, AT_ONCE_MAX, RETRY_S, TRIES_MAX)
                    await asyncio.gather(*(self._carry(http, delivery) for delivery in due))
                except POSTGRES_AWAY as error:
                    log.warning("webhooks of the sandbox wait", error=type(error).__name__)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._sandbox.posted.wait(), LOOK_EVERY_S)

    async def _carry(self, http: aiohttp.ClientSession, delivery: Delivery) -> None:
        body = delivery.body.encode()
        headers = {HEADER: sign(self._sandbox.secret, body), "Content-Type": "application/json"}
        try:
            async with http.post(delivery.url, data=body, headers=headers) as answer:
                if answer.status == 200:
                    await books.delivered(self._pool, delivery.id)
                else:
                    log.warning("a webhook of the sandbox was refused", status=answer.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("a webhook of the sandbox did not arrive", error=type(error).__name__)
