"""Who shows rewarded ads and surveys, and how a report of theirs is known to be one.

A provider signs `<timestamp>.<nonce>.<body>` with the key that it shares with this installation (HMAC-SHA256).
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass

from server.domain.errors import Code, Refusal
from server.ledger.earning.rewarded import Kind
from server.settings import Settings

CLOCK_DIFFERENCE_MAX_S = 300
"""How old a report may be, or how far ahead; nonces are kept for longer than that."""
SANDBOX = "sandbox"

_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_NONCE = re.compile(r"[\x21-\x7e]{8,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Provider:
    """Somebody who shows ads or surveys. url: where a session is shown, `{session}` in it; '' for this page itself."""

    name: str
    kind: Kind
    key: bytes
    url: str

    def address(self, session_id: str) -> str:
        """Where to go with a session."""
        return self.url.replace("{session}", session_id)


@dataclass(frozen=True, slots=True)
class Signed:
    """A report as it came. timestamp: seconds since the Unix epoch; signature: hexadecimal."""

    timestamp: str
    nonce: str
    signature: str
    body: bytes


def providers_of(settings: Settings) -> dict[Kind, Provider]:
    """The provider of each kind; in demo mode the sandbox stands in for those that there are none of."""
    found: dict[Kind, Provider] = {}
    if settings.demo:
        key = hmac.digest(settings.token_secret.encode(), b"giftstream rewarded sandbox", hashlib.sha256)
        kinds: tuple[Kind, ...] = ("ad", "survey")
        found = {kind: Provider(SANDBOX, kind, key, "") for kind in kinds}
    for entry in settings.rewarded_providers:
        name, kind, key_text, url = entry.split()
        found[kind] = Provider(name, kind, key_text.encode(), url)  # type: ignore[index, arg-type]
    return found


def sign(key: bytes, timestamp: str, nonce: str, body: bytes) -> str:
    """The signature of a report."""
    return hmac.new(key, b".".join((timestamp.encode(), nonce.encode(), body)), hashlib.sha256).hexdigest()


def check(providers: Mapping[Kind, Provider], name: str, signed: Signed, now_s: float) -> None:
    """Raises Refusal (unauthorized) unless this provider signed the report just now."""
    keys = [provider.key for provider in providers.values() if provider.name == name]
    readable = _TIMESTAMP.fullmatch(signed.timestamp) and _NONCE.fullmatch(signed.nonce) and signed.signature.isascii()
    if not readable or not any(
        hmac.compare_digest(sign(key, signed.timestamp, signed.nonce, signed.body), signed.signature) for key in keys
    ):
        raise Refusal(Code.UNAUTHORIZED, "This report is not signed by a provider known here.")
    if abs(now_s - int(signed.timestamp)) > CLOCK_DIFFERENCE_MAX_S:
        raise Refusal(Code.UNAUTHORIZED, "This report was signed too long ago, or ahead of time.")
