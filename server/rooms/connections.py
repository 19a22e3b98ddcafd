"""How many sockets a user has open, over all gateways; sockets of a gateway that died are forgotten after a while."""

import asyncio

import structlog
from redis.asyncio import Redis

from server.domain.errors import Code, Refusal
from server.settings import Settings
from server.stores import keys
from server.stores.failures import REDIS_AWAY

log = structlog.get_logger()

RENEW_EVERY_S = 20.0
EXPIRY_S = 60
SESSIONS_PER_PIPELINE = 500
RENEWED_MAX = "1000000"
"""A socket that is open stays counted, also when Redis forgot it and others came meanwhile."""


class Connections:
    """The sockets of this gateway, each known under its session."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._redis = redis
        self._max = settings.connections_per_user_max
        self._sessions: dict[str, str] = {}
        self._closed: list[tuple[str, str]] = []
        """Users and sessions that are still to be counted out."""
        self._counting_out = False

    async def admit(self, user_id: str, session: str) -> bool:
        """Counts a new socket in, or says False when the user has too many. Raises Refusal (unavailable)."""
        try:
            admitted = await self._redis.fcall(
                "gs_connect", 1, keys.connections(user_id), session, str(self._max), str(EXPIRY_S)
            )
        except REDIS_AWAY as error:
            raise Refusal(Code.UNAVAILABLE) from error
        if admitted:
            self._sessions[session] = user_id
        return bool(admitted)

    async def release(self, user_id: str, session: str) -> None:
        """Counts a closed socket out, in one go with all that close meanwhile. Never fails: what cannot be told
        expires.
        """
        self._sessions.pop(session, None)
        self._closed.append((user_id, session))
        if self._counting_out:
            return
        self._counting_out = True
        try:
            while self._closed:
                await self._count_out()
        finally:
            self._counting_out = False

    async def run(self) -> None:
        """Renews the sockets of this gateway until cancelled."""
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            sessions = list(self._sessions.items())
            for start in range(0, len(sessions), SESSIONS_PER_PIPELINE):
                await self._renew(sessions[start : start + SESSIONS_PER_PIPELINE])

    async def _renew(self, sessions: list[tuple[str, str]]) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for session, user_id in sessions:
            if session in self._sessions:
                pipeline.fcall("gs_connect", 1, keys.connections(user_id), session, RENEWED_MAX, str(EXPIRY_S))
        try:
            await pipeline.execute()
        except REDIS_AWAY as error:
            log.warning("connections were not renewed", error=type(error).__name__)

    async def _count_out(self) -> None:
        closed = self._closed[:SESSIONS_PER_PIPELINE]
        del self._closed[:SESSIONS_PER_PIPELINE]
        pipeline = self._redis.pipeline(transaction=False)
        for user_id, session in closed:
            pipeline.zrem(keys.connections(user_id), session)
        try:
            await pipeline.execute()
        except REDIS_AWAY as error:
            log.warning("closed connections were not counted out", count=len(closed), error=type(error).__name__)
