"""An identity provider for tests: real keys, and its public ones served over HTTP as a JWKS."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
import orjson
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

ISSUER = "https://id.example"
AUDIENCE = "giftstream"


class Signer:
    """A key pair of a provider. kind: one of RS256, ES256, EdDSA."""

    def __init__(self, kid: str, kind: str, *, bits: int = 2048) -> None:
        self.kid = kid
        self.kind = kind
        self.key: Any = {
            "RS256": lambda: rsa.generate_private_key(65537, bits),
            "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
            "EdDSA": ed25519.Ed25519PrivateKey.generate,
        }[kind]()

    def jwk(self, **more: Any) -> dict[str, Any]:
        """The public key as a set lists it."""
        algorithm = jwt.get_algorithm_by_name(self.kind)
        entry = orjson.loads(algorithm.to_jwk(self.key.public_key()))
        entry.pop("key_ops", None)
        return {**entry, "kid": self.kid, "use": "sig", "alg": self.kind, **more}

    def token(self, *, headers: dict[str, Any] | None = None, **changes: Any) -> str:
        now = int(time.time())
        claims = {"sub": "vera", "name": "Vera", "iss": ISSUER, "aud": AUDIENCE, "exp": now + 600, **changes}
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, self.key, algorithm=self.kind, headers={"kid": self.kid, **(headers or {})})


class KeyServer:
    """What the address answers, and how often it was asked. `status`, `body`: to answer something else."""

    def __init__(self, *signers: Signer) -> None:
        self.keys = [signer.jwk() for signer in signers]
        self.asked = 0
        self.status = 200
        self.body: bytes | None = None
        self.url = ""

    async def answer(self, _: web.Request) -> web.Response:
        self.asked += 1
        body = orjson.dumps({"keys": self.keys}) if self.body is None else self.body
        return web.Response(status=self.status, body=body, headers={"Location": "/keys"})


@asynccontextmanager
async def key_server(*signers: Signer) -> AsyncIterator[KeyServer]:
    """Serves the signers' public keys on a free port."""
    server = KeyServer(*signers)
    app = web.Application()
    app.router.add_get("/keys", server.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/keys"
        yield server
    finally:
        await runner.cleanup()
