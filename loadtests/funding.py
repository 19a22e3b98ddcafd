"""Users for a load: tokens signed with the server's own key, coins booked in its own ledger, rooms opened in it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence

from server.domain.ids import RoomId, UserId
from server.ledger import rooms as ledger_rooms
from server.ledger.wallets import grant
from server.settings import Settings
from server.stores.postgres import Pool
from server.web.tokens import issue_token

TOKEN_TTL_S = 86_400
GRANTS_AT_ONCE = 8


def token(settings: Settings, user: str) -> str:
    """A viewer's token that holds for a day."""
    return issue_token(settings, user, user, "viewer", TOKEN_TTL_S)


async def give_coins(pool: Pool, users: Sequence[str], coins: int) -> None:
    """Book the same promotional credit for each user; wallets that are not loaded yet have it when they are."""
    reference = f"load-{uuid.uuid4().hex}"
    waiting = iter(users)

    async def book() -> None:
        for user in waiting:
            await grant(pool, UserId(user), coins, "promotion", f"{reference}-{user}", "load test")

    async with asyncio.TaskGroup() as group:
        for _ in range(GRANTS_AT_ONCE):
            group.create_task(book())


async def open_rooms(pool: Pool, count: int, label: str) -> list[str]:
    """Open rooms, each with a creator of its own; answers their ids."""
    rooms = [f"{label}-{n}" for n in range(count)]
    waiting = iter(rooms)

    async def open_some() -> None:
        for room in waiting:
            await ledger_rooms.create(
                pool, RoomId(room), UserId(f"creator-{room}"), f"Creator of {room}", f"Room {room}"
            )

    async with asyncio.TaskGroup() as group:
        for _ in range(GRANTS_AT_ONCE):
            group.create_task(open_some())
    return rooms
