"""Whose token this is: ours, or one of the identity provider whose keys were configured."""

import jwt

from server.domain.errors import Code, Refusal
from server.settings import Settings
from server.web.identity import Identity, Role, read_identity
from server.web.key_set import KeySet
from server.web.key_source import ALGORITHMS
from server.web.tokens import TOKEN_CHARS_MAX, verify


class TokenChecker:
    """A token's header only chooses between the two kinds of keys; each kind is used with its own algorithms alone."""

    def __init__(self, settings: Settings, key_set: KeySet | None) -> None:
        self._settings = settings
        self._key_set = key_set

    async def verify(self, token: object) -> Identity:
        """Who a token speaks for. Raises Refusal: unauthorized, or unavailable while the provider's keys are away."""
        if self._key_set is None or not isinstance(token, str) or not 0 < len(token) <= TOKEN_CHARS_MAX:
            return verify(self._settings, token)
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise Refusal(Code.UNAUTHORIZED) from None
        algorithm = header.get("alg")
        if algorithm not in ALGORITHMS:
            return verify(self._settings, token)
        return self._read(token, await self._key_set.find(header.get("kid"), algorithm))

    def _read(self, token: str, key: jwt.PyJWK) -> Identity:
        settings = self._settings
        require = ["sub", "exp"]
        require += ["iss"] if settings.jwks_issuer else []
        require += ["aud"] if settings.jwks_audience else []
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                leeway=settings.token_leeway_s,
                issuer=settings.jwks_issuer or None,
                audience=settings.jwks_audience or None,
                options={"require": require, "verify_iat": False},
            )
            # A provider knows roles of its own, and whatever it calls an admin is none here.
            role = Role.CREATOR if claims.get("role") == Role.CREATOR else Role.VIEWER
            return read_identity({**claims, "role": role}, settings.token_leeway_s)
        except (jwt.PyJWTError, ValueError, OverflowError, RecursionError):
            raise Refusal(Code.UNAUTHORIZED) from None
