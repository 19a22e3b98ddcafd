"""Where an identity provider's public keys come from (RFC 7517): fetched or read within bounds, the fit ones taken."""

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import aiohttp
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWTError

ALGORITHMS = ("RS256", "ES256", "EdDSA")
"""What a provider may sign with; a key that both sides know is none of them."""

FETCH_TIMEOUT_S = 5.0
DOCUMENT_BYTES_MAX = 262_144
KEYS_MAX = 64
KEY_ID_CHARS_MAX = 256
RSA_BITS_MIN = 2048

Keys = dict[tuple[str, str], PyJWK]
"""(kid, algorithm) → key; a key without a `kid` has an empty one."""


class KeySourceError(Exception):
    """There is no key set at the address; the message holds nothing of what was answered."""


async def fetch_keys(url: str) -> Keys:
    """The keys at an https or file URL. Raises KeySourceError; OSError, TimeoutError or aiohttp.ClientError."""
    if url.startswith("file:"):
        document = await asyncio.to_thread(_read_file, Path(unquote(urlsplit(url).path)))
    else:
        document = await _fetch(url)
    return read_keys(document)


def read_keys(document: bytes) -> Keys:
    """Those keys of a set that can verify with one of ALGORITHMS. Raises KeySourceError if there is none."""
    try:
        listed = json.loads(document)["keys"]
    except (ValueError, RecursionError, LookupError, TypeError) as error:
        raise KeySourceError("what was answered is no key set") from error
    if not isinstance(listed, list) or len(listed) > KEYS_MAX:
        raise KeySourceError(f"a key set is a list of at most {KEYS_MAX} keys")
    keys: Keys = {}
    for entry in listed:
        key = _key(entry) if isinstance(entry, dict) else None
        if key is not None:
            keys[key.key_id or "", key.algorithm_name] = key
    if not keys:
        raise KeySourceError(f"the key set has no key for {', '.join(ALGORITHMS)}")
    return keys


def _key(entry: dict[str, Any]) -> PyJWK | None:
    """The key, or None for one that is for something else, too weak, secret, or broken."""
    kid = entry.get("kid", "")
    if not isinstance(kid, str) or len(kid) > KEY_ID_CHARS_MAX:
        return None
    if entry.get("use", "sig") != "sig" or "d" in entry or entry.get("alg", ALGORITHMS[0]) not in ALGORITHMS:
        return None
    try:
        key = PyJWK(entry)
    except (PyJWTError, ValueError, TypeError, LookupError, AttributeError):
        return None
    if key.algorithm_name not in ALGORITHMS or entry.get("crv", "P-256") not in {"P-256", "Ed25519"}:
        return None
    if isinstance(key.key, RSAPublicKey) and key.key.key_size < RSA_BITS_MIN:
        return None
    return key


async def _fetch(url: str) -> bytes:
    timeout = aiohttp.ClientTimeout(total=FETCH_TIMEOUT_S)
    async with (
        aiohttp.ClientSession(timeout=timeout) as http,
        # A redirect could lead away from https.
        http.get(url, allow_redirects=False, headers={"Accept": "application/json"}) as answer,
    ):
        if answer.status != 200:
            raise KeySourceError(f"the key set's address answered {answer.status}")
        document = bytearray()
        async for piece in answer.content.iter_any():
            document += piece
            if len(document) > DOCUMENT_BYTES_MAX:
                raise KeySourceError(f"the key set is larger than {DOCUMENT_BYTES_MAX} bytes")
        return bytes(document)


def _read_file(path: Path) -> bytes:
    with path.open("rb") as file:
        document = file.read(DOCUMENT_BYTES_MAX + 1)
    if len(document) > DOCUMENT_BYTES_MAX:
        raise KeySourceError(f"the key set is larger than {DOCUMENT_BYTES_MAX} bytes")
    return document
