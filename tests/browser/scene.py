"""A lively room: people who watch, talk and give, on real sockets and with real coins."""

from __future__ import annotations

import asyncio
from itertools import cycle

import aiohttp

from tests.browser.site import Account, Site

NAMES = ("Lena", "Kofi", "Ines", "Ravi", "Noor", "Jun", "Thandi", "Mateo", "Aiko", "Sofia")
LINES = (
    "good evening from Lisbon",
    "this arrangement is so good",
    "can you play the rain song?",
    "first time here, staying",
    "that left hand!",
    "my cat came running to listen",
    "goosebumps",
    "encore, please",
    "what is this song called?",
    "by ear? unbelievable",
    "hello from a night shift",
    "the bass notes, wow",
    "my mother says thank you",
    "one more, one more",
    "saving up for the castle",
)
WATCHING = 48
CHAT_PAUSE_S = 0.4


class Scene:
    """One room and the people in it."""

    def __init__(self, site: Site, room: str) -> None:
        self._site = site
        self._room = room
        self._sockets: list[aiohttp.ClientWebSocketResponse] = []
        self.people: dict[str, Account] = {}

    async def fill(self) -> None:
        """Let everyone in: those who do something, and those who only watch."""
        for name in NAMES:
            self.people[name] = await self._site.login(name)
            await self._join(self.people[name])
        for number in range(WATCHING):
            await self._join(await self._site.login(f"Guest {number}"))

    async def empty(self) -> None:
        for socket in self._sockets:
            await socket.close()

    async def give(self, name: str, gift: str, count: int = 1) -> None:
        await self._site.give(self.people[name], self._room, gift, count)

    async def talk(self) -> None:
        """Everybody says a line."""
        sockets = dict(zip(NAMES, self._sockets, strict=False))
        for number, (name, line) in enumerate(zip(cycle(NAMES), LINES, strict=False)):
            await sockets[name].send_json({"type": "chat", "id": f"c{number}", "room": self._room, "text": line})
            await asyncio.sleep(CHAT_PAUSE_S)

    async def warm_up(self) -> None:
        """Gifts that make a ranking."""
        sums = (("Noor", "fireworks", 3), ("Mateo", "swan", 3), ("Lena", "corgi", 4), ("Ravi", "headphones", 4))
        more = (("Aiko", "cap", 7), ("Kofi", "doughnut", 12), ("Jun", "perfume", 9), ("Ines", "rose", 99))
        for name, gift, count in (*sums, *more):
            await self.give(name, gift, count)

    async def crescendo(self) -> None:
        """Combos that fill the tray, while hearts rise."""
        for socket in self._sockets[:6]:
            await socket.send_json({"type": "like", "room": self._room, "count": 9})
        for _ in range(4):
            await asyncio.gather(self.give("Lena", "rose", 9), self.give("Kofi", "finger_heart", 3))

    async def _join(self, account: Account) -> None:
        socket = await self._site.http.ws_connect(f"{self._site.url}/ws")
        await socket.send_json({"type": "hello", "token": account.token})
        await socket.send_json({"type": "join", "room": self._room})
        self._sockets.append(socket)
