"""How a user looks to others: gifter level, frame, badge and entrance."""

import msgspec
from msgspec import Struct

ENTRANCES = ((45, "crown"), (35, "flare"), (25, "rise"))
"""From these levels on somebody's coming is shown in a room, in this way unless they bought another."""


class Look(Struct, frozen=True, omit_defaults=True):
    """level: 0 for somebody who never spent a coin. frame, badge, entrance: looks of upgrades, '' for none."""

    level: int = 0
    frame: str = ""
    badge: str = ""
    entrance: str = ""

    @property
    def comes_in(self) -> str:
        """How the user's coming is shown; '' if it is not."""
        return self.entrance or next((look for level, look in ENTRANCES if self.level >= level), "")

    def fragment(self) -> bytes:
        """What is shown beside the name, as keys of a JSON object with a comma before each (`person_json`)."""
        shown = _encode(Look(self.level, self.frame, self.badge))[1:-1]
        return b"," + shown if shown else b""


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Look).decode


def write_look(look: Look) -> bytes:
    """The look as Redis keeps it."""
    return _encode(look)


def read_look(kept: bytes) -> Look:
    """What `write_look` wrote."""
    return _decode(kept)
