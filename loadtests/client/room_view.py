"""What a process knows of the frames of one room: each is read once, however many of its members receive it."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import orjson

KEY_BYTES = 160
"""A frame's first bytes hold its room, position and time, which tell it apart from all others of the room."""

FRAMES_KNOWN_MAX = 512


class Seen(NamedTuple):
    """What a frame says. pieces: gifts, each as often as its `count`; probes: numbers of the probes in it."""

    pieces: int
    probes: tuple[int, ...]


class RoomView:
    """The frames of one room that this process has read lately."""

    def __init__(self, room: str) -> None:
        self.room = room
        self.probe_gift = ""
        self.known: OrderedDict[bytes, Seen] = OrderedDict()

    def read(self, key: bytes, payload: bytes) -> Seen:
        """Read a frame that is not known yet, and keep what it says."""
        frame = orjson.loads(payload)
        gifts = frame.get("gifts", ())
        pieces = sum(gift["count"] for gift in gifts) + frame.get("more", {}).get("count", 0)
        seen = Seen(pieces, tuple(gift["count"] for gift in gifts if gift["gift"] == self.probe_gift))
        self.known[key] = seen
        if len(self.known) > FRAMES_KNOWN_MAX:
            self.known.popitem(last=False)
        return seen
