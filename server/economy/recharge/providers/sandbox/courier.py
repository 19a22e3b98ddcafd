"""Carries the pretend provider's webhooks to where they belong: over HTTP, signed, and again when nobody took them."""

import asyncio

import aiohttp
import structlog

from server.economy.recharge.providers.sandbox.signing import HEADER, sign
from server.ledger.recharge import sandbox as books
from server.ledger.recharge.sandbox import Delivery
from server.stores.failures import POSTGRES_AWAY
from server.stores.postgres import Pool

log = structlog.get_logger()

LOOK_EVERY_S = 0.5
AT_ONCE_MAX = 20
TIMEOUT_S = 10.0
RETRY_S = 2.0
TRIES_MAX = 8


class Courier:
    """The courier of one gateway; several share the work."""

    def __init__(self, pool: Pool, secret: bytes) -> None:
        self._pool = pool
        self._secret = secret
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There is a webhook to carry."""
        self._woken.set()

    async def run(self) -> None:
        """Carries webhooks until cancelled."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as http:
            while True:
                try:
                    due = await books.take_due(self._pool, AT_ONCE_MAX, RETRY_S, TRIES_MAX)
                    await asyncio.gather(*(self._carry(http, delivery) for delivery in due))
                except POSTGRES_AWAY as error:
                    log.warning("webhooks of the sandbox wait", error=type(error).__name__)
                try:
                    await asyncio.wait_for(self._woken.wait(), LOOK_EVERY_S)
                except TimeoutError:
                    continue
                self._woken.clear()

    async def _carry(self, http: aiohttp.ClientSession, delivery: Delivery) -> None:
        body = delivery.body.encode()
        headers = {HEADER: sign(self._secret, body), "Content-Type": "application/json"}
        try:
            async with http.post(delivery.url, data=body, headers=headers) as answer:
                if answer.status == 200:
                    await books.delivered(self._pool, delivery.id)
                else:
                    log.warning("a webhook of the sandbox was refused", status=answer.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("a webhook of the sandbox did not arrive", error=type(error).__name__)
