"""Values that nobody expects, and JSON texts that two readers could understand differently."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

NUMBERS = (
    "0", "-0", "-1", "1", "1.0", "1.5", "1e0", "1e308", "1e309", "-1e309", "1e-400", "1E+999999", "9999", "10000",
    "2147483648", "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775809",
    "18446744073709551616", "1" * 400, "0." + "1" * 400, "NaN", "Infinity", "-Infinity", "01", "+1", "1.", ".5",
    "0x10", "1_000", "\u0661",
)  # fmt: skip

TEXTS = (
    "", " ", "a", "rose", "\u0000", "a\u0000b", "\ud800", "\udfff\ud800", "\U0001f469\u200d\U0001f467",
    "\u202egnorw\u202c", "\u200b", "e" + "\u0301" * 80, "\ufeff", "\u2028", "\r\n", "{w00}:shard", "}{", "a:b", "*",
    "'; DROP TABLE rooms; --", "%s%n%x", "../../etc", "__proto__", "constructor", "<img src=x onerror=alert(1)>",
    "${jndi:x}", "x" * 63, "x" * 64, "x" * 65, "y" * 200, "z" * 801, "q" * 7000, "\u0130", "\u00df" * 100, "-1",
    "null", "true", "1-1", "w00-1-1",
)  # fmt: skip

TYPES = ("hello", "join", "leave", "gift", "chat", "like", "ping", "welcome", "delta", "", "HELLO", "gift ", "\u0000")

BROKEN = (
    b"", b" ", b"{", b"}", b"[]", b"[", b"null", b"true", b"5", b'"gift"', b"{}", b'{"type"}', b'{"type":}',
    b"{'type':'ping'}", b'{"type":"ping",}', b'{"type":"ping"}{"type":"ping"}', b'{"type":"ping"} x',
    b'\xef\xbb\xbf{"type":"ping"}', b'{"type":"ping"//x\n}', b'{"type":"ping","type":"hello"}',
    b'{"type":"gift","id":"a","id":"b"}', b'{"\\u0074ype":"ping"}', b'{"type":"\\ud800"}',
    b'{"type":"ping","x":"\\ud800"}', b'{"type":"ping","x":"\xed\xa0\x80"}', b'{"type":"ping","x":"\xff"}',
    b'{"type":"ping","x":"\xc0\xaf"}', b'{"type":"chat","text":"\x00"}', b'{"type":"ping","x":"\\x"}',
    b'{"type":"ping","x":"\\u12"}', b'{"type":"ping","x":"\n"}', b"\x00", b"\xff\xfe{\x00}\x00", b"\x1f\x8b\x08",
    b"GET / HTTP/1.1\r\n\r\n",
)  # fmt: skip


def value(random: Random, depth: int = 0) -> str:
    """The JSON text of any value (or of what is none)."""
    kind = random.random()
    if kind < 0.35:
        return random.choice(NUMBERS)
    if kind < 0.75:
        return text(random)
    if kind < 0.85 or depth > 3:
        return random.choice(("null", "true", "false"))
    inner = [value(random, depth + 1) for _ in range(random.randrange(4))]
    if kind < 0.92:
        return "[" + ",".join(inner) + "]"
    return "{" + ",".join(f"{text(random)}:{part}" for part in inner) + "}"


def text(random: Random) -> str:
    """The JSON text of a string, its odd characters escaped or as they are."""
    chosen = random.choice(TEXTS)
    if random.random() < 0.1:
        chosen = "".join(chr(random.randrange(0x110000)) for _ in range(random.randrange(40)))
    return json.dumps(chosen, ensure_ascii=random.random() < 0.7)


def nested(random: Random) -> bytes:
    """Depth without end, closed or not."""
    depth = random.choice((50, 500, 1000, 2000, 3900))
    opened, closed = random.choice(((b"[", b"]"), (b'{"a":', b"}"), (b'{"type":[', b"]}")))
    depth = min(depth, 7800 // (len(opened) + len(closed)))
    inside = opened * depth + b"1" + closed * (depth if random.random() < 0.7 else 0)
    return inside if random.random() < 0.5 else b'{"type":"ping","x":' + inside + b"}"


def damaged(random: Random, whole: bytes) -> bytes:
    """Some bytes changed, lost, doubled or strange."""
    made = bytearray(whole)
    for _ in range(random.randrange(1, 6)):
        at = random.randrange(len(made) + 1)
        _DAMAGES[random.randrange(len(_DAMAGES))](random, made, at)
    return bytes(made)


_STRANGE = (b"\xff", b"\x00", b"\xf0\x9f", b'"', b"\\", b"{", b",")
_DAMAGES: tuple[Callable[[Random, bytearray, int], object], ...] = (
    lambda random, made, at: made.__setitem__(slice(at, at + 1), bytes([random.randrange(256)])),
    lambda random, made, at: made.__delitem__(slice(at, at + random.randrange(1, 8))),
    lambda random, made, at: made.__setitem__(slice(at, at), made[at : at + random.randrange(1, 40)]),
    lambda random, made, at: made.__setitem__(slice(at, at), random.choice(_STRANGE)),
)
