"""An identity provider's public keys, held for a while: read anew at a pace of ours, whatever clients send.

A provider that is away logs nobody out: its keys hold for KEPT_S after they were last read, and whoever comes with one
that is not known meanwhile is told to come back.
"""

import asyncio

import aiohttp
import structlog
from jwt import PyJWK

from server.domain.errors import Code, Refusal
from server.web.key_source import Keys, KeySourceError, fetch_keys

log = structlog.get_logger()

REFRESH_S = 300.0
"""A key that the provider takes back is refused after this long at the latest."""

ASK_AGAIN_S = 10.0
"""Shortest time between two fetches, also for tokens that name an unknown key."""

KEPT_S = 24 * 3600.0

_AWAY = (KeySourceError, OSError, TimeoutError, aiohttp.ClientError)


class KeySet:
    """The keys at one address; `run` keeps them fresh."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: Keys = {}
        self._loop = asyncio.get_running_loop()
        self._asked_s = float("-inf")
        self._read_s = float("-inf")
        self._away = False
        self._fetching: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Reads the keys again and again until cancelled."""
        while True:
            await self._look_again()
            await asyncio.sleep(ASK_AGAIN_S if self._away else REFRESH_S)

    async def find(self, kid: object, algorithm: str) -> PyJWK:
        """The key that a token names; one that names none means the only one of its algorithm.

        Raises Refusal: unauthorized when the provider has no such key, unavailable when that cannot be known now.
        """
        key = self._held(kid, algorithm)
        if key is None:
            await self._look_again()
            key = self._held(kid, algorithm)
        if key is None:
            raise Refusal(Code.UNAVAILABLE if self._away else Code.UNAUTHORIZED)
        return key

    def _held(self, kid: object, algorithm: str) -> PyJWK | None:
        if self._loop.time() - self._read_s > KEPT_S:
            self._keys = {}
        if kid is None:
            fit = [key for (_, name), key in self._keys.items() if name == algorithm]
            return fit[0] if len(fit) == 1 else None
        return self._keys.get((kid, algorithm)) if isinstance(kid, str) else None

    async def _look_again(self) -> None:
        """Waits for the fetch that is under way, or for a new one if the last is long enough ago."""
        if self._fetching is None or self._fetching.done():
            if self._loop.time() - self._asked_s < ASK_AGAIN_S:
                return
            self._asked_s = self._loop.time()
            self._fetching = asyncio.create_task(self._fetch(), name="key-set")
        await asyncio.shield(self._fetching)

    async def _fetch(self) -> None:
        try:
            self._keys = await fetch_keys(self._url)
        except _AWAY as error:
            if not self._away:
                detail = str(error) if isinstance(error, KeySourceError) else ""
                log.warning("the key set could not be read", error=type(error).__name__, detail=detail)
            self._away = True
            return
        if self._away:
            log.warning("the key set is there again", keys=len(self._keys))
        self._away = False
        self._read_s = self._loop.time()
