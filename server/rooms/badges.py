"""How users look to others, known in each process without asking: read once, and again when it changed.

Redis keeps looks for a while, filled from Postgres by whoever misses one; each process keeps those of the users it has
to do with. Nothing on the way of a chat line or a gift waits for Postgres: until a look is known there is none. Whose
look changed is named on a channel; a lost message costs no more than the time that a look is believed.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Collection, Iterable

import structlog
from redis.asyncio import Redis

from server.domain.look import Look, read_look, write_look
from server.ledger.spending.looks import looks_of
from server.stores import keys
from server.stores.channel import listen
from server.stores.failures import REDIS_AWAY, STORE_AWAY
from server.stores.postgres import Pool

log = structlog.get_logger()

KNOWN_MAX = 50_000
"""Users whose looks a process keeps, the longest unused dropped first."""
WANTED_MAX = 10_000
"""Users whose looks are to be read; those beyond are asked for when they are next seen."""
AGE_S = 60.0
"""How long a look is believed."""
REDIS_TTL_S = 600
USERS_PER_READ = 500
USERS_PER_MESSAGE_MAX = 500
RETRY_PAUSE_S = 1.0

_NOTHING = Look()


class _Known:
    """A look, encoded as it stands beside a name."""

    __slots__ = ("fragment", "look", "read_s")

    def __init__(self, look: Look, read_s: float) -> None:
        self.look = look
        self.fragment = look.fragment()
        self.read_s = read_s


class Badges:
    """The looks of users, as one process knows them. `run` keeps them fresh."""

    def __init__(self, redis: Redis, pool: Pool) -> None:
        self._redis = redis
        self._pool = pool
        self._clock = asyncio.get_running_loop().time
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._wanted: dict[str, None] = {}
        self._wake = asyncio.Event()

    # -- asking ----------------------------------------------------------------------------------------------------

    def beside(self, user: str) -> bytes:
        """What stands beside a user's name (`person_json`), as far as it is known; asks for what is not."""
        known = self._known.get(user)
        if known is None or self._clock() - known.read_s > AGE_S:
            self.want(user)
        return b"" if known is None else known.fragment

    def want(self, user: str) -> None:
        """The user's look is going to be needed."""
        if user not in self._wanted and len(self._wanted) < WANTED_MAX:
            self._wanted[user] = None
            self._wake.set()

    async def learn(self, users: Iterable[str]) -> None:
        """Reads of the looks that are not known here those that Redis has. Raises RedisError."""
        unknown = [user for user in users if user not in self._known]
        for start in range(0, len(unknown), USERS_PER_READ):
            await self._read_redis(unknown[start : start + USERS_PER_READ])

    async def look(self, user: str) -> Look:
        """A user's look, asked for if need be. Raises what STORE_AWAY names."""
        known = self._known.get(user)
        if known is None or self._clock() - known.read_s > AGE_S:
            await self._read([user])
            known = self._known.get(user)
        return _NOTHING if known is None else known.look

    # -- changing --------------------------------------------------------------------------------------------------

    async def changed(self, users: Collection[str]) -> None:
        """These users look different now, says the ledger: tells Redis and all processes. Raises RedisError."""
        users = list(users)
        for start in range(0, len(users), USERS_PER_MESSAGE_MAX):
            some = users[start : start + USERS_PER_MESSAGE_MAX]
            pipeline = self._redis.pipeline(transaction=False)
            for user in some:
                pipeline.delete(keys.look(user))
            await pipeline.execute()
            await self._redis.publish(keys.LOOKS, "\n".join(some))

    # -- reading ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Hears of changes and reads what is wanted until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(listen(self._redis, keys.LOOKS, self._hear))
            group.create_task(self._read_wanted())

    def _hear(self, message: bytes) -> None:
        for user in message.decode().split("\n"):
            if user in self._known:
                self._known[user].read_s = float("-inf")
                self.want(user)

    async def _read_wanted(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._wanted:
                some = list(self._wanted)[:USERS_PER_READ]
                try:
                    await self._read(some)
                except STORE_AWAY as error:
                    log.debug("looks could not be read", users=len(some), error=type(error).__name__)
                    await asyncio.sleep(RETRY_PAUSE_S)
                for user in some:
                    self._wanted.pop(user, None)

    async def _read(self, users: list[str]) -> None:
        missing = await self._read_redis(users)
        if not missing:
            return
        found = await looks_of(self._pool, missing, time.time_ns() // 1_000)
        pipeline = self._redis.pipeline(transaction=False)
        for user, look in found.items():
            pipeline.set(keys.look(user), write_look(look), ex=REDIS_TTL_S)
            self._keep(user, look)
        try:
            await pipeline.execute()
        except REDIS_AWAY as error:
            log.debug("looks were not kept", users=len(found), error=type(error).__name__)

    async def _read_redis(self, users: list[str]) -> list[str]:
        """Reads what Redis has; answers whose look it does not have."""
        pipeline = self._redis.pipeline(transaction=False)
        for user in users:
            pipeline.get(keys.look(user))
        missing: list[str] = []
        for user, kept in zip(users, await pipeline.execute(), strict=True):
            if kept is None:
                missing.append(user)
            else:
                self._keep(user, read_look(kept))
        return missing

    def _keep(self, user: str, look: Look) -> None:
        self._known[user] = _Known(look, self._clock())
        self._known.move_to_end(user)
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
