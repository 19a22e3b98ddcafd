"""Who and what is there before the first gift: rooms with their creators, viewers with their coins, prices."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from random import Random

from server.domain import catalogue
from server.domain.ids import RoomId, UserId
from server.ledger import rooms as ledger_rooms
from server.ledger import wallets as ledger_wallets
from server.settings import Settings
from server.stores import postgres
from server.web.tokens import issue_token

TOKEN_TTL_S = 24 * 3600
RICH_COINS = 2_000_000
POOR_COINS = 300
CREDIT_COINS = 777

CHEAP = ("rose", "clover", "lollipop", "coffee", "finger_heart", "balloon", "sunflower", "gold_star")
DEAR = ("hand_hearts", "corgi", "galaxy", "crown", "whale", "sports_car", "universe")
NEVER_SOLD = "no_such_gift"


@dataclass(frozen=True, slots=True)
class Town:
    """coins: what each viewer starts with. creators: room → creator, who is a viewer as well."""

    rooms: tuple[str, ...]
    viewers: tuple[str, ...]
    creators: dict[str, str]
    coins: dict[str, int]
    prices: dict[str, int]
    diamonds: dict[str, int]

    def token(self, settings: Settings, viewer: str) -> str:
        return issue_token(settings, viewer, viewer.replace("_", " "), "viewer", TOKEN_TTL_S)


def plan_town(rng: Random) -> Town:
    """Draw a town: a few rooms, a few dozen viewers, some of them poor."""
    rooms = tuple(f"r_{n}" for n in range(rng.randint(3, 6)))
    viewers = tuple(f"u_{n}" for n in range(rng.randint(24, 40)))
    sold = {kind.id: kind for kind in catalogue.seed()}
    return Town(
        rooms=rooms,
        viewers=viewers,
        creators={room: viewers[n] for n, room in enumerate(rooms)},
        coins={viewer: POOR_COINS if rng.random() < 0.15 else RICH_COINS for viewer in viewers},
        prices={name: kind.coins for name, kind in sold.items()},
        diamonds={name: kind.diamonds for name, kind in sold.items()},
    )


async def settle_in(town: Town, database_url: str) -> None:
    """Book the town's rooms and coins into an empty ledger."""
    pool = await postgres.connect(database_url, size_max=4)
    try:
        for room, creator in town.creators.items():
            await ledger_rooms.create(pool, RoomId(room), UserId(creator), creator, f"Room {room}")
        await asyncio.gather(
            *(
                ledger_wallets.grant(pool, UserId(viewer), coins, "purchase", f"start:{viewer}", "chaos")
                for viewer, coins in town.coins.items()
            )
        )
    finally:
        await pool.close()


async def credit(database_url: str, viewer: str, reference: str) -> None:
    """Book one more purchase while gifts flow; whoever sweeps brings it into the wallet."""
    pool = await postgres.connect(database_url, size_max=1)
    try:
        await ledger_wallets.grant(pool, UserId(viewer), CREDIT_COINS, "purchase", reference, "chaos")
    finally:
        await pool.close()
