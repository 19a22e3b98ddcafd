"""A stand-in for Stripe's API on the loopback interface, and webhooks signed as Stripe signs them."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import orjson
from aiohttp import web

KEY = "sk_test_stand_in"
WEBHOOK_SECRET = "whsec_stand_in"


class StripeStandIn:
    """Checkout sessions by id, and the requests that were made. down: answer 500 to everything."""

    def __init__(self) -> None:
        self.url = ""
        self.down = False
        self.sessions: dict[str, dict[str, Any]] = {}
        self.asked: list[dict[str, str]] = []
        self._by_key: dict[str, str] = {}
        self._events = count(1)

    async def create(self, request: web.Request) -> web.Response:
        if self.down:
            return web.json_response({"error": {"type": "api_error", "message": "down"}}, status=500)
        assert request.headers["Authorization"] == f"Bearer {KEY}"
        form = {name: str(value) for name, value in (await request.post()).items()}
        key = request.headers["Idempotency-Key"]
        if key not in self._by_key:
            session_id = f"cs_{len(self.sessions) + 1}"
            self._by_key[key] = session_id
            self.asked.append(form)
            self.sessions[session_id] = {
                "id": session_id,
                "object": "checkout.session",
                "url": f"{self.url}/pay/{session_id}",
                "status": "open",
                "payment_status": "unpaid",
                "payment_intent": None,
                "client_reference_id": form["client_reference_id"],
                "amount_total": int(form["line_items[0][price_data][unit_amount]"]),
                "currency": form["line_items[0][price_data][currency]"],
            }
        return web.json_response(self.sessions[self._by_key[key]])

    async def retrieve(self, request: web.Request) -> web.Response:
        if self.down:
            return web.json_response({"error": {"type": "api_error", "message": "down"}}, status=500)
        return web.json_response(self.sessions[request.match_info["session"]])

    def pay(self, session_id: str) -> dict[str, Any]:
        """The buyer paid: the session as Stripe has it now."""
        session = self.sessions[session_id]
        session.update(status="complete", payment_status="paid", payment_intent=f"pi_{session_id}")
        return session

    def event(self, kind: str, what: dict[str, Any]) -> bytes:
        """A webhook's body."""
        return orjson.dumps(
            {
                "id": f"evt_{next(self._events)}",
                "object": "event",
                "type": kind,
                "created": int(time.time()),
                "data": {"object": what},
            }
        )


def signed(body: bytes, secret: str = WEBHOOK_SECRET, at_s: int | None = None) -> dict[str, str]:
    """The header that Stripe sends with a body."""
    at = int(time.time()) if at_s is None else at_s
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={at},v1={mac}"}


@asynccontextmanager
async def stripe_stand_in() -> AsyncIterator[StripeStandIn]:
    """The stand-in, on a free port."""
    made = StripeStandIn()
    app = web.Application()
    app.router.add_post("/v1/checkout/sessions", made.create)
    app.router.add_get("/v1/checkout/sessions/{session}", made.retrieve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield made
    finally:
        await runner.cleanup()
