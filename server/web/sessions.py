"""All sessions of this gateway: how many there may be, who is where, and what time does to them."""

import asyncio
import time
from collections.abc import Collection
from typing import TYPE_CHECKING

from server.settings import Settings

if TYPE_CHECKING:
    from server.web.session import Session

SWEEP_INTERVAL_S = 0.5
SWEEP_SLICE = 500
"""Sessions looked at before others get a turn."""


class Sessions:
    """The open sessions, and those of each user."""

    def __init__(self, settings: Settings) -> None:
        self._max = settings.connections_per_gateway_max
        self._all: set[Session] = set()
        self._by_user: dict[str, set[Session]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def all(self) -> list["Session"]:
        return list(self._all)

    def of(self, user_id: str) -> Collection["Session"]:
        """The user's sessions on this gateway."""
        return self._by_user.get(user_id, ())

    def admit(self, session: "Session") -> bool:
        """Takes a session in unless the gateway is full."""
        if len(self._all) >= self._max:
            return False
        self._all.add(session)
        return True

    def name(self, session: "Session", user_id: str) -> None:
        """Remembers whose session this is."""
        self._by_user.setdefault(user_id, set()).add(session)

    def drop(self, session: "Session", user_id: str | None) -> None:
        self._all.discard(session)
        if user_id is not None and (mine := self._by_user.get(user_id)):
            mine.discard(session)
            if not mine:
                del self._by_user[user_id]

    async def sweep(self) -> None:
        """Looks after deadlines and silence until cancelled: one timer for all, instead of several for each."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP_INTERVAL_S)
            sessions = self.all()
            for start in range(0, len(sessions), SWEEP_SLICE):
                now_s, clock_s = loop.time(), time.time()
                for session in sessions[start : start + SWEEP_SLICE]:
                    session.look_after(now_s, clock_s)
                await asyncio.sleep(0)
