"""Buying over HTTP: what is agreed on, what is refused, and the sandbox with its webhooks over real HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from server.domain.packages import seed
from server.economy.recharge.providers.sandbox import outcomes
from server.economy.recharge.providers.sandbox.sandbox import Sandbox
from server.economy.recharge.providers.sandbox.signing import HEADER, TOLERANCE_S, secret_of, sign
from server.ledger.audit import audit
from server.ledger.recharge import packages
from server.stores.postgres import Pool
from tests.economy.till import Till, grow_up
from tests.ledger.stage import stage_on
from tests.web.conftest import StartGateway
from tests.web.gateways import Gateway

WAIT_S = 30.0


@pytest.fixture
async def shop(start_gateway: StartGateway) -> Gateway:
    return await start_gateway(demo=True, demo_bots=False)


async def order(shop: Gateway, token: str, package: str = "web_1000", **more: Any) -> tuple[int, dict[str, Any]]:
    headers = more.pop("headers", {})
    return await shop.post("/purchases", {"package": package, "version": 1, "method": "card", **more}, token, **headers)


async def bought(shop: Gateway, token: str, outcome: str, **more: Any) -> str:
    """A purchase whose buyer went to the checkout and let something happen there."""
    status, purchase = await order(shop, token, **more)
    assert status == 201, purchase
    status, checkout = await shop.post(f"/purchases/{purchase['id']}/checkout", {}, token)
    assert (status, checkout) == (200, {"url": f"/checkout/{purchase['id']}"})
    status, payment = await shop.post(f"/sandbox/payments/{purchase['id']}", {"outcome": outcome})
    assert status == 200, payment
    return str(purchase["id"])


async def until(shop: Gateway, token: str, purchase: str, status: str) -> dict[str, Any]:
    async with asyncio.timeout(WAIT_S):
        while True:
            _, found = await shop.get(f"/purchases/{purchase}", token)
            if found["status"] == status:
                return dict(found)
            await asyncio.sleep(0.05)


async def test_coins_appear_on_every_open_page_of_the_buyer_at_once(shop: Gateway) -> None:
    token = shop.token("ann")
    pages = [await shop.enter(token) for _ in range(2)]
    purchase = await bought(shop, token, "success")
    for page in pages:
        frame = await page.receive_where(lambda frame: frame["type"] == "wallet", "the new balance")
        assert frame["coins"] == 1000
    found = await until(shop, token, purchase, "credited")
    assert found["transaction"].startswith("sbx_")
    assert found["price"] == {"amount": 999, "currency": "USD"}
    assert found["credited_at"]
    assert (await shop.get("/purchases", token))[1]["purchases"] == [found]
    assert (await shop.get(f"/purchases/{purchase}", shop.token("bob")))[0] == 404
    assert (await audit(shop.settings)).ok


@pytest.mark.parametrize(
    ("outcome", "status", "coins"),
    [
        ("decline", "declined", 0),
        ("expired", "expired", 0),
        ("pending", "credited", 1000),
        ("late_webhook", "credited", 1000),
        ("double_webhook", "credited", 1000),
    ],
)
async def test_what_can_happen_at_the_checkout(
    shop: Gateway, monkeypatch: pytest.MonkeyPatch, outcome: str, status: str, coins: int
) -> None:
    played = outcomes.OUTCOMES[outcome]
    hurried = tuple((min(delay_s, 0.2), fact) for delay_s, fact in played.webhooks)
    monkeypatch.setitem(outcomes.OUTCOMES, outcome, replace(played, webhooks=hurried))
    token = shop.token("ann")
    purchase = await bought(shop, token, outcome)
    await until(shop, token, purchase, status)
    assert (await shop.get("/wallet", token))[1]["coins"] == coins
    if outcome == "double_webhook":
        await _until_delivered(shop, 2)
        assert (await shop.get("/wallet", token))[1]["coins"] == coins
    assert (await shop.post(f"/sandbox/payments/{purchase}", {"outcome": "decline"}))[0] == 409
    assert (await audit(shop.settings)).ok


async def _until_delivered(shop: Gateway, wanted: int) -> None:
    from server.stores import postgres

    async with await postgres.connect(shop.settings.database_url, size_max=1) as pool, asyncio.timeout(WAIT_S):
        while await pool.fetchval("SELECT count(*) FROM sandbox_deliveries WHERE delivered_at IS NOT NULL") != wanted:
            await asyncio.sleep(0.05)


async def test_a_payment_whose_webhook_is_lost_is_found_by_asking(shop: Gateway) -> None:
    token = shop.token("ann")
    purchase = await bought(shop, token, "network_loss")
    async with stage_on(shop.settings) as stage:
        till = Till.on(stage)
        await till.sweeper.sweep()
        assert (await shop.get(f"/purchases/{purchase}", token))[1]["status"] == "created"  # asked only after a while
        await stage.execute("UPDATE purchases SET created_at = now() - interval '1 minute'")
        await till.sweeper.sweep()
    assert (await shop.get(f"/purchases/{purchase}", token))[1]["status"] == "credited"
    assert (await shop.get("/wallet", token))[1]["coins"] == 1000


async def test_a_checkout_that_nobody_pays_expires(shop: Gateway) -> None:
    token = shop.token("ann")
    _, purchase = await order(shop, token)
    async with stage_on(shop.settings) as stage:
        await stage.execute("UPDATE purchases SET created_at = now() - interval '2 hours', expires_at = now()")
        await Till.on(stage).sweeper.sweep()
    assert (await shop.get(f"/purchases/{purchase['id']}", token))[1]["status"] == "expired"
    assert (await shop.post(f"/purchases/{purchase['id']}/checkout", {}, token))[0] == 409


async def test_a_webhook_without_its_signature_is_not_believed(shop: Gateway) -> None:
    token = shop.token("ann")
    purchase = await bought(shop, token, "network_loss")
    sandbox = Sandbox(None, secret_of(shop.settings.token_secret))  # type: ignore[arg-type]
    body = (
        f'{{"id":"e","fact":"paid","purchase":"{purchase}","transaction":"t","amount":999,"currency":"USD"}}'.encode()
    )
    good = sign(sandbox.secret, body)
    wrong = [
        {},
        {HEADER: sign(b"another secret", body)},
        {HEADER: sign(sandbox.secret, body, at_s=int(good[2:12]) - TOLERANCE_S - 5)},
        {HEADER: sign(sandbox.secret, body + b" ")},
        {HEADER: "t=²,v1=é"},
    ]
    for headers in wrong:
        async with shop.http.post(f"{shop.url}/api/v1/webhooks/sandbox", data=body, headers=headers) as answer:
            assert answer.status == 401, headers
    assert (await shop.get("/wallet", token))[1]["coins"] == 0
    async with shop.http.post(f"{shop.url}/api/v1/webhooks/sandbox", data=body, headers={HEADER: good}) as answer:
        assert answer.status == 200
    assert (await shop.get("/wallet", token))[1]["coins"] == 1000


async def test_what_is_bought_is_what_was_agreed_on(shop: Gateway, pool: Pool) -> None:
    token = shop.token("ann")
    key = {"Idempotency_Key": "one"}
    first = await order(shop, token, headers=key)
    assert await order(shop, token, headers=key) == first
    assert (await order(shop, token, "web_500", headers=key))[1]["code"] == "idempotency_conflict"
    custom = {"package": "web_custom", "coins": 1234}
    assert (await order(shop, token, **custom))[1]["price"] == {"amount": 1234, "currency": "USD"}
    refused = [
        ({"package": "web_nothing"}, 404),
        ({"package": "ios_70"}, 404),  # no app of ours sells
        ({"package": "web_custom"}, 400),
        ({"package": "web_custom", "coins": 99}, 400),
        ({"package": "web_custom", "coins": 200_001}, 400),
        ({"coins": 999}, 400),
        ({"method": "cash"}, 400),
        ({"version": 2}, 409),
        ({"package": "web_50000"}, 403),  # step-up
    ]
    for changes, status in refused:
        assert (await order(shop, token, **changes))[0] == status, changes
    dearer = next(package for package in seed() if package.id == "web_1000")
    async with pool.acquire() as conn:
        await packages.add(conn, replace(dearer, version=2, amount=1099))
    assert (await order(shop, token))[1]["code"] == "conflict"
    assert (await order(shop, token, version=2))[1]["price"]["amount"] == 1099
    await shop.block("ann", True)
    assert (await order(shop, token, version=2))[1]["code"] == "wallet_blocked"


async def test_an_account_buys_in_the_region_that_it_said_first(shop: Gateway, pool: Pool) -> None:
    dear = next(package for package in seed() if package.id == "web_1000")
    async with pool.acquire() as conn:
        await packages.add(conn, replace(dear, id="web_1000_ch", region="CH", currency="CHF"))
    token = shop.token("ann")
    assert (await order(shop, token))[1]["region"] == "ZZ"
    assert (await order(shop, token, region="PT"))[1]["region"] == "PT"
    assert (await order(shop, token))[1]["region"] == "PT"
    assert (await order(shop, token, region="CH"))[1]["code"] == "conflict"
    assert (await order(shop, token, "web_1000_ch", region="PT"))[1]["code"] == "conflict"
    status, offered = await shop.get("/packages", token, region="CH")
    assert (status, offered["region"], offered["region_bound"]) == (200, "PT", True)
    assert (await order(shop, shop.token("bob"), "web_1000_ch", region="CH"))[1]["price"]["currency"] == "CHF"
    assert (await order(shop, shop.token("cleo"), "web_1000", region="CH"))[1]["code"] == "conflict"


async def test_purchases_that_wait_for_their_payment_are_bounded(
    shop: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.economy.recharge.buying.UNDER_WAY_MAX", 2)
    token = shop.token("ann")
    assert [(await order(shop, token))[0] for _ in range(3)] == [201, 201, 429]


@pytest.mark.parametrize("changes", [{"demo": False}, {"demo": True, "demo_bots": False, "payments": "none"}])
async def test_the_sandbox_is_out_of_reach_where_it_takes_no_payments(
    start_gateway: StartGateway, changes: dict[str, Any]
) -> None:
    gateway = await start_gateway(**changes)
    assert (await gateway.get("/packages", gateway.token("ann")))[1]["packages"] == []
    assert (await order(gateway, gateway.token("ann")))[0] == 404
    assert (await gateway.get("/sandbox/payments/p_x"))[0] == 404
    assert (await gateway.post("/sandbox/payments/p_x", {"outcome": "success"}))[0] == 404
    assert (await gateway.post("/webhooks/sandbox", {}))[0] == 404
    async with gateway.http.get(f"{gateway.url}/checkout/p_x") as answer:
        assert answer.status == 404


async def test_outside_of_demo_mode_the_sandbox_has_to_be_configured_and_only_adults_buy(
    start_gateway: StartGateway,
) -> None:
    gateway = await start_gateway(demo=False, payments="sandbox")
    token = gateway.token("ann")
    assert (await order(gateway, token))[1]["code"] == "age_restricted"
    await grow_up(gateway.settings, "bob", years=17)
    assert (await order(gateway, gateway.token("bob")))[1]["code"] == "age_restricted"
    await grow_up(gateway.settings, "ann")
    await until(gateway, token, await bought(gateway, token, "success"), "credited")
