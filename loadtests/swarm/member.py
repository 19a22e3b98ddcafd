"""Somebody in a room: comes in, stays in, comes back, and tells Locust how long it took."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator
from typing import ClassVar

import gevent
from locust import User
from locust.exception import StopUser

from loadtests.swarm.play import play
from loadtests.swarm.record import RECORDS, Sent
from loadtests.swarm.room_socket import LOST, RefusedError, RoomSocket

LOOK_EVERY_S = 1.0
COME_BACK_S = 2.0
COME_BACK_TRIES_MAX = 10

FOR_NOW = frozenset({"busy", "unavailable", "rate_limited"})
"""Refusals that are not for good."""


class Member(User):
    """A user with a connection in one room. A giver has a wallet of its own; when there are none left, it watches.

    absent: there is no connection, and none to be had. sent: a giver's gifts.
    """

    abstract = True
    gives: ClassVar[bool] = False
    turns: ClassVar[dict[bool, Iterator[int]]] = {True: itertools.count(), False: itertools.count()}
    """Givers and watchers of this process so far; the processes take turns."""

    def on_start(self) -> None:
        self.absent = False
        self.sent: Sent | None = None
        turn = self._next_turn(gives=self.gives)
        if self.gives and turn < len(play.givers):
            self.account = play.givers[turn]
            self.sent = Sent(self.account["user"])
            RECORDS.append(self.sent)
        else:
            turn = self._next_turn(gives=False)
            self.account = play.watchers[turn % len(play.watchers)]
        self.room = play.rooms[turn % len(play.rooms)]
        self.storms = [at_s for at_s in play.profile.storms_at_s if at_s > play.elapsed_s]
        self.socket = self.new_socket()
        self.come_in("join")

    def on_stop(self) -> None:
        play.counts["deltas"] += self.socket.walker.deltas
        play.counts["delta_bytes"] += self.socket.walker.delta_bytes
        self.socket.drop()

    def new_socket(self) -> RoomSocket:
        assert self.host is not None
        return RoomSocket(f"{self.host.replace('http', 'ws', 1)}/ws", self.account["token"], self.room)

    def come_in(self, name: str) -> None:
        """Connect and join, again and again with growing pauses; the row counts from the first try."""
        began_s, pause_s = time.monotonic(), COME_BACK_S / 8
        failure: Exception | None = None
        for _ in range(COME_BACK_TRIES_MAX):
            since = self.socket.walker.position
            try:
                joined = self.socket.enter(since)
            except (*LOST, RefusedError, TimeoutError) as error:
                failure = error
                self.socket.drop()
                gevent.sleep(random.uniform(0, pause_s))
                pause_s = min(pause_s * 2, COME_BACK_S * 4)
                continue
            if since is not None:
                play.counts["resumed" if joined["recovered"] else "fresh"] += 1
            self.tell(name, began_s)
            return
        self.tell(name, began_s, failure)
        self.absent = True

    def stay_in(self) -> None:
        """Play the storm, if it is time for one. Raises StopUser when there is nothing more to do."""
        if self.absent or play.over:
            raise StopUser
        if self.storms and play.elapsed_s >= self.storms[0]:
            del self.storms[0]
            self.socket.drop()
            gevent.sleep(random.uniform(0, COME_BACK_S))
            self.come_in("come back after a storm")

    def rest(self, seconds: float) -> None:
        """Do nothing for about so long, then take what has arrived."""
        try:
            self.socket.rest(seconds * random.uniform(0.5, 1.5))
        except LOST as error:
            self.lost(error)

    def lost(self, error: Exception) -> None:
        """A connection that the server or the network ended: a failure in the report; then back in."""
        self.tell("connection", time.monotonic(), error)
        self.socket.drop()
        self.come_in("come back")

    def tell(self, name: str, since_s: float, error: Exception | None = None, until_s: float | None = None) -> None:
        """A row of the report."""
        self.environment.events.request.fire(
            request_type="ws",
            name=name,
            response_time=((time.monotonic() if until_s is None else until_s) - since_s) * 1000,
            response_length=0,
            exception=error,
            context={},
        )

    def _next_turn(self, *, gives: bool) -> int:
        return next(self.turns[gives]) * play.processes + int(getattr(self.environment.runner, "worker_index", 0))
