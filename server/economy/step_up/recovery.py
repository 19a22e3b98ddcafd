"""Recovery codes: for who lost the app. Eighty random bits each, so that a plain digest of them gives nothing away."""

import hashlib
import re
import secrets

CODES = 10
_GROUPS = 4
_GROUP_CHARS = 4
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_CODE = re.compile(rf"[{_ALPHABET}]{{{_GROUPS * _GROUP_CHARS}}}")


def new_codes() -> list[str]:
    """Ten fresh codes, such as `k3v9-0ap2-…`."""
    return ["-".join(_group() for _ in range(_GROUPS)) for _ in range(CODES)]


def digest_of(code: str) -> bytes | None:
    """What is kept of a code, however it was typed; None when it cannot be one."""
    plain = re.sub(r"[\s-]", "", code).lower()
    return hashlib.sha256(plain.encode()).digest() if _CODE.fullmatch(plain) else None


def _group() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_CHARS))
