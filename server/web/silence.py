"""Connections that never ask for anything: ended after a while, so that nobody can hold the gateway's sockets that way.

A request that comes byte by byte is no request until its headers are complete.
"""

import asyncio

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

SWEEP_INTERVAL_S = 0.5


class Silence:
    """Which connections have asked for something. timeout_s: how long the others may stay."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._heard: set[RequestHandler] = set()
        self._silent_since_s: dict[RequestHandler, float] = {}

    def heard(self, request: web.Request) -> None:
        """The request's connection is one that speaks."""
        self._heard.add(request.protocol)

    async def sweep(self, server: web.Server) -> None:
        """Ends silent connections until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP_INTERVAL_S)
            now_s = loop.time()
            present = server.connections
            self._heard.intersection_update(present)
            self._silent_since_s = {
                connection: self._silent_since_s.get(connection, now_s)
                for connection in present
                if connection not in self._heard
            }
            for connection, since_s in self._silent_since_s.items():
                if now_s - since_s > self._timeout_s:
                    connection.force_close()
