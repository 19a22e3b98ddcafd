"""The users of a load test, for Locust. ``make loadtest`` prepares their accounts and starts it: see loadtests.run.

Rows of the report: what a person waits for. Probes give at fixed times, whatever the answers do, and are timed from the
moment a gift was meant to be sent; so their rows show a stall that others would only wait out.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import time
from pathlib import Path
from typing import Any, ClassVar

import gevent
from locust import LoadTestShape, User, events, runners, task
from locust.env import Environment
from locust.exception import StopUser

from loadtests.swarm.profiles import PROFILES
from loadtests.swarm.record import RECORDS, Sent, write_records
from loadtests.swarm.room_socket import LOST, RefusedError, RoomSocket

FOLDER = Path(os.environ["LOADTEST_FOLDER"])
PROFILE = PROFILES[os.environ["LOADTEST_PROFILE"]]
USERS = int(os.environ["LOADTEST_USERS"])
PROCESSES = int(os.environ["LOADTEST_PROCESSES"])
CAST = json.loads((FOLDER / "cast.json").read_text())

PROBES = 4
LOOK_EVERY_S = 1.0
GIFT_PAUSE_S = 2.0
CHAT_PAUSE_S = 6.0
PROBE_EVERY_S = 1.0
ANSWER_TIMEOUT_S = 10.0
LAST_LOOK_S = 1.0
"""At the end a probe still hears about its last gift."""

ASK_AGAIN_MAX = 20
COME_BACK_S = 2.0
COMES_BACK_MAX = 10
COMBO_SHARE = 0.2
"""Of the gifts, how many begin a combo of five."""

FOR_NOW = {"busy", "unavailable", "rate_limited"}

# A generator that is busy is not gone: the default of three seconds would end the test at its most interesting moment.
runners.HEARTBEAT_LIVENESS = 30

counts: dict[str, int] = {"deltas": 0, "delta_bytes": 0, "resumed": 0, "fresh": 0}
started_s = time.monotonic()
ended = False


class Member(User):
    """Somebody in a room. Breaks off and comes back when the profile says so, or when the connection is lost."""

    abstract = True
    gives: ClassVar[bool] = False
    turns: ClassVar[Any]

    def on_start(self) -> None:
        turn = next(self.turns) * PROCESSES + getattr(self.environment.runner, "worker_index", 0)
        accounts = CAST["givers" if self.gives else "watchers"]
        self.absent = self.gives and turn >= len(accounts)
        """Every giver has a wallet of its own; without one, or without a connection, there is nothing to do."""
        self.account = accounts[turn % len(accounts)]
        self.room = CAST["rooms"][turn % len(CAST["rooms"])]
        self.storms = [at_s for at_s in PROFILE.storms_at_s if at_s > elapsed_s()]
        self.socket = self.new_socket()
        if not self.absent:
            self.come_in("join")

    def on_stop(self) -> None:
        if hasattr(self, "socket"):
            counts["deltas"] += self.socket.walker.deltas
            counts["delta_bytes"] += self.socket.walker.delta_bytes
            self.socket.drop()

    def new_socket(self) -> RoomSocket:
        return RoomSocket(f"{self.host.replace('http', 'ws', 1)}/ws", self.account["token"], self.room)

    def come_in(self, name: str) -> None:
        """Connect and join, again and again with growing pauses; the row counts from the first try."""
        began_s, pause_s = time.monotonic(), COME_BACK_S / 8
        for attempt in range(COMES_BACK_MAX):
            try:
                since = self.socket.walker.position
                joined = self.socket.enter(since)
            except (*LOST, RefusedError, TimeoutError) as error:
                failure: Exception = error
                self.socket.drop()
                gevent.sleep(random.uniform(0, pause_s))
                pause_s = min(pause_s * 2, COME_BACK_S * 4)
            else:
                if since is not None:
                    counts["resumed" if joined["recovered"] else "fresh"] += 1
                self.tell(name, began_s)
                return
        self.tell(name, began_s, failure)
        self.absent = True

    def keep_in(self) -> None:
        """Play the storm, if it is time for one. Raises StopUser when there is nothing more to do."""
        if self.absent or ended:
            raise StopUser
        if self.storms and elapsed_s() >= self.storms[0]:
            del self.storms[0]
            self.socket.drop()
            gevent.sleep(random.uniform(0, COME_BACK_S))
            self.come_in("come back after a storm")

    def lost(self, error: Exception) -> None:
        """A connection that the server or the network ended: a failure in the report; then back in."""
        self.tell("connection", time.monotonic(), error)
        self.socket.drop()
        self.come_in("come back")

    def tell(self, name: str, since_s: float, error: Exception | None = None) -> None:
        self.environment.events.request.fire(
            request_type="ws",
            name=name,
            response_time=(time.monotonic() - since_s) * 1000,
            response_length=0,
            exception=error,
            context={},
        )


class Viewer(Member):
    """Watches: reads what has arrived once a second and looks into none of it."""

    weight = 75
    turns = itertools.count()

    @task
    def watch(self) -> None:
        self.keep_in()
        try:
            self.socket.rest(LOOK_EVERY_S * random.uniform(0.8, 1.2))
        except LOST as error:
            self.lost(error)


class Chatter(Member):
    """Talks, and waits for the answer."""

    weight = 5
    turns = itertools.count(USERS)

    @task
    def say(self) -> None:
        self.keep_in()
        request_id = f"c{random.getrandbits(60):x}"
        try:
            self.socket.rest(CHAT_PAUSE_S * random.uniform(0.5, 1.5))
            began_s = time.monotonic()
            self.socket.send({"type": "chat", "id": request_id, "room": self.room, "text": "this is great"})
            answer = self.socket.wait_for("ack", "nack", timeout_s=ANSWER_TIMEOUT_S, request_id=request_id)
            error = RefusedError(answer["code"]) if answer["type"] == "nack" else None
            self.tell("chat to ack", began_s, error)
        except TimeoutError as error:
            self.tell("chat to ack", began_s, error)
        except LOST as error:
            self.lost(error)


class Gifter(Member):
    """Gives, and waits for each answer before the next gift: most people watch their coins go."""

    weight = 20
    gives = True
    turns = itertools.count(PROBES)

    def on_start(self) -> None:
        super().on_start()
        self.sent = Sent(self.account["user"])
        RECORDS.append(self.sent)
        self.numbers = itertools.count()

    @task
    def give(self) -> None:
        self.keep_in()
        try:
            self.socket.rest(GIFT_PAUSE_S * random.uniform(0.5, 1.5) / PROFILE.pace(elapsed_s()))
        except LOST as error:
            self.lost(error)
        for _ in range(5 if random.random() < COMBO_SHARE else 1):
            if not (self.absent or ended):
                self.give_one("rose", 1)

    def give_one(self, gift: str, count: int) -> None:
        """One gift, asked about under the same id until it has an answer: so nobody pays twice or for nothing."""
        request_id = f"g{next(self.numbers)}"
        self.sent.open[request_id] = (self.room, gift, count)
        began_s = time.monotonic()
        for _ in range(ASK_AGAIN_MAX):
            if self.absent or ended:
                return
            try:
                self.socket.send({"type": "gift", "id": request_id, "room": self.room, "gift": gift, "count": count})
                answer = self.socket.wait_for(
                    "gift_ack", "gift_nack", timeout_s=ANSWER_TIMEOUT_S, request_id=request_id
                )
            except TimeoutError:
                continue
            except LOST as error:
                self.lost(error)
                continue
            if answer["type"] == "gift_ack":
                self.sent.acked[request_id] = answer["gift_id"]
                del self.sent.open[request_id]
                self.tell("gift to ack", began_s)
                return
            if answer["code"] not in FOR_NOW:
                del self.sent.open[request_id]
                self.tell("gift to ack", began_s, RefusedError(answer["code"]))
                return
            gevent.sleep(answer.get("retry_ms", 200) / 1000)
        self.tell("gift to ack", began_s, TimeoutError("asked again and again without an answer"))


class Probe(Member):
    """Gives at fixed times and watches with a second connection for its own gifts."""

    fixed_count = PROBES
    gives = True
    turns = itertools.count()

    def on_start(self) -> None:
        super().on_start()
        self.storms = []
        self.sent = Sent(self.account["user"])
        RECORDS.append(self.sent)
        self.gift, self.price = ("galaxy", 1000) if self.account["coins"] > 1_000_000 else ("clover", 1)
        self.meant_s: dict[str, float] = {}
        self.shown: dict[str, float] = {}
        self.screen = self.new_socket()
        if not self.absent:
            self.screen.enter()
            self.greenlets = [gevent.spawn(self.watch), gevent.spawn(self.hear)]
        self.begin_s = time.monotonic()
        self.number = 0

    def on_stop(self) -> None:
        if not self.absent:
            gevent.sleep(LAST_LOOK_S)
            gevent.killall(self.greenlets)
            self.screen.drop()
        super().on_stop()

    @task
    def give_on_time(self) -> None:
        """The next gift, at its time."""
        if self.absent or any(greenlet.dead for greenlet in self.greenlets):
            raise StopUser
        self.number += 1
        meant_s = self.begin_s + self.number * PROBE_EVERY_S
        gevent.sleep(max(0.0, meant_s - time.monotonic()))
        if ended:
            return
        request_id = f"p{self.number}"
        self.sent.open[request_id] = (self.room, self.gift, 1)
        self.meant_s[request_id] = meant_s
        self.socket.send({"type": "gift", "id": request_id, "room": self.room, "gift": self.gift, "count": 1})

    def hear(self) -> None:
        """Take the answers."""
        while not self.absent:
            for frame in self.socket.read(LOOK_EVERY_S):
                if frame["type"] == "gift_ack":
                    meant_s = self.meant_s[frame["id"]]
                    self.tell("probe: gift to ack", meant_s)
                    self.sent.acked[frame["id"]] = frame["gift_id"]
                    del self.sent.open[frame["id"]]
                    self.match(frame["gift_id"], meant_s)
                elif frame["type"] == "gift_nack":
                    self.tell("probe: gift to ack", self.meant_s[frame["id"]], RefusedError(frame["code"]))
                    if frame["code"] not in FOR_NOW:
                        del self.sent.open[frame["id"]]

    def watch(self) -> None:
        """Look for own gifts on the screen."""
        while not self.absent:
            for frame in self.screen.read(LOOK_EVERY_S, deltas=True):
                now_s = time.monotonic()
                for gift in frame.get("gifts", ()) if frame["type"] == "delta" else ():
                    if gift["from"]["id"] == self.account["user"]:
                        self.match(gift["gift_id"], now_s)

    def match(self, gift_id: str, at_s: float) -> None:
        """Called once with when a gift was meant and once with when it was seen, in whichever order they come."""
        other_s = self.shown.pop(gift_id, None)
        if other_s is None:
            self.shown[gift_id] = at_s
            return
        self.environment.events.request.fire(
            request_type="ws",
            name="probe: gift to screen",
            response_time=abs(at_s - other_s) * 1000,
            response_length=0,
            exception=None,
            context={},
        )


if len(PROFILE.stages) > 1:

    class Shape(LoadTestShape):
        """The profile's stages, as Locust asks for them."""

        def tick(self) -> tuple[int, float] | None:
            stage = PROFILE.stage(self.get_run_time())
            if stage is None:
                return None
            return max(PROBES, round(USERS * stage.users_share)), USERS / PROFILE.ramp_s


def elapsed_s() -> float:
    """Time since the test began in this process."""
    return time.monotonic() - started_s


@events.test_start.add_listener
def on_test_start(environment: Environment, **_: Any) -> None:
    global started_s  # noqa: PLW0603 - Locust's own way to begin
    started_s = time.monotonic()


@events.quitting.add_listener
def on_quitting(environment: Environment, **_: Any) -> None:
    global ended  # noqa: PLW0603 - whoever is still under way gives nothing more
    ended = True
    if not isinstance(environment.runner, runners.MasterRunner):
        write_records(FOLDER, counts)
