"""Login history: notes where users come from, written to the ledger together, each user and place once in a while."""

import asyncio
import hashlib
import hmac
from collections import OrderedDict

import structlog

from server.ledger.care import logins as ledger_logins
from server.ledger.care.logins import Login
from server.stores.failures import STORE_AWAY
from server.stores.postgres import Pool

log = structlog.get_logger()

INTERVAL_S = 1.0
AGAIN_AFTER_S = 3_600.0
"""The same user with the same place and program is noted again after this long."""
KNOWN_MAX = 20_000
WAITING_MAX = 5_000
"""What waits for the ledger; those beyond are noted the next time they come."""
AGENT_CHARS_MAX = 120


class Logins:
    """Where the users of one gateway come from. secret: keys the digests of addresses."""

    def __init__(self, pool: Pool, secret: str) -> None:
        self._pool = pool
        self._key = hashlib.sha256(b"giftstream login addresses\n" + secret.encode()).digest()
        self._known: OrderedDict[Login, float] = OrderedDict()
        self._waiting: dict[Login, None] = {}
        self._clock = asyncio.get_running_loop().time

    def note(self, user_id: str, address: str | None, agent: str | None) -> None:
        """The user came in from an address, with a program that calls itself so."""
        digest = hmac.new(self._key, (address or "").encode(), hashlib.sha256).hexdigest()[:16]
        words = "".join(character for character in (agent or "") if character.isprintable())
        login = Login(user_id, digest, words[:AGENT_CHARS_MAX])
        now = self._clock()
        if now - self._known.get(login, float("-inf")) < AGAIN_AFTER_S or len(self._waiting) >= WAITING_MAX:
            return
        self._known[login] = now
        self._known.move_to_end(login)
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
        self._waiting[login] = None

    async def run(self) -> None:
        """Writes what waits until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL_S)
            if not self._waiting:
                continue
            batch = list(self._waiting)
            try:
                await ledger_logins.remember(self._pool, batch)
            except STORE_AWAY as error:
                log.warning("logins wait for the ledger", waiting=len(batch), error=type(error).__name__)
                continue
            for login in batch:
                del self._waiting[login]
