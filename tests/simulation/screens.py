"""What screens show that add up a room's deltas: it must be the room's total, unless they were told to begin anew.

A screen does as a client does that comes back with `since`: while its position is in the room's log, it goes on with
the deltas after it; else it begins with what the room shows. It knows nothing else of restarts, failovers and loads.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from server.stores import keys
from tests.simulation.finding import Finding, expect
from tests.simulation.valkeys import Valkeys

LOOKS = (1.0, 0.05)
"""How often the screens of a room look when it may have changed: one never sleeps, one comes back now and then."""


@dataclass
class Screen:
    """A room as its deltas make it. position: of the last one, empty before the first look."""

    looks: float
    position: str = ""
    gifts: int = 0
    coins: int = 0
    ended: bool = False


class Screens:
    """Some screens for each room; they may look after every call of its functions.

    found(what): told of a promise that is broken; whoever made the call must not hear of it.
    """

    def __init__(self, valkeys: Valkeys, seed: int, found: Callable[[str], None]) -> None:
        self._valkeys = valkeys
        self._found = found
        self._rng = random.Random(f"screens of {seed}")
        self._screens: dict[str, list[Screen]] = {}
        self._named: dict[str, int] = {}
        """Each position that was ever seen, and a checksum of its delta."""
        self.deltas = 0
        valkeys.on_room = self.look

    def look(self, key: str) -> None:
        room = key[len("{r:") : -len("}:room")]
        screens = self._screens.setdefault(room, [Screen(looks) for looks in LOOKS])
        try:
            for screen in screens:
                if self._rng.random() < screen.looks:
                    self._look(room, key, screen)
        except Finding as finding:
            self._found(str(finding))

    def _look(self, room: str, key: str, screen: Screen) -> None:
        redis, log = self._valkeys.client, keys.room_log(room)
        incarnation, n, gifts, coins, state = redis.hmget(key, "incarnation", "n", "gifts", "coins", "state")
        if incarnation is None:
            return
        if not (screen.position and redis.xrange(log, screen.position, screen.position)):
            screen.position = f"{incarnation.decode()}-{n.decode()}"
            screen.gifts, screen.coins, screen.ended = int(gifts), int(coins), state == b"ended"
            return
        for position, fields in redis.xrange(log, f"({screen.position}", "+"):
            screen.position = position.decode()
            if fields[b"k"] == b"d":
                self._take(room, screen, fields[b"f"])
            else:
                expect(not screen.ended, f"{room} ended twice")
                screen.ended = True
        expect(screen.ended == (state == b"ended"), f"{room} is {state}, its screen was not told")
        expect(screen.gifts == int(gifts), f"{room}: deltas add up to {screen.gifts} gifts, the room has {int(gifts)}")
        expect(screen.coins == int(coins), f"{room}: deltas add up to {screen.coins} coins, the room has {int(coins)}")

    def _take(self, room: str, screen: Screen, frame: bytes) -> None:
        self.deltas += 1
        delta = orjson.loads(frame)
        checksum = zlib.crc32(frame)
        named = self._named.setdefault(f"{room} {screen.position}", checksum)
        expect(named == checksum, f"{room}: {screen.position} names two deltas")
        listed: list[dict[str, int]] = delta.get("gifts", [])
        more: dict[str, int] = delta.get("more", {"count": 0, "coins": 0})
        screen.gifts += sum(entry["count"] for entry in listed) + more["count"]
        screen.coins += sum(entry["coins"] for entry in listed) + more["coins"]
        total = delta.get("gifts_total", screen.gifts)
        expect(total == screen.gifts, f"{room}: a delta says {total} gifts, all deltas make {screen.gifts}")
