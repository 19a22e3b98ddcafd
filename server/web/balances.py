"""Tells a user's other sockets that the balance changed, without costing the gift path more than a set entry.

Whoever changes a balance says `changed`. A few times a second the users that changed are read again where more than
one socket shows them, and named on a channel that all gateways hear. What is sent is always a balance just read, so
the last word is right whichever way the news overtook each other.
"""

import asyncio

import structlog
from redis.asyncio import Redis

from server.domain.errors import Refusal
from server.stores import keys
from server.stores.channel import listen
from server.stores.failures import REDIS_AWAY
from server.wallet.balance_news import tell_balances
from server.wallet.wallets import Wallets
from server.web import server_frames
from server.web.sessions import Sessions

log = structlog.get_logger()

INTERVAL_S = 0.25
READS_AT_ONCE_MAX = 8


class Balances:
    """News of changed balances, from and to this gateway."""

    def __init__(self, redis: Redis, wallets: Wallets, sessions: Sessions, gateway_id: str) -> None:
        self._redis = redis
        self._wallets = wallets
        self._sessions = sessions
        self._gateway_id = gateway_id
        self._changed: set[str] = set()
        """Whose balance changed through this gateway: the others are told."""
        self._stale: set[str] = set()
        """Whose sockets here are told, even if there is only one."""

    def changed(self, user_id: str) -> None:
        """The user's balance changed through this gateway."""
        self._changed.add(user_id)
        self._stale.add(user_id)

    def changed_by_socket(self, user_id: str) -> None:
        """The user's balance changed, and the one socket that did it knows."""
        self._changed.add(user_id)

    async def run(self) -> None:
        """Carries news both ways until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tell())
            group.create_task(listen(self._redis, keys.BALANCES, self._hear))

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL_S)
            changed, self._changed = self._changed, set()
            stale, self._stale = self._stale, set()
            stale.update(user for user in changed if len(self._sessions.of(user)) > 1)
            try:
                await tell_balances(self._redis, self._gateway_id, changed)
                await self._show(sorted(stale))
            except REDIS_AWAY as error:
                # Nothing to repeat: the next change or the next hello brings the balance up to date.
                log.warning("balances could not be told", error=f"{type(error).__name__}: {error}")

    async def _show(self, users: list[str]) -> None:
        for start in range(0, len(users), READS_AT_ONCE_MAX):
            await asyncio.gather(*(self._show_one(user) for user in users[start : start + READS_AT_ONCE_MAX]))

    async def _show_one(self, user_id: str) -> None:
        before = {session: session.gifts.answered for session in self._sessions.of(user_id)}
        if not before:
            return
        try:
            balance = await self._wallets.balance(user_id)
        except Refusal:
            return
        for session, answered in before.items():
            # A session that was told of a gift meanwhile knows better than what was read.
            if session.gifts.answered == answered and session.gifts.coins != balance.coins:
                session.gifts.coins = balance.coins
                session.connection.answer(server_frames.write(server_frames.WalletChanged(balance.coins)))

    def _hear(self, message: bytes) -> None:
        sender, *users = message.decode().split("\n")
        if sender != self._gateway_id:
            self._stale.update(user for user in users if self._sessions.of(user))
