"""What the database keeps and should not be able to read: sealed with keys made from the server's own."""

import hashlib
import hmac
from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from server.settings import Settings

_KEY_BYTES = 32


class SealBrokenError(Exception):
    """Sealed with a key that this server does not hold, any more or at all."""


class Sealer:
    """Seals texts for one purpose: with the key that signs tokens today, to be opened also with the former ones.

    purpose: keeps keys apart, so that what was sealed for one cannot be passed off as another's.
    """

    def __init__(self, settings: Settings, purpose: str) -> None:
        """Raises ValueError where no key is set."""
        if not settings.token_secret:
            raise ValueError("nothing can be sealed without a token secret")
        secrets = [settings.token_secret, *settings.token_secrets_former]
        keys = [_derive(secret, purpose) for secret in secrets]
        self._fernets = MultiFernet([Fernet(urlsafe_b64encode(key)) for key in keys])
        self._newest = Fernet(urlsafe_b64encode(keys[0]))
        self._marks = [_derive(secret, f"{purpose} fingerprint") for secret in secrets]

    def seal(self, text: str) -> bytes:
        """The text so that only `unseal` reads it; never the same twice."""
        return self._newest.encrypt(text.encode())

    def unseal(self, sealed: bytes) -> str:
        """The text. Raises SealBrokenError."""
        try:
            return self._fernets.decrypt(sealed).decode()
        except InvalidToken:
            raise SealBrokenError("a sealed text cannot be opened: was its key taken from the settings?") from None

    def renewed(self, sealed: bytes) -> tuple[bytes, bytes] | None:
        """What a former key sealed, sealed with today's, and its fingerprint; None for anything else."""
        if not self.is_old(sealed):
            return None
        try:
            text = self.unseal(sealed)
        except SealBrokenError:
            return None
        return self.seal(text), self.fingerprints(text)[0]

    def is_old(self, sealed: bytes) -> bool:
        """Whether today's key did not seal it."""
        try:
            self._newest.decrypt(sealed)
        except InvalidToken:
            return True
        return False

    def fingerprints(self, text: str) -> list[bytes]:
        """Tells whether two texts are the same without keeping them: first by today's key, then by the former ones."""
        return [hmac.digest(mark, text.encode(), hashlib.sha256) for mark in self._marks]


def _derive(secret: str, purpose: str) -> bytes:
    return HKDF(SHA256(), _KEY_BYTES, salt=None, info=f"giftstream {purpose}".encode()).derive(secret.encode())
