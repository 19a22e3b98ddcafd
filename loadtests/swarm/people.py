"""Viewers, chatters and gifters: who waits for nothing, for an answer, and for coins to go."""

from __future__ import annotations

import itertools
import random
import time

import gevent
from locust import task

from loadtests.swarm.member import FOR_NOW, LOOK_EVERY_S, Member
from loadtests.swarm.play import play
from loadtests.swarm.record import Sent
from loadtests.swarm.room_socket import LOST, RefusedError

GIFT_PAUSE_S = 2.0
CHAT_PAUSE_S = 6.0
ANSWER_TIMEOUT_S = 10.0
ASK_AGAIN_MAX = 20
ASK_AGAIN_PAUSE_MS = 200

COMBO_SHARE = 0.2
"""Of the gifts, how many begin a combo of COMBO_GIFTS."""

COMBO_GIFTS = 5


class Viewer(Member):
    """Watches: reads what has arrived about once a second and looks into none of it."""

    weight = 75

    @task
    def watch(self) -> None:
        self.stay_in()
        self.rest(LOOK_EVERY_S)


class Chatter(Member):
    """Talks, and waits for the answer."""

    weight = 5

    @task
    def say(self) -> None:
        self.stay_in()
        self.rest(CHAT_PAUSE_S)
        if self.absent:
            return
        request_id = f"c{random.getrandbits(60):x}"
        began_s = time.monotonic()
        try:
            self.socket.send({"type": "chat", "id": request_id, "room": self.room, "text": "this is great"})
            answer = self.socket.wait_for("ack", "nack", timeout_s=ANSWER_TIMEOUT_S, request_id=request_id)
        except TimeoutError as error:
            self.tell("chat to ack", began_s, error)
        except LOST as error:
            self.lost(error)
        else:
            self.tell("chat to ack", began_s, RefusedError(answer["code"]) if answer["type"] == "nack" else None)


class Gifter(Member):
    """Gives, and waits for each answer before the next gift: most people watch their coins go."""

    weight = 20
    gives = True

    def on_start(self) -> None:
        super().on_start()
        self.numbers = itertools.count()

    @task
    def give(self) -> None:
        self.stay_in()
        self.rest(GIFT_PAUSE_S / play.pace)
        if self.sent is not None:
            for _ in range(COMBO_GIFTS if random.random() < COMBO_SHARE else 1):
                self._give_one(self.sent, "rose", 1)

    def _give_one(self, sent: Sent, gift: str, count: int) -> None:
        """One gift, asked about under the same id until it has an answer: so nobody pays twice or for nothing."""
        if self.absent or play.over:
            return
        request_id = f"g{next(self.numbers)}"
        sent.open[request_id] = (self.room, gift, count)
        began_s = time.monotonic()
        for _ in range(ASK_AGAIN_MAX):
            if self.absent or play.over:
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
                sent.acked[request_id] = answer["gift_id"]
            elif answer["code"] in FOR_NOW:
                gevent.sleep(answer.get("retry_ms", ASK_AGAIN_PAUSE_MS) / 1000)
                continue
            del sent.open[request_id]
            self.tell("gift to ack", began_s, None if answer["type"] == "gift_ack" else RefusedError(answer["code"]))
            return
        self.tell("gift to ack", began_s, TimeoutError("asked again and again without an answer"))
