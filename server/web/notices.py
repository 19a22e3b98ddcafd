"""Brings notices to open sockets: each once to every socket of its user, whichever process wrote it.

Each gateway reads what is new in the table by itself: at once when somebody names a user who has a socket here, else
every few seconds. So what a worker writes, or a process that died after its commit, reaches the screens too.
"""

import asyncio
from collections import OrderedDict

import structlog
from redis.asyncio import Redis

from server.economy.news import tell_notices
from server.ledger import notices as ledger
from server.ledger.notices import EVERYBODY
from server.stores import keys
from server.stores.channel import listen
from server.stores.failures import STORE_AWAY
from server.stores.postgres import Pool
from server.web import server_frames
from server.web.sessions import Sessions

log = structlog.get_logger()

INTERVAL_S = 0.25
"""Between two looks at whether somebody was named."""
READ_EVERY_S = 2.0
"""Between two reads when nobody was."""
READ_AT_ONCE_MAX = 500
COMMIT_WAIT_S = 30.0
"""Ids are given out before the commit. A notice that commits later than this after a larger one is only in the feed."""
SEEN_MAX = 5_000
"""Ids that are kept so as not to show them again; past that the oldest are let go before COMMIT_WAIT_S."""
SESSIONS_PER_TURN = 200
"""Sockets that are told before others get a turn."""
USERS_PER_QUERY = 1_000


class Notices:
    """Notices on their way to this gateway's sockets, and the word to other gateways that there are some."""

    def __init__(self, redis: Redis, pool: Pool, sessions: Sessions, gateway_id: str, *, after: int) -> None:
        """after: the newest notice, before there are any sessions."""
        self._redis = redis
        self._pool = pool
        self._sessions = sessions
        self._gateway_id = gateway_id
        self._changed: set[str] = set()
        self._due = False
        self._after = after
        """Everything up to this id was shown or is given up."""
        self._seen: OrderedDict[int, float] = OrderedDict()
        """Ids past `_after` that were shown → loop time."""

    def changed(self, user_id: str) -> None:
        """A notice for the user was committed; EVERYBODY for one that is everybody's."""
        self._changed.add(user_id)
        self._due = True

    async def run(self) -> None:
        """Reads, shows and tells until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read_on())
            group.create_task(listen(self._redis, keys.NOTICES, self._hear))

    async def _read_on(self) -> None:
        loop = asyncio.get_running_loop()
        read_s = 0.0
        while True:
            changed, self._changed = self._changed, set()
            try:
                await tell_notices(self._redis, self._gateway_id, changed)
                if self._due or loop.time() - read_s >= READ_EVERY_S:
                    self._due, read_s = False, loop.time()
                    await self._read()
            except STORE_AWAY as error:
                # What was not read now is read the next time; who was not told of it reads in a few seconds.
                log.warning("notices could not be told", error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(INTERVAL_S)

    def _hear(self, message: bytes) -> None:
        sender, *users = message.decode().split("\n")
        if sender != self._gateway_id and any(user == EVERYBODY or self._sessions.of(user) for user in users):
            self._due = True

    async def _read(self) -> None:
        found = await ledger.newer(self._pool, self._after, self._seen, READ_AT_ONCE_MAX)
        now_s = asyncio.get_running_loop().time()
        for notice in found:
            await self._show(notice)
            self._seen[notice.id] = now_s
        while self._seen and (len(self._seen) > SEEN_MAX or next(iter(self._seen.values())) < now_s - COMMIT_WAIT_S):
            self._after = max(self._after, self._seen.popitem(last=False)[0])
        if len(found) == READ_AT_ONCE_MAX:
            self._due = True

    async def _show(self, notice: ledger.Notice) -> None:
        frame = server_frames.write(
            server_frames.Notice(
                id=str(notice.id),
                kind=notice.kind,
                message=notice.message,
                detail=notice.detail,
                at=round(notice.at.timestamp() * 1_000_000),
            )
        )
        if notice.user_id == EVERYBODY:
            await self._show_everybody(notice, frame)
        else:
            self._show_user(notice.user_id, frame)

    def _show_user(self, user_id: str, frame: bytes) -> None:
        for session in self._sessions.of(user_id):
            # An overlay is on a stream for all to see: what its creator is told is not for it.
            if session.identity is not None and not session.identity.read_only:
                session.connection.answer(frame)

    async def _show_everybody(self, notice: ledger.Notice, frame: bytes) -> None:
        users: list[str] = sorted(
            {session.identity.user_id for session in self._sessions.all() if session.identity is not None}
        )
        if notice.regions is not None:
            here: set[str] = set()
            for start in range(0, len(users), USERS_PER_QUERY):
                here |= await ledger.of_regions(self._pool, users[start : start + USERS_PER_QUERY], notice.regions)
            users = sorted(here)
        for number, user_id in enumerate(users, 1):
            self._show_user(user_id, frame)
            if number % SESSIONS_PER_TURN == 0:
                await asyncio.sleep(0)
