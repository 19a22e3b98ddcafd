"""A stand-in for Google on the loopback interface: its token service, Google Play's API, and Pub/Sub's pushes."""

from __future__ import annotations

import base64
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jwt
import orjson
from aiohttp import web
from cryptography.hazmat.primitives import serialization

from tests.web.key_server import KeyServer, Signer, key_server

PACKAGE = "org.example.gifts"
AUDIENCE = "https://gifts.example/api/v1/webhooks/google"
EMAIL = "push@example.iam.gserviceaccount.com"


class PlayStandIn:
    """purchases: by their tokens, as Google answers. consumed: tokens. down: answer 503 to everything."""

    def __init__(self, keys: KeyServer, pusher: Signer) -> None:
        self.keys = keys
        self.pusher = pusher
        self.url = ""
        self.down = False
        self.purchases: dict[str, dict[str, Any]] = {}
        self.consumed: list[str] = []
        self.logins = 0
        self._account = Signer("account", "RS256")

    def credentials(self, folder: Path) -> str:
        """A service account's key file."""
        pem = self._account.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file = folder / "credentials.json"
        file.write_bytes(
            orjson.dumps({"client_email": "api@example", "private_key": pem.decode(), "token_uri": f"{self.url}/token"})
        )
        return str(file)

    async def login(self, request: web.Request) -> web.Response:
        form = await request.post()
        claims = jwt.decode(
            str(form["assertion"]), self._account.key.public_key(), algorithms=["RS256"], audience=f"{self.url}/token"
        )
        assert claims["scope"] == "https://www.googleapis.com/auth/androidpublisher"
        self.logins += 1
        return web.json_response({"access_token": "access", "expires_in": 3600})

    async def look_up(self, request: web.Request) -> web.Response:
        if self.down:
            return web.Response(status=503)
        assert request.headers["Authorization"] == "Bearer access"
        found = self.purchases.get(request.match_info["token"])
        return web.Response(status=404) if found is None else web.json_response(found)

    async def consume(self, request: web.Request) -> web.Response:
        if self.down:
            return web.Response(status=503)
        self.consumed.append(request.match_info["token"])
        return web.Response(status=204)

    def push(self, said: dict[str, Any], number: str = "1") -> dict[str, Any]:
        """The body of a push."""
        data = orjson.dumps({"version": "1.0", "packageName": PACKAGE, "eventTimeMillis": "1"} | said)
        return {"message": {"data": base64.b64encode(data).decode(), "messageId": number}, "subscription": "s"}

    def authorization(self, signer: Signer | None = None, **changes: Any) -> dict[str, str]:
        """The header of a push, signed as Google signs it."""
        now = int(time.time())
        claims = {
            "iss": "https://accounts.google.com", "aud": AUDIENCE, "email": EMAIL, "email_verified": True,
            "iat": now, "exp": now + 600,
        }  # fmt: skip
        signer = signer or self.pusher
        token = jwt.encode(claims | changes, signer.key, algorithm="RS256", headers={"kid": signer.kid})
        return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def play_stand_in() -> AsyncIterator[PlayStandIn]:
    """The stand-in, on free ports."""
    pusher = Signer("pusher", "RS256")
    async with key_server(pusher) as keys:
        made = PlayStandIn(keys, pusher)
        app = web.Application()
        root = f"/androidpublisher/v3/applications/{PACKAGE}/purchases/products/android_1400/tokens/"
        app.router.add_post("/token", made.login)
        app.router.add_get(root + "{token}", made.look_up)
        app.router.add_post(root + "{token}:consume", made.consume)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield made
        finally:
            await runner.cleanup()
