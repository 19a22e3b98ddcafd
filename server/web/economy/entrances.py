"""Shows that somebody of a high level, or with an entrance bought, came into a room: after the join, beside it."""

import asyncio
from collections import deque

import structlog

from server.domain.errors import Refusal
from server.domain.person import person_json
from server.rooms.badges import Badges
from server.rooms.rooms import Rooms
from server.stores.failures import STORE_AWAY
from server.web.identity import Identity

log = structlog.get_logger()

WAITING_MAX = 2_000
"""Entrances that wait to be looked at; the oldest are dropped first."""


class Entrances:
    """The entrances of one gateway."""

    def __init__(self, rooms: Rooms, badges: Badges) -> None:
        self._rooms = rooms
        self._badges = badges
        self._waiting: deque[tuple[str, Identity]] = deque(maxlen=WAITING_MAX)
        self._wake = asyncio.Event()

    def came(self, room_id: str, identity: Identity) -> None:
        """Somebody is in a room now."""
        self._waiting.append((room_id, identity))
        self._wake.set()

    async def run(self) -> None:
        """Shows entrances until cancelled; one that a store cannot be asked about is not shown."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                room_id, identity = self._waiting.popleft()
                try:
                    await self._show(room_id, identity)
                except (Refusal, *STORE_AWAY) as error:
                    log.debug("an entrance was not shown", error=type(error).__name__)

    async def _show(self, room_id: str, identity: Identity) -> None:
        look = await self._badges.look(identity.user_id)
        if look.comes_in:
            person = person_json(identity.user_id, identity.name, look.fragment())
            await self._rooms.enter(room_id, identity.user_id, person, look.comes_in)
