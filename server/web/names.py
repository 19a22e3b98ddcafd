"""Keeps in the ledger what gifters call themselves: a room that is loaded again shows names, not ids.

Names come with tokens, and matter once a gift was given; they are written in the background, each once.
"""

import asyncio
from collections import OrderedDict

import structlog

from server.domain.ids import UserId
from server.ledger.wallets import remember_user
from server.stores.failures import STORE_AWAY
from server.stores.postgres import Pool

log = structlog.get_logger()

INTERVAL_S = 1.0
KNOWN_MAX = 20_000
"""Names known to be in the ledger, the longest unused dropped first; one that is not is written again."""

WAITING_MAX = 20_000
"""Names that wait for the ledger; those beyond wait for their owners' next gift."""


class Names:
    """The names of the users of this gateway."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._known: OrderedDict[str, str] = OrderedDict()
        self._waiting: dict[str, str] = {}

    def note(self, user_id: str, name: str) -> None:
        """The user goes by this name now."""
        if self._known.get(user_id) == name:
            self._known.move_to_end(user_id)
        elif len(self._waiting) < WAITING_MAX:
            self._waiting[user_id] = name

    async def run(self) -> None:
        """Writes names until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL_S)
            try:
                while self._waiting:
                    user_id, name = next(iter(self._waiting.items()))
                    await remember_user(self._pool, UserId(user_id), name)
                    self._keep(user_id, name)
            except STORE_AWAY as error:
                log.warning("names wait for the ledger", waiting=len(self._waiting), error=type(error).__name__)

    def _keep(self, user_id: str, name: str) -> None:
        if self._waiting.get(user_id) == name:
            del self._waiting[user_id]
        self._known[user_id] = name
        self._known.move_to_end(user_id)
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
