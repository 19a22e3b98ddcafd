"""All viewers of a town, on one event loop."""

from __future__ import annotations

import asyncio
import itertools
from random import Random

import aiohttp

from server.settings import Settings
from tests.chaos.book import Book, Request
from tests.chaos.findings import Findings
from tests.chaos.room_view import FrameBook, RoomView
from tests.chaos.tab import Tab
from tests.chaos.town import CHEAP, DEAR, NEVER_SOLD, Town
from tests.chaos.viewer import BAD_SHARE, Viewer

JOINED_TIMEOUT_S = 60.0
POLL_S = 0.05
SECOND_TAB_SHARE = 0.3
ROOMS_PER_VIEWER_MAX = 3
COMBO_SHARE = 0.6


class Fleet:
    """The viewers, what they were answered, and what their screens show."""

    def __init__(self, town: Town, settings: Settings, addresses: list[str], rng: Random, findings: Findings) -> None:
        self.town = town
        self.book = Book(findings)
        self.frames = FrameBook(findings)
        self.viewers: list[Viewer] = []
        self.credits: list[tuple[str, int]] = []
        """Purchases while gifts flow: viewer and coins."""
        self._settings = settings
        self._addresses = addresses
        self._findings = findings
        self._rng = rng
        self._ids = itertools.count(1)
        self._run = f"{rng.getrandbits(32):08x}"
        self._last: dict[str, tuple[str, str]] = {}
        self._http: aiohttp.ClientSession | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._players: list[asyncio.Task[None]] = []
        self._stop = asyncio.Event()

    async def start(self, gifts_per_s: float) -> None:
        """Connect everybody; return when each page is in its rooms. gifts_per_s: of all viewers together."""
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        each = gifts_per_s / len(self.town.viewers)
        for user_id in self.town.viewers:
            rng = Random(self._rng.getrandbits(64))
            viewer = Viewer(user_id, rng, self.book, self._draw, each * rng.uniform(0.3, 1.7))
            self._open_tabs(viewer)
            self.viewers.append(viewer)
            self._tasks += [asyncio.ensure_future(tab.run()) for tab in viewer.tabs]
            self._tasks.append(asyncio.ensure_future(viewer.nag()))
        await self.wait_joined()

    def play(self) -> None:
        """Let the viewers send gifts."""
        self._players = [asyncio.ensure_future(viewer.play(self._stop)) for viewer in self.viewers]

    async def stop_playing(self) -> None:
        """No new gifts from now on; what has no answer is asked again until it has."""
        self._stop.set()
        await asyncio.gather(*self._players)

    async def close(self) -> None:
        """End all connections."""
        for task in (*self._tasks, *self._players):
            task.cancel()
        results = await asyncio.gather(*self._tasks, *self._players, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                self._findings.add(f"a client of the rig failed: {result!r}")
        if self._http is not None:
            await self._http.close()

    def failed(self) -> None:
        """Raise what ended a client task, if one did: a bug of the rig."""
        for task in (*self._tasks, *self._players):
            if task.done() and not task.cancelled():
                task.result()

    async def wait_joined(self) -> None:
        """Return when every page is in each of its rooms that has not ended."""
        await self._until(
            lambda: all(room in tab.joined or view.ended for tab in self.tabs for room, view in tab.views.items()),
            JOINED_TIMEOUT_S,
            "pages did not get into their rooms",
        )

    async def wait_answered(self, timeout_s: float) -> None:
        """Return when every gift has its answer."""
        try:
            await self._until(lambda: self.unanswered == 0, timeout_s, "gifts are left without an answer")
        except TimeoutError:
            for viewer in self.viewers:
                if viewer.unanswered:
                    self._findings.add(viewer.describe_unanswered())
            raise

    @property
    def unanswered(self) -> int:
        return sum(viewer.unanswered for viewer in self.viewers)

    @property
    def tabs(self) -> list[Tab]:
        return [tab for viewer in self.viewers for tab in viewer.tabs]

    def redis_lost_gifts(self) -> None:
        """From now on ids may be answered anew, and rooms may show less than before."""
        self.book.forgetful = True
        for tab in self.tabs:
            for view in tab.views.values():
                view.may_go_back = True

    async def _until(self, holds: object, timeout_s: float, complaint: str) -> None:
        assert callable(holds)
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + timeout_s
        while not holds():
            self.failed()
            if loop.time() > deadline_s:
                raise TimeoutError(f"{complaint} within {timeout_s:.0f} s")
            await asyncio.sleep(POLL_S)

    def _open_tabs(self, viewer: Viewer) -> None:
        assert self._http is not None
        rooms = viewer.rng.sample(
            self.town.rooms, viewer.rng.randint(1, min(ROOMS_PER_VIEWER_MAX, len(self.town.rooms)))
        )
        for number in range(2 if viewer.rng.random() < SECOND_TAB_SHARE else 1):
            name = f"{viewer.id}#{number}"
            viewer.tabs.append(
                Tab(
                    name,
                    self.town.token(self._settings, viewer.id),
                    {room: RoomView(name, room, self.frames, self._findings) for room in rooms},
                    self._addresses,
                    self._http,
                    viewer.rng,
                    self._findings,
                    viewer.on_frame,
                    viewer.on_lost,
                )
            )

    def _draw(self, viewer: Viewer) -> Request:
        """The next gift: mostly cheap ones in combos, now and then a dear one, or one that must be refused."""
        rng, town = viewer.rng, self.town
        room = rng.choice(list(viewer.tabs[0].views))
        gift, count = rng.choice(CHEAP), rng.choice((1, 1, 1, 2, 5, 99))
        last = self._last.get(viewer.id)
        if last is not None and rng.random() < COMBO_SHARE:
            room, gift = last
        if rng.random() < 0.05:
            gift, count = rng.choice(DEAR), 1
        self._last[viewer.id] = (room, gift if gift in CHEAP else CHEAP[0])
        if rng.random() < BAD_SHARE:
            gift, count = rng.choice(((NEVER_SOLD, 1), ("rose", 0), ("rose", 10_000), ("universe", 9_999)))
        coins = town.prices.get(gift, 0) * count
        return Request(f"{self._run}-{next(self._ids)}", viewer.id, room, gift, count, coins)
