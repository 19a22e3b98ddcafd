"""Probes: gifts at fixed times, whatever the answers do, timed to the answer and to the screen.

They are timed from the moment a gift was meant to be sent, so that a stall is seen by all that should have gone
meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import gevent
from locust import task
from locust.exception import StopUser

from loadtests.swarm.member import FOR_NOW, LOOK_EVERY_S, Member
from loadtests.swarm.play import play
from loadtests.swarm.room_socket import LOST, RefusedError

PROBES = 4
PROBE_EVERY_S = 1.0
LAST_LOOK_S = 1.0
"""At the end a probe still hears about its last gift."""

RICH_COINS = 1_000_000
"""Who has as many gives what stands out among a room's gifts; others give what they can."""


class Probe(Member):
    """Gives with one connection and watches with another. It ends when it loses one, which is a failure."""

    fixed_count = PROBES
    gives = True

    def on_start(self) -> None:
        super().on_start()
        self.storms = []
        self.gift = "galaxy" if play.coins > RICH_COINS else "clover"
        self.meant_s: dict[str, float] = {}
        self._one_side: dict[str, float] = {}
        self.screen = self.new_socket()
        self.number = 0
        self.begin_s = time.monotonic()
        self.greenlets = [gevent.spawn(self._until_lost, work) for work in (self._watch, self._hear)]

    def on_stop(self) -> None:
        gevent.sleep(LAST_LOOK_S)
        gevent.killall(self.greenlets)
        self.screen.drop()
        super().on_stop()

    @task
    def give_on_time(self) -> None:
        """The next gift, at its time."""
        self.number += 1
        meant_s = self.begin_s + self.number * PROBE_EVERY_S
        gevent.sleep(max(0.0, meant_s - time.monotonic()))
        if self.absent or play.over or self.sent is None:
            raise StopUser
        request_id = f"p{self.number}"
        self.sent.open[request_id] = (self.room, self.gift, 1)
        self.meant_s[request_id] = meant_s
        try:
            self.socket.send({"type": "gift", "id": request_id, "room": self.room, "gift": self.gift, "count": 1})
        except LOST as error:
            self._give_up(error)

    def _until_lost(self, work: Callable[[], None]) -> None:
        try:
            while not self.absent:
                work()
        except (*LOST, RefusedError, TimeoutError) as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        if not self.absent:
            self.absent = True
            self.tell("connection", time.monotonic(), error)

    def _hear(self) -> None:
        """Take the answers."""
        for frame in self.socket.read(LOOK_EVERY_S):
            if frame["type"] in {"gift_ack", "gift_nack"}:
                self._answered(frame)

    def _answered(self, frame: dict[str, Any]) -> None:
        assert self.sent is not None
        request_id = frame["id"]
        if frame["type"] == "gift_ack":
            self.tell("probe: gift to ack", self.meant_s[request_id])
            self.sent.acked[request_id] = frame["gift_id"]
            self._match(frame["gift_id"], self.meant_s[request_id])
        else:
            self.tell("probe: gift to ack", self.meant_s[request_id], RefusedError(frame["code"]))
            if frame["code"] in FOR_NOW:
                # The check at the end asks what became of it.
                return
        del self.sent.open[request_id]

    def _watch(self) -> None:
        """Look for own gifts on the screen."""
        if self.screen.closed:
            self.screen.enter()
        for frame in self.screen.read(LOOK_EVERY_S, deltas=True):
            seen_s = time.monotonic()
            for gift in frame.get("gifts", ()) if frame["type"] == "delta" else ():
                if gift["from"]["id"] == self.account["user"]:
                    self._match(gift["gift_id"], seen_s)

    def _match(self, gift_id: str, at_s: float) -> None:
        """Called once with when a gift was meant and once with when it was seen, in whichever order they come."""
        other_s = self._one_side.pop(gift_id, None)
        if other_s is None:
            self._one_side[gift_id] = at_s
        else:
            self.tell("probe: gift to screen", min(at_s, other_s), until_s=max(at_s, other_s))
