"""What admins change reaches every gateway: who is banned, and what the catalogue offers.

Both are kept in memory, so that no gift waits for Postgres, and read again when somebody says that they changed, or
after AGE_S: a message that was lost costs no more than that.
"""

import asyncio

import structlog
from redis.asyncio import Redis

from server.domain.catalogue import Catalogue
from server.ledger import catalogue as ledger_catalogue
from server.ledger.admin import users
from server.stores import keys
from server.stores.channel import listen
from server.stores.failures import REDIS_AWAY, STORE_AWAY
from server.stores.postgres import Pool
from server.web.close_codes import CloseCode
from server.web.sessions import Sessions

log = structlog.get_logger()

AGE_S = 15.0


class Steering:
    """The banned users and the catalogue of one gateway, as fresh as AGE_S."""

    def __init__(self, redis: Redis, pool: Pool, catalogue: Catalogue, sessions: Sessions) -> None:
        self._redis = redis
        self._pool = pool
        self._catalogue = catalogue
        self._sessions = sessions
        self._banned: frozenset[str] = frozenset()
        self._look = asyncio.Event()

    def is_banned(self, user_id: str) -> bool:
        """Whether this user may not use the service."""
        return user_id in self._banned

    async def changed(self) -> None:
        """Something was changed here, and committed: in force on return, and told to the other gateways."""
        await self.read()
        try:
            await self._redis.publish(keys.STEERING, b"")
        except REDIS_AWAY as error:
            log.warning("a change by an admin was not told", error=type(error).__name__, found_within_s=AGE_S)

    async def read(self) -> None:
        """Reads both again, and puts those out who are banned now. Raises what Postgres raises."""
        banned = await users.banned(self._pool)
        self._catalogue.take(await ledger_catalogue.newest(self._pool))
        new, self._banned = banned - self._banned, banned
        for user_id in new:
            for session in list(self._sessions.of(user_id)):
                session.connection.cut_off(CloseCode.UNAUTHORIZED)

    async def run(self) -> None:
        """Keeps both fresh until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(
                listen(self._redis, keys.STEERING, lambda _: self._look.set(), on_subscribed=self._look.set)
            )
            group.create_task(self._keep_fresh())

    async def _keep_fresh(self) -> None:
        while True:
            try:
                async with asyncio.timeout(AGE_S):
                    await self._look.wait()
            except TimeoutError:
                pass
            self._look.clear()
            try:
                await self.read()
            except STORE_AWAY as error:
                log.debug("what admins changed could not be read", error=type(error).__name__)
