"""What one fuzzing client sends: mostly frames that are nearly right, some that are right, some that are no frames."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.fuzz import wild
from tests.fuzz.wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame

FIELDS = {
    "hello": ("token",),
    "join": ("room", "since"),
    "leave": ("room",),
    "gift": ("id", "room", "gift", "count"),
    "chat": ("id", "room", "text"),
    "like": ("room", "count"),
    "ping": ("ts",),
}
CLOSINGS = (b"", b"\x03", b"\x03\xe8", b"\x00\x00", b"\xff\xff", b"\x03\xe8\xff\xfe", b"\x03\xee")
"""Right and wrong payloads of a close frame."""

ENDING_SHARE = 0.004
"""Of all frames: those that end the connection, as they must."""

UNFINISHED_SHARE = 0.25
"""Of those."""

REFUSED_FRAMES_MAX = 3
"""Frames of a connection that does not begin with a hello, and will not last."""


@dataclass(frozen=True, slots=True)
class Script:
    """The frames of one connection. Nothing comes after one that ends it: nobody would read that.

    unfinished: the last one never arrives whole; the client is gone before.
    """

    frames: list[bytes]
    unfinished: bool = False


class FrameMaker:
    """Makes frames from a seed. tokens, rooms: real ones."""

    def __init__(self, random: Random, tokens: list[str], rooms: list[str]) -> None:
        self._random = random
        self._tokens = tokens
        self._rooms = rooms
        self._count = 0
        self._kinds: list[tuple[float, Callable[[], bytes]]] = [
            (0.30, lambda: frame(TEXT, self.good())),
            (0.40, lambda: frame(TEXT, self._wild_fields())),
            (0.05, lambda: frame(TEXT, random.choice(wild.BROKEN))),
            (0.02, lambda: frame(TEXT, wild.nested(random))),
            (0.11, lambda: frame(TEXT, wild.damaged(random, self.good()))),
            (0.04, lambda: frame(BINARY, random.choice((self.good(), random.randbytes(random.randrange(200)))))),
            (0.05, lambda: frame(random.choice((PING, PONG)), random.randbytes(random.randrange(126)))),
            (0.03, self._fragments),
        ]

    def script(self, frames_max: int) -> Script:
        """What one connection sends."""
        script = self._entrance()
        length = frames_max if len(script) > 1 else REFUSED_FRAMES_MAX
        while len(script) < length:
            if self._random.random() < ENDING_SHARE:
                unfinished = self._random.random() < UNFINISHED_SHARE
                return Script([*script, self._unfinished() if unfinished else self._ending()], unfinished)
            script.append(self._next())
        return Script(script[:frames_max])

    def _entrance(self) -> list[bytes]:
        """How a client begins: mostly as it should."""
        hello = frame(TEXT, json.dumps({"type": "hello", "token": self._random.choice(self._tokens)}).encode())
        join = frame(TEXT, json.dumps({"type": "join", "room": self._random.choice(self._rooms)}).encode())
        kind = self._random.random()
        if kind < 0.85:
            return [hello, join]
        return [hello, hello] if kind < 0.92 else [join] if kind < 0.95 else [self._next()]

    def _next(self) -> bytes:
        """One frame, or the few that make up one message."""
        weights = [weight for weight, _ in self._kinds]
        return self._random.choices(self._kinds, weights)[0][1]()

    def good(self) -> bytes:
        """A frame as the interface wants it."""
        random, kind = (
            self._random,
            self._random.choice(("join", "leave", "gift", "gift", "gift", "chat", "like", "ping")),
        )
        made: dict[str, object] = {"type": kind}
        for name in FIELDS[kind]:
            made[name] = self._good_field(name, kind)
        if "since" in made and random.random() < 0.6:
            del made["since"]
        return json.dumps(made, ensure_ascii=random.random() < 0.5).encode()

    def _good_field(self, name: str, kind: str) -> object:
        random = self._random
        self._count += 1
        return {
            "token": lambda: random.choice(self._tokens),
            "room": lambda: random.choice(self._rooms),
            "since": lambda: f"{random.randrange(10**12)}-{random.randrange(10**6)}",
            "id": lambda: f"{id(self)}-{random.randrange(self._count + 1)}",
            "gift": lambda: random.choice(("rose", "heart", "crown", "universe")),
            "count": lambda: random.choice((1, 1, 1, 2, 99, 9999)),
            "text": lambda: random.choice(("hello", "gr\u00fc\u00df", "\U0001f339")),
            "ts": lambda: random.randrange(2**50),
        }[name]()

    def _wild_fields(self) -> bytes:
        """The shape of a frame, with one or more values that nobody expects, and perhaps more fields or fewer."""
        random = self._random
        kind = random.choice(tuple(FIELDS))
        parts = [
            f'"type":{json.dumps(kind)}' if random.random() < 0.9 else f'"type":{json.dumps(random.choice(wild.TYPES))}'
        ]
        for name in FIELDS[kind]:
            strange = random.random()
            if strange < 0.1:
                continue
            value = wild.value(random) if strange < 0.55 else json.dumps(self._good_field(name, kind))
            parts.append(f'"{name}":{value}')
            if strange > 0.97:
                parts.append(parts[-1])
        if random.random() < 0.2:
            parts.append(f"{wild.text(random)}:{wild.value(random)}")
        random.shuffle(parts)
        return ("{" + ",".join(parts) + "}").encode("utf-8", "surrogatepass")[:8190]

    def _fragments(self) -> bytes:
        """A message in pieces, with control frames between them."""
        random, whole = self._random, self.good()
        cuts = sorted(random.randrange(len(whole) + 1) for _ in range(random.randrange(1, 5)))
        pieces = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
        made = b""
        for number, piece in enumerate(pieces):
            last = number == len(pieces) - 1
            made += frame(CONTINUATION if number else TEXT, piece, fin=last)
            if not last and random.random() < 0.4:
                made += frame(PING, b"between")
        return made

    def _ending(self) -> bytes:
        """What no connection survives."""
        random = self._random
        good = self.good()
        return random.choice(
            (
                lambda: frame(TEXT, b'{"type":"chat","text":"' + b"x" * random.choice((8_193, 20_000, 70_000))),
                lambda: frame(TEXT, good, masked=False),
                lambda: frame(TEXT, good, rsv=random.randrange(1, 8)),
                lambda: frame(random.choice((0x3, 0x7, 0xB, 0xF)), good),
                lambda: frame(CONTINUATION, good),
                lambda: frame(TEXT, good, fin=False) + frame(TEXT, good),
                lambda: frame(PING, b"x" * 126),
                lambda: frame(PING, b"x", fin=False),
                lambda: frame(CLOSE, random.choice(CLOSINGS)),
                lambda: frame(CLOSE, b"\x03\xe8" + b"x" * 124),
            )
        )()

    def _unfinished(self) -> bytes:
        """What leaves the server waiting for more."""
        random = self._random
        return random.choice(
            (
                lambda: random.randbytes(random.randrange(1, 100)),
                lambda: bytes([0x81, 0xFF]) + (2**63 - 1).to_bytes(8, "big"),
                lambda: frame(TEXT, self.good())[: random.randrange(1, 10)],
                lambda: frame(TEXT, self.good(), fin=False),
            )
        )()
