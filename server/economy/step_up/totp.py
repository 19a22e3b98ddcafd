"""Time-based one-time passwords (RFC 6238): six digits, SHA-1, a step of 30 seconds, as authenticator apps expect."""

import hmac
import secrets
from base64 import b32decode, b32encode

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from cryptography.hazmat.primitives.twofactor.totp import TOTP

STEP_S = 30
DIGITS = 6
DRIFT_STEPS = 1
"""How many steps a phone's clock may be off, either way."""

ISSUER = "giftstream"
_SECRET_BYTES = 20
_SHA1 = SHA1()  # noqa: S303 - what apps know; as a MAC it is sound


def new_secret() -> str:
    """A fresh secret of 160 bits, in base32 as people type it into an app."""
    return b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def code_at(secret: str, step: int) -> str:
    """The code of one time step."""
    return _hotp(secret).generate(step).decode()


def step_of(at_s: float) -> int:
    """The time step of a moment, in seconds since the epoch."""
    return int(at_s) // STEP_S


def matching_step(secret: str, code: str, at_s: float, after: int) -> int | None:
    """The time step near a moment that a code belongs to, only of those past `after`; None when it is of none."""
    now, hotp = step_of(at_s), _hotp(secret)
    for step in range(max(now - DRIFT_STEPS, after + 1), now + DRIFT_STEPS + 1):
        if hmac.compare_digest(hotp.generate(step), code.encode()):
            return step
    return None


def provisioning_uri(secret: str, account: str) -> str:
    """The `otpauth:` address that an app reads from a QR code."""
    return TOTP(b32decode(secret), DIGITS, _SHA1, STEP_S).get_provisioning_uri(account, ISSUER)


def _hotp(secret: str) -> HOTP:
    return HOTP(b32decode(secret), DIGITS, _SHA1)
