"""The pretend provider's webhooks are signed as real ones are: HMAC-SHA256 over the time and the body."""

import hashlib
import hmac
import time

HEADER = "Sandbox-Signature"
TOLERANCE_S = 300
"""Older signatures are refused: a webhook that was caught on its way cannot be sent again for ever."""


def secret_of(token_secret: str) -> bytes:
    """The key that both ends of this installation have, made from the one that signs tokens."""
    return hmac.digest(token_secret.encode(), b"giftstream sandbox webhooks", "sha256")


def sign(secret: bytes, body: bytes, at_s: int | None = None) -> str:
    """The header for a body. at_s: seconds since the epoch, now unless given."""
    at = str(int(time.time()) if at_s is None else at_s)
    return f"t={at},v1={_mac(secret, at, body)}"


def is_signed(secret: bytes, body: bytes, header: str, now_s: float | None = None) -> bool:
    """Whether a body comes with its signature, and that is not old."""
    parts = dict(part.partition("=")[::2] for part in header[:256].split(","))
    at, mac = parts.get("t", ""), parts.get("v1", "")
    if not (at.isascii() and at.isdigit()) or not mac.isascii():
        return False
    now_s = time.time() if now_s is None else now_s
    return abs(now_s - int(at)) <= TOLERANCE_S and hmac.compare_digest(mac, _mac(secret, at, body))


def _mac(secret: bytes, at: str, body: bytes) -> str:
    return hmac.new(secret, at.encode() + b"." + body, hashlib.sha256).hexdigest()
