"""Tokens that we sign ourselves (JWT, HS256): made with the newest key, and taken with that one or a former one."""

import hashlib
import time
from collections.abc import Iterable
from functools import lru_cache, partial

import jwt

from server.domain import text
from server.domain.errors import Code, Refusal
from server.domain.ids import ROOM_ID, USER_ID
from server.settings import Settings
from server.web.hs256 import ALGORITHM, check_claims, read_signed
from server.web.identity import Identity, Role, read_identity

TOKEN_CHARS_MAX = 4096
TTL_DEFAULT_S = 12 * 3600

KEYS_MAX = 16
"""Keys whose names are remembered."""


@lru_cache(maxsize=KEYS_MAX)
def key_id(secret: str) -> str:
    """The `kid` of a key of ours: made from the key, so that nobody has to name it."""
    return hashlib.sha256(b"giftstream key id\n" + secret.encode()).hexdigest()[:16]


def issue_token(
    settings: Settings,
    user_id: str,
    name: str,
    role: str,
    ttl_s: float,
    *,
    room: str | None = None,
    read_only: bool = False,
) -> str:
    """A signed token. Raises ValueError for an id or role that no token may carry."""
    if not USER_ID.fullmatch(user_id):
        raise ValueError("a user id has 1 to 64 characters: letters, digits, and any of _ . @ -")
    if room is not None and not ROOM_ID.fullmatch(room):
        raise ValueError("a room id has 1 to 64 characters: letters, digits, _ and -")
    now = int(time.time())
    claims: dict[str, object] = {
        "sub": user_id,
        "name": text.clean(name, text.NAME_CHARS_MAX) or user_id[: text.NAME_CHARS_MAX],
        "role": Role(role).value,
        "iat": now,
        "exp": int(now + ttl_s),
    }
    if room is not None:
        claims["room"] = room
    if read_only:
        claims["ro"] = True
    secret = settings.token_secret
    return jwt.encode(claims, secret, algorithm=ALGORITHM, headers={"kid": key_id(secret)})


def verify(settings: Settings, token: object) -> Identity:
    """Who a token of ours speaks for. Raises Refusal(unauthorized), which says nothing about why."""
    if not isinstance(token, str) or not 0 < len(token) <= TOKEN_CHARS_MAX:
        raise Refusal(Code.UNAUTHORIZED)
    try:
        claims = read_signed(token, partial(_keys, settings))
        # When it was issued says nothing: a clock that was set back would keep everybody out, and for good.
        check_claims(claims, time.time(), settings.token_leeway_s)
        return read_identity(claims, settings.token_leeway_s)
    except (ValueError, OverflowError, RecursionError):
        raise Refusal(Code.UNAUTHORIZED) from None


def _keys(settings: Settings, kid: object) -> Iterable[str]:
    """The key that a `kid` names, or all of them: an app that signs with our key may call it what it likes."""
    secrets = (settings.token_secret, *settings.token_secrets_former)
    named = [secret for secret in secrets if key_id(secret) == kid]
    return named or secrets
