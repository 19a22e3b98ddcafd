"""Demo mode: a few rooms that are always there, and viewers that keep them alive at first sight.

The viewers pay with real wallets on the real path. One gateway at a time runs them, by a lock with a time to live.
"""

import asyncio
import random

import structlog

from server.domain.catalogue import SHOWN_KINDS
from server.domain.errors import Refusal
from server.domain.gift import Refused
from server.domain.ids import RoomId, UserId, new_id
from server.economy.spending.spending import Wish
from server.ledger import rooms as ledger_rooms
from server.ledger import wallets as ledger_wallets
from server.stores import keys
from server.stores.failures import STORE_AWAY
from server.web.economy.opening_tickets import ticket_of
from server.web.services import Services
from server.web.shapes import NewRoom

log = structlog.get_logger()

ROOMS = (
    ("r_demo_music", "u_demo_mira", "Mira", "Late-night piano requests"),
    ("r_demo_cooking", "u_demo_tomas", "Tomás", "Hand-pulled noodles, live"),
    ("r_demo_draw", "u_demo_yuki", "Yuki", "Drawing your pets in three minutes"),
    ("r_demo_chess", "u_demo_amara", "Amara", "Blitz chess against everyone"),
)
"""Room, creator, creator's name, title."""

BACKSTAGE = ("r_demo_backstage", "u_demo_mira", "Mira", "Backstage: rehearsing the encore")
"""A room that asks for a ticket."""
BACKSTAGE_TICKET = "ticket_50"

VIEWERS = (
    ("u_demo_viewer_1", "Lena"),
    ("u_demo_viewer_2", "Kofi"),
    ("u_demo_viewer_3", "Ines"),
    ("u_demo_viewer_4", "Ravi"),
    ("u_demo_viewer_5", "Noor"),
    ("u_demo_viewer_6", "Jun"),
)

LINES = (
    "hello from the train",
    "this is lovely",
    "again, please!",
    "how long have you been doing this?",
    "good evening everyone",
    "wow",
    "I could watch this all night",
    "greetings from Porto",
)

GIFT_COINS_MAX = 100
"""Price of the dearest kind that these viewers send: the big animations are left to the people who try it out."""

COMBO_MAX = 5
PAUSE_S = (1.5, 4.0)
COMBO_PAUSE_S = (0.25, 0.7)
CHAT_SHARE = 0.25
"""Of what these viewers do, how much is talk."""

ITEM_SHARE = 0.08
"""And how much is a highlighted comment, an effect or a sticker."""

COINS_AT_ONCE = 5_000
COINS_LOW = 500
LOCK_TTL_S = 15
RETRY_PAUSE_S = 5.0


class Demo:
    """The demo of one gateway."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._token = new_id("bots").encode()

    async def run(self) -> None:
        """Makes the rooms, then plays the viewers whenever no other gateway does, until cancelled."""
        while True:
            try:
                await self._open_rooms()
                if not self._services.settings.demo_bots:
                    return
                await self._play()
            except (Refusal, *STORE_AWAY) as error:
                log.warning("the demo pauses", error=type(error).__name__)
            await asyncio.sleep(RETRY_PAUSE_S)

    async def _open_rooms(self) -> None:
        services = self._services
        backstage = ticket_of(services.catalogue, NewRoom(BACKSTAGE[3], BACKSTAGE_TICKET))
        for (room_id, creator_id, name, title), ticket in [*((room, None) for room in ROOMS), (BACKSTAGE, backstage)]:
            if await ledger_rooms.get(services.pool, RoomId(room_id)) is None:
                try:
                    await ledger_rooms.create(services.pool, RoomId(room_id), UserId(creator_id), name, title, ticket)
                except ValueError:
                    log.debug("another gateway was faster", room=room_id)

    async def _play(self) -> None:
        """Returns when another gateway has the lock."""
        while await self._hold_lock():
            viewer_id, name = random.choice(VIEWERS)  # noqa: S311 - a play, no secret
            room_id = random.choice(ROOMS)[0]  # noqa: S311
            room = await self._services.rooms.info(room_id)
            if room.state == "live":
                chance = random.random()  # noqa: S311
                if chance < CHAT_SHARE:
                    await self._say(room_id, viewer_id, name)
                elif chance < CHAT_SHARE + ITEM_SHARE:
                    await self._treat(room_id, viewer_id, name)
                else:
                    await self._give(room_id, viewer_id, name)
            await asyncio.sleep(random.uniform(*PAUSE_S))  # noqa: S311

    async def _hold_lock(self) -> bool:
        redis = self._services.redis
        if await redis.set(keys.DEMO_BOTS, self._token, nx=True, ex=LOCK_TTL_S):
            return True
        if await redis.get(keys.DEMO_BOTS) != self._token:
            return False
        return bool(await redis.expire(keys.DEMO_BOTS, LOCK_TTL_S))

    async def _say(self, room_id: str, viewer_id: str, name: str) -> None:
        try:
            await self._services.rooms.say(room_id, viewer_id, name, random.choice(LINES))  # noqa: S311
        except Refusal as refusal:
            log.debug("a demo viewer was refused", code=refusal.code)

    async def _give(self, room_id: str, viewer_id: str, name: str) -> None:
        """A small gift, sometimes several in a row."""
        services = self._services
        if (await services.wallets.balance(viewer_id)).coins < COINS_LOW:
            await self._top_up(viewer_id, name)
        room = await services.rooms.info(room_id)
        kinds = [kind for kind in services.catalogue.public() if kind["coins"] <= GIFT_COINS_MAX]
        kind = random.choices(kinds, [kind["coins"] ** -0.5 for kind in kinds])[0]  # noqa: S311
        for _ in range(random.randint(1, COMBO_MAX) if kind["streakable"] else 1):  # noqa: S311
            answer = await services.gifting.send(
                viewer=viewer_id,
                viewer_name=name,
                room=room,
                gift=kind["id"],
                count=1,
                request_id=new_id("demo"),
            )
            if isinstance(answer, Refused):
                log.debug("a demo viewer was refused", code=answer.code)
                return
            services.balances.changed(viewer_id)
            await asyncio.sleep(random.uniform(*COMBO_PAUSE_S))  # noqa: S311

    async def _treat(self, room_id: str, viewer_id: str, name: str) -> None:
        """A small item for the whole room to see."""
        services = self._services
        if (await services.wallets.balance(viewer_id)).coins < COINS_LOW:
            await self._top_up(viewer_id, name)
        items = [
            item for item in services.catalogue.items() if item.kind in SHOWN_KINDS and item.coins <= GIFT_COINS_MAX
        ]
        answer = await services.spending.spend(
            Wish(
                viewer=viewer_id,
                viewer_name=name,
                item=random.choice(items).id,  # noqa: S311
                count=1,
                text=random.choice(LINES),  # noqa: S311
                room=await services.rooms.info(room_id),
                request_id=new_id("demo"),
            )
        )
        if isinstance(answer, Refused):
            log.debug("a demo viewer was refused", code=answer.code)
        services.balances.changed(viewer_id)

    async def _top_up(self, viewer_id: str, name: str) -> None:
        pool = self._services.pool
        await ledger_wallets.remember_user(pool, UserId(viewer_id), name)
        await ledger_wallets.grant(
            pool, UserId(viewer_id), COINS_AT_ONCE, "promotion", new_id("demo"), "coins of a demo viewer"
        )
        await self._services.wallets.refresh(viewer_id)
