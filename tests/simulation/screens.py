"""What a screen shows that saw a room from the start and every delta since: added up, it must be the room's total."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from server.stores import keys
from tests.simulation.finding import expect
from tests.simulation.valkeys import Valkeys


@dataclass
class Screen:
    """A room as its deltas make it."""

    incarnation: bytes
    position: str
    gifts: int
    coins: int


class Screens:
    """One screen for each room; looks at the room's log after every call of its functions."""

    def __init__(self, valkeys: Valkeys) -> None:
        self._valkeys = valkeys
        self._screens: dict[str, Screen] = {}
        self.deltas = 0
        valkeys.on_room = self.look

    def forget(self) -> None:
        """The data were replaced: screens begin with what is there now."""
        self._screens.clear()

    def look(self, key: str) -> None:
        room = key[len("{r:") : -len("}:room")]
        redis = self._valkeys.client
        incarnation, n, gifts, coins = redis.hmget(key, "incarnation", "n", "gifts", "coins")
        if incarnation is None:
            self._screens.pop(room, None)
            return
        screen = self._screens.get(room)
        if screen is None or screen.incarnation != incarnation:
            self._screens[room] = Screen(incarnation, f"{incarnation.decode()}-{n.decode()}", int(gifts), int(coins))
            return
        for position, fields in redis.xrange(keys.room_log(room), f"({screen.position}", "+"):
            screen.position = position.decode()
            if fields[b"k"] == b"d":
                self._take(room, screen, orjson.loads(fields[b"f"]))
        expect(screen.gifts == int(gifts), f"{room}: deltas add up to {screen.gifts} gifts, the room has {int(gifts)}")
        expect(screen.coins == int(coins), f"{room}: deltas add up to {screen.coins} coins, the room has {int(coins)}")

    def _take(self, room: str, screen: Screen, delta: dict[str, object]) -> None:
        self.deltas += 1
        listed: list[dict[str, int]] = delta.get("gifts", [])  # type: ignore[assignment]
        more: dict[str, int] = delta.get("more", {"count": 0, "coins": 0})  # type: ignore[assignment]
        screen.gifts += sum(entry["count"] for entry in listed) + more["count"]
        screen.coins += sum(entry["coins"] for entry in listed) + more["coins"]
        total = delta.get("gifts_total", screen.gifts)
        expect(total == screen.gifts, f"{room}: a delta says {total} gifts, all deltas make {screen.gifts}")
