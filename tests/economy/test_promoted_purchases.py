"""A purchase with promotions, from the list of packages to the wallet: what is shown is what is paid and what comes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from server.stores.postgres import Pool
from tests.economy.duties import duty_on
from tests.economy.earning import bonus, discount, make
from tests.web.conftest import StartGateway
from tests.web.gateways import Gateway


@pytest.fixture
async def gateway(start_gateway: StartGateway) -> Gateway:
    return await start_gateway(demo=True, demo_bots=False)


async def package(gateway: Gateway, token: str, package_id: str = "web_500") -> Any:
    _, offered = await gateway.get("/packages", token)
    return next(one for one in offered["packages"] if one["id"] == package_id)


async def order(gateway: Gateway, token: str, offer: Any, **changes: Any) -> tuple[int, Any]:
    wanted = {"package": offer["id"], "version": offer["version"], "method": "card", "region": "PT"}
    return await gateway.post("/purchases", wanted | changes, token)


async def test_what_is_shown_is_what_is_paid_and_what_comes(gateway: Gateway, pool: Pool) -> None:
    await make(pool, bonus(first_purchase_only=True), discount())
    token = gateway.token("ann")
    ann = await gateway.enter(token)
    offer = await package(gateway, token)
    assert offer["price"] == {"amount": 499, "currency": "USD"}
    assert offer["deal"] == {
        "promotions": ["Spring bonus", "Spring bonus"],
        "bonus_coins": 250,
        "price": {"amount": 400, "currency": "USD"},
        "per_1000_coins": {"amount": 533, "currency": "USD"},
    }
    status, refused = await order(gateway, token, offer, amount=499)
    assert (status, refused["code"]) == (409, "conflict")
    status, made = await order(gateway, token, offer, amount=400)
    assert (status, made["coins"], made["bonus_coins"], made["price"]["amount"]) == (201, 500, 250, 400)
    assert (await package(gateway, token))["deal"] is None  # both are promised, once for each user
    assert (await gateway.post(f"/purchases/{made['id']}/checkout", {}, token))[0] == 200
    status, paid = await gateway.post(f"/sandbox/payments/{made['id']}", {"outcome": "success"})
    assert status == 200, paid
    await ann.receive_where(lambda frame: frame["type"] == "wallet" and frame["coins"] == 750, "the coins")
    _, made = await gateway.get(f"/purchases/{made['id']}", token)
    assert (made["status"], made["bonus_coins"]) == ("credited", 250)
    kinds = [notice["kind"] for notice in (await gateway.get("/notices", token))[1]["notices"]]
    assert sorted(kinds) == ["purchase", "reward"]
    assert (await gateway.get("/rewards", token))[1]["issued"] == {"purchased": 500, "promotional": 250}


async def test_who_has_no_account_yet_is_shown_plain_prices(gateway: Gateway, pool: Pool) -> None:
    await make(pool, bonus())
    _, offered = await gateway.get("/packages")
    assert {one["deal"] for one in offered["packages"]} == {None}
    custom = await package(gateway, gateway.token("ann"), "web_custom")
    assert custom["deal"] is None
    status, made = await order(gateway, gateway.token("ann"), custom, coins=1000)
    assert (status, made["bonus_coins"]) == (201, 500)


async def test_a_custom_amount_is_quoted_with_its_promotions_where_its_buyer_lives(
    gateway: Gateway, pool: Pool
) -> None:
    custom = frozenset({"web_custom"})
    await make(pool, bonus(packages=custom), discount(packages=custom, regions=frozenset({"PT"})))
    token = gateway.token("ann")

    async def quoted(**query: Any) -> tuple[int, Any]:
        return await gateway.get("/packages/web_custom", token, **query)

    _, abroad = await quoted(coins=1_234, region="ES")
    assert (abroad["coins"], abroad["price"]["amount"]) == (1_234, 1_234)
    assert (abroad["deal"]["bonus_coins"], abroad["deal"]["price"]["amount"]) == (617, 1_234)
    _, at_home = await quoted(coins=1_234, region="PT")
    assert (at_home["deal"]["bonus_coins"], at_home["deal"]["price"]["amount"]) == (617, 988)
    assert (await gateway.get("/packages/web_custom", coins=1_234, region="PT"))[1]["deal"] is None  # nobody known
    for query in ({}, {"coins": 99}, {"coins": "1e3"}, {"coins": 1_234, "region": "pt"}):
        assert (await quoted(**query))[0] == 400, query
    assert (await gateway.get("/packages/nothing", token))[0] == 404

    agreed = {"coins": 1_234, "amount": 988}
    status, refused = await order(gateway, token, at_home, **agreed, bonus_coins=618)
    assert (status, refused["code"]) == (409, "conflict")
    status, made = await order(gateway, token, at_home, **agreed, bonus_coins=617)
    assert (status, made["bonus_coins"], made["price"]["amount"]) == (201, 617, 988)
    assert (await quoted(coins=1_234))[1]["deal"] is None  # both are promised, once for each user


async def test_coins_that_were_given_with_a_payment_and_taken_back_with_it_were_not_given(
    gateway: Gateway, pool: Pool
) -> None:
    await make(pool, bonus())
    token = gateway.token("ann")
    ann = await gateway.enter(token)
    _, made = await order(gateway, token, await package(gateway, token))
    await gateway.post(f"/purchases/{made['id']}/checkout", {}, token)
    for outcome, issued in (("success", (500, 250)), ("refund", (0, 0))):
        await gateway.post(f"/sandbox/payments/{made['id']}", {"outcome": outcome})
        coins = sum(issued)
        await ann.receive_where(lambda frame, due=coins: frame.get("coins") == due, "the balance")
        _, rewards = await gateway.get("/rewards", token)
        assert rewards["issued"] == dict(zip(("purchased", "promotional"), issued, strict=True))


async def test_a_purchase_that_came_to_nothing_gives_its_promise_back(gateway: Gateway, pool: Pool) -> None:
    await make(pool, bonus(budget_coins=250))
    token = gateway.token("ann")
    _, made = await order(gateway, token, await package(gateway, token))
    async with duty_on(gateway.settings, pool) as duty:
        await duty.work()
        assert (await package(gateway, gateway.token("bob")))["deal"] is None
        await gateway.post(f"/purchases/{made['id']}/checkout", {}, token)
        await gateway.post(f"/sandbox/payments/{made['id']}", {"outcome": "decline"})
        async with asyncio.timeout(20):
            while (await gateway.get(f"/purchases/{made['id']}", token))[1]["status"] != "declined":
                await asyncio.sleep(0.05)
        await duty.work()
    assert (await package(gateway, gateway.token("bob")))["deal"]["bonus_coins"] == 250
