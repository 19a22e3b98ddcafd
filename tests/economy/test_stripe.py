"""Stripe through its official library: checkout sessions, signed webhooks, refunds, disputes; its API stood in for."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from server.ledger.audit import audit
from server.settings import Settings, SettingsError
from tests.economy.stripe_stand_in import KEY, WEBHOOK_SECRET, StripeStandIn, signed, stripe_stand_in
from tests.economy.till import Till, grow_up
from tests.ledger.stage import stage_on
from tests.web.conftest import StartGateway
from tests.web.gateways import Gateway


@pytest.fixture
async def stripe() -> AsyncIterator[StripeStandIn]:
    async with stripe_stand_in() as made:
        yield made


@pytest.fixture
async def shop(start_gateway: StartGateway, stripe: StripeStandIn) -> Gateway:
    gateway = await start_gateway(
        payments="stripe",
        stripe_key=KEY,
        stripe_webhook_secret=WEBHOOK_SECRET,
        stripe_api_url=stripe.url,
        public_url="https://gifts.example/",
    )
    await grow_up(gateway.settings, "ann")
    return gateway


async def tell(shop: Gateway, body: bytes, headers: dict[str, str] | None = None) -> int:
    headers = signed(body) if headers is None else headers
    async with shop.http.post(f"{shop.url}/api/v1/webhooks/stripe", data=body, headers=headers) as answer:
        return answer.status


async def begun(shop: Gateway, token: str) -> tuple[str, str]:
    """A purchase at the checkout: its id and the session's."""
    _, purchase = await shop.post("/purchases", {"package": "web_1000", "version": 1, "method": "stripe"}, token)
    status, checkout = await shop.post(f"/purchases/{purchase['id']}/checkout", {}, token)
    assert status == 200, checkout
    return str(purchase["id"]), str(checkout["url"].rpartition("/")[2])


async def state(shop: Gateway, token: str, purchase: str) -> tuple[str, int]:
    found = (await shop.get(f"/purchases/{purchase}", token))[1]
    return found["status"], (await shop.get("/wallet", token))[1]["coins"]


async def test_a_checkout_is_the_agreed_price_and_the_same_one_when_asked_again(
    shop: Gateway, stripe: StripeStandIn
) -> None:
    token = shop.token("ann")
    purchase, session = await begun(shop, token)
    again = await shop.post(f"/purchases/{purchase}/checkout", {}, token)
    assert again == (200, {"url": f"{stripe.url}/pay/{session}"})
    (form,) = stripe.asked
    assert form["mode"] == "payment"
    assert form["line_items[0][price_data][unit_amount]"] == "999"
    assert form["line_items[0][price_data][currency]"] == "usd"
    assert form["client_reference_id"] == form["metadata[purchase]"] == purchase
    assert form["payment_intent_data[metadata][purchase]"] == purchase
    assert form["success_url"] == f"https://gifts.example/wallet#coins/{purchase}"
    stripe.down = True
    _, other = await shop.post("/purchases", {"package": "web_100", "version": 1, "method": "stripe"}, token)
    assert (await shop.post(f"/purchases/{other['id']}/checkout", {}, token))[0] == 503


async def test_signed_webhooks_credit_once_and_unsigned_ones_never(shop: Gateway, stripe: StripeStandIn) -> None:
    token = shop.token("ann")
    purchase, session = await begun(shop, token)
    body = stripe.event("checkout.session.completed", stripe.pay(session))
    for headers in (
        {},
        signed(body, "whsec_another"),
        signed(body + b" "),
        signed(body, at_s=int(time.time()) - 3600),
    ):
        assert await tell(shop, body, headers) == 401
    assert await state(shop, token, purchase) == ("created", 0)
    assert [await tell(shop, body) for _ in range(2)] == [200, 200]
    assert await tell(shop, stripe.event("checkout.session.completed", stripe.sessions[session])) == 200
    assert await tell(shop, stripe.event("customer.created", {"id": "cus_1"})) == 200
    assert await state(shop, token, purchase) == ("credited", 1000)
    assert (await audit(shop.settings)).ok


async def test_a_delayed_payment_is_pending_until_it_succeeds_or_fails(shop: Gateway, stripe: StripeStandIn) -> None:
    token = shop.token("ann")
    for kind, status, coins in (
        ("checkout.session.async_payment_failed", "declined", 0),
        ("checkout.session.async_payment_succeeded", "credited", 1000),
    ):
        purchase, session = await begun(shop, token)
        waiting = stripe.sessions[session] | {"status": "complete", "payment_intent": f"pi_{session}"}
        assert await tell(shop, stripe.event("checkout.session.completed", waiting)) == 200
        assert (await state(shop, token, purchase))[0] == "pending"
        assert await tell(shop, stripe.event(kind, waiting)) == 200
        assert await state(shop, token, purchase) == (status, coins)
    purchase, session = await begun(shop, token)
    assert await tell(shop, stripe.event("checkout.session.expired", stripe.sessions[session])) == 200
    assert (await state(shop, token, purchase))[0] == "expired"


def dispute(session: str, status: str) -> dict[str, Any]:
    return {
        "id": f"dp_{session}",
        "payment_intent": f"pi_{session}",
        "amount": 999,
        "currency": "usd",
        "status": status,
    }


def refund(session: str, number: int, amount: int, status: str) -> dict[str, Any]:
    return {
        "id": f"re_{session}_{number}",
        "payment_intent": f"pi_{session}",
        "amount": amount,
        "currency": "usd",
        "status": status,
    }


async def test_refunds_and_disputes_take_coins_back_in_whatever_order_they_are_told(
    shop: Gateway, stripe: StripeStandIn
) -> None:
    token = shop.token("ann")
    purchase, session = await begun(shop, token)
    paid = stripe.event("checkout.session.completed", stripe.pay(session))
    early = stripe.event("refund.created", refund(session, 1, 333, "succeeded"))
    assert [await tell(shop, body) for body in (early, paid)] == [200, 200]
    assert await state(shop, token, purchase) == ("credited", 666)
    steps = [
        ("refund.updated", refund(session, 1, 333, "failed"), ("credited", 1000)),
        ("refund.created", refund(session, 2, 999, "pending"), ("credited", 1000)),
        ("charge.dispute.created", dispute(session, "warning_needs_response"), ("credited", 1000)),
        ("charge.dispute.created", dispute(session, "needs_response"), ("charged_back", 0)),
        ("charge.dispute.funds_withdrawn", dispute(session, "needs_response"), ("charged_back", 0)),
        ("charge.dispute.closed", dispute(session, "won"), ("credited", 1000)),
        ("charge.dispute.funds_reinstated", dispute(session, "won"), ("credited", 1000)),
        ("refund.updated", refund(session, 2, 999, "succeeded"), ("refunded", 0)),
    ]
    for kind, what, wanted in steps:
        assert await tell(shop, stripe.event(kind, what)) == 200
        assert await state(shop, token, purchase) == wanted, kind
    assert (await audit(shop.settings)).ok


async def test_a_payment_that_no_webhook_told_of_is_found_by_asking(shop: Gateway, stripe: StripeStandIn) -> None:
    token = shop.token("ann")
    purchase, session = await begun(shop, token)
    async with stage_on(shop.settings) as stage:
        till = Till.on(stage)
        aged = "UPDATE purchases SET created_at = now() - interval '1 minute', asked_at = NULL"
        await stage.execute(aged)
        stripe.down = True
        await till.sweeper.sweep()  # nobody answers: later again
        stripe.down = False
        await stage.execute(aged)
        await till.sweeper.sweep()
        assert await state(shop, token, purchase) == ("created", 0)
        stripe.pay(session)
        await stage.execute(aged)
        await till.sweeper.sweep()
        await till.cashier.providers.close()
    assert await state(shop, token, purchase) == ("credited", 1000)
    assert await tell(shop, stripe.event("checkout.session.completed", stripe.sessions[session])) == 200
    assert await state(shop, token, purchase) == ("credited", 1000)


def test_stripe_needs_its_key_and_its_secret() -> None:
    with pytest.raises(SettingsError, match="GIFTSTREAM_STRIPE_WEBHOOK_SECRET"):
        Settings(payments="stripe", stripe_key="sk")
