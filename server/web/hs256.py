"""JSON Web Tokens under one of our own keys (RFC 7515, HMAC with SHA-256): checked by hand, as every hello brings one.

PyJWT, which signs them, takes ten times as long to check one. What it refuses is refused here too: the tests compare.
"""

import base64
import binascii
import hmac
from collections.abc import Callable, Iterable
from typing import Any

import orjson

ALGORITHM = "HS256"
"""The only one that our keys are used with; what a token's own header says is never believed."""


def read_signed(token: str, keys: Callable[[object], Iterable[str]]) -> dict[str, Any]:
    """What a token says, if one of the keys signed it. keys: those that a header's `kid` may stand for.

    Nothing is read of what it says before the signature was found right. Raises ValueError for any other token.
    """
    signed, _, signature = token.rpartition(".")
    header, _, payload = signed.partition(".")
    read = orjson.loads(_decode(header))
    if not isinstance(read, dict) or read.get("alg") != ALGORITHM or "crit" in read:
        raise ValueError("not a token of ours")
    mac = _decode(signature)
    for key in keys(read.get("kid")):
        if hmac.compare_digest(mac, hmac.digest(key.encode(), signed.encode(), "sha256")):
            claims = orjson.loads(_decode(payload))
            if isinstance(claims, dict):
                return claims
            break
    raise ValueError("not signed with a key of ours")


def check_claims(claims: dict[str, Any], now_s: float, leeway_s: float) -> None:
    """Whether a token is for us and holds now: `exp` it must have, `nbf` it may. Raises ValueError."""
    if "aud" in claims:
        raise ValueError("for somebody else")
    exp, nbf = claims.get("exp", ""), claims.get("nbf", 0)
    if type(exp) not in {int, float} or type(nbf) not in {int, float}:
        raise ValueError("not a time")
    if int(exp) <= now_s - leeway_s or int(nbf) > now_s + leeway_s:
        raise ValueError("expired, or not valid yet")


def _decode(part: str) -> bytes:
    """Base64 with - and _, without padding. Raises ValueError."""
    if "=" in part:
        raise ValueError("padded")
    try:
        return base64.b64decode(part.encode("ascii") + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
