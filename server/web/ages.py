"""Who may give, by age: known here from the moment they come in, so that no gift waits for Postgres."""

from collections import OrderedDict
from datetime import UTC, datetime

from server.domain.errors import Code, Refusal
from server.economy.age import old_enough
from server.ledger.profiles import profile_of
from server.settings import Settings
from server.stores.failures import STORE_AWAY
from server.stores.postgres import Pool

KNOWN_MAX = 50_000
"""Users whose age is known, the longest unused forgotten first: they are asked about again."""


class Ages:
    """Where the age gate is on, nobody gives, buys or opens a room whose birth date does not allow it."""

    def __init__(self, pool: Pool, settings: Settings) -> None:
        self._pool = pool
        self._gate = settings.age_gate
        self._known: OrderedDict[str, bool] = OrderedDict()

    def may_give(self, user_id: str) -> bool:
        """Whether the user is known to be old enough; everybody is where the gate is off."""
        return not self._gate or self._known.get(user_id, False)

    async def learn(self, user_id: str) -> None:
        """Finds out about a user who comes in. Raises Refusal (unavailable)."""
        if not self._gate or self._known.get(user_id, False):
            return
        try:
            async with self._pool.acquire() as conn:
                profile = await profile_of(conn, user_id)
        except STORE_AWAY as error:
            raise Refusal(Code.UNAVAILABLE) from error
        self._known[user_id] = old_enough(profile, datetime.now(UTC).date())
        self._known.move_to_end(user_id)
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)

    async def check(self, user_id: str) -> None:
        """Raises Refusal: age_restricted where the user may not, unavailable."""
        await self.learn(user_id)
        if not self.may_give(user_id):
            raise Refusal(Code.AGE_RESTRICTED)
