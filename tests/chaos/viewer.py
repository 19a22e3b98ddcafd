"""One viewer: sends gifts with ids of its own, and asks again until it knows what became of each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

from tests.chaos.book import FOR_NOW, Ack, Book, Request
from tests.chaos.tab import Tab

ANSWER_TIMEOUT_S = 2.5
"""After this without an answer a page takes its connection for dead. The server promises an answer within a second."""

LOOK_EVERY_S = 0.05
BACKOFF_FIRST_S = 0.1
BACKOFF_MAX_S = 4.0
OPEN_MAX = 25
"""Unanswered gifts past which a viewer stops sending new ones."""

ASK_AGAIN_SHARE = 0.04
"""Answered gifts that are asked about once more, as if the answer had been lost on the way."""

BOTH_TABS_SHARE = 0.05
"""Gifts that go out on two connections at once."""

DROPS_PER_S = 0.04
BAD_SHARE = 0.03

MakeRequest = Callable[["Viewer"], Request]


class _Open:
    """An unanswered request: where it went last, and when it goes out again."""

    __slots__ = ("again_at_s", "request", "tab", "tries")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.tab: Tab | None = None
        self.tries = 0
        self.again_at_s = 0.0


class Viewer:
    """gifts_per_s: how often it sends. make: draws the next gift."""

    def __init__(self, user_id: str, rng: Random, book: Book, make: MakeRequest, gifts_per_s: float) -> None:
        self.id = user_id
        self.rng = rng
        self.tabs: list[Tab] = []
        self.gifts_per_s = gifts_per_s
        self.gave_up = False
        self._book = book
        self._make = make
        self._open: dict[str, _Open] = {}
        self._answered: list[Request] = []

    @property
    def unanswered(self) -> int:
        return len(self._open)

    def describe_unanswered(self) -> str:
        """What waits, and what the pages could do about it."""
        asked = [
            f"{waiting.request.id} to {waiting.request.room} ({waiting.tries} refusals)"
            for waiting in self._open.values()
        ]
        pages = "; ".join(tab.describe() for tab in self.tabs)
        return f"{self.id} waits for {len(asked)} answers: {', '.join(asked[:3])}; {pages}"

    async def play(self, stop: asyncio.Event) -> None:
        """Send gifts, lose connections now and then, until told to stop."""
        while not stop.is_set():
            await asyncio.sleep(self.rng.expovariate(self.gifts_per_s))
            if len(self._open) < OPEN_MAX and not self.gave_up:
                self._ask(self._book.open(self._make(self)))
            if self._answered and self.rng.random() < ASK_AGAIN_SHARE:
                self.ask_again(self.rng.choice(self._answered))
            if self.rng.random() < DROPS_PER_S / self.gifts_per_s:
                self.rng.choice(self.tabs).drop()

    async def nag(self) -> None:
        """Ask again whatever has no answer, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            now_s = loop.time()
            for waiting in list(self._open.values()):
                if waiting.again_at_s <= now_s:
                    self._send(waiting, now_s)
            await asyncio.sleep(LOOK_EVERY_S)

    def ask_again(self, request: Request) -> None:
        """Ask about a gift that was answered already."""
        if request.id not in self._open:
            self._ask(request)

    def give_up(self) -> None:
        """Close the page for good; what became of the unanswered gifts is never learnt."""
        self.gave_up = True
        for waiting in self._open.values():
            waiting.request.given_up = True
        self._open.clear()

    def on_frame(self, tab: Tab, frame: dict[str, Any]) -> None:
        """An answer to a gift, or news that needs none."""
        if frame["type"] not in {"gift_ack", "gift_nack"}:
            return
        request = self._book.requests[frame["id"]]
        waiting = self._open.get(request.id)
        if frame["type"] == "gift_ack":
            self._book.acked(request, Ack(frame["gift_id"], frame["coins"], frame["combo"], frame["at"]))
        else:
            self._book.refused(request, frame["code"])
            if frame["code"] in FOR_NOW:
                if waiting is not None:
                    self._wait(waiting, frame.get("retry_ms", 0) / 1000)
                return
        if self._open.pop(request.id, None) is not None and request not in self._answered:
            self._answered.append(request)

    def on_lost(self, tab: Tab) -> None:
        """What went out on a connection that broke is asked again on another one."""
        for waiting in self._open.values():
            if waiting.tab is tab:
                self._wait(waiting, 0.0)

    def _ask(self, request: Request) -> None:
        self._open[request.id] = _Open(request)
        self._send(self._open[request.id], asyncio.get_running_loop().time())

    def _send(self, waiting: _Open, now_s: float) -> None:
        if waiting.tab is not None and waiting.again_at_s <= now_s:
            waiting.tab.drop()
        ready = [tab for tab in self.tabs if tab.can_send(waiting.request.room)]
        if not ready:
            waiting.tab, waiting.again_at_s = None, now_s + LOOK_EVERY_S
            return
        # Another connection than last time, where there is one: the answer has to be the same everywhere.
        others = [tab for tab in ready if tab is not waiting.tab] or ready
        tab = self.rng.choice(others)
        both = len(ready) > 1 and self.rng.random() < BOTH_TABS_SHARE
        request = waiting.request
        for place in ready if both else [tab]:
            place.send(
                {"type": "gift", "id": request.id, "room": request.room, "gift": request.gift, "count": request.count}
            )
            request.sends += 1
        waiting.tab, waiting.again_at_s = tab, now_s + ANSWER_TIMEOUT_S

    def _wait(self, waiting: _Open, least_s: float) -> None:
        """Come back after a full-jitter pause."""
        waiting.tries += 1
        most_s = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2.0 ** min(waiting.tries, 10))
        waiting.tab = None
        waiting.again_at_s = asyncio.get_running_loop().time() + least_s + self.rng.uniform(0, most_s)
