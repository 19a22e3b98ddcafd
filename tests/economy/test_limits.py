"""Budgets and pauses over HTTP: lowered at once, raised after a day, and never overspent by gifts."""

from __future__ import annotations

from server.ledger import controls
from server.stores.postgres import Pool
from tests.web.gateways import Gateway


async def test_a_budget_stops_gifts_says_which_and_until_when_and_a_raise_waits_a_day(
    gateway: Gateway, pool: Pool
) -> None:
    ann, room = await gateway.coins("ann", 100), await gateway.open_room()
    client = await gateway.enter(ann, room)
    status, limits = await gateway.call("PUT", "/account/limits/day", ann, json={"coins": 10})
    assert (status, limits["budgets"][0]["coins"], limits["budgets"][0]["spent"]) == (200, 10, 0)
    assert (await client.gift(room, "rose", 7)).get("near") is None
    assert (await client.gift(room, "rose", 1))["near"] == ["day"]
    refused = await client.gift(room, "rose", 3)
    assert (refused["code"], refused["limit"]) == ("limit_exceeded", "day")
    assert "until" in refused
    _, limits = await gateway.call("PUT", "/account/limits/day", ann, json={"coins": 50})
    assert (limits["budgets"][0]["coins"], limits["budgets"][0]["spent"]) == (10, 8)
    assert limits["budgets"][0]["raised"]["coins"] == 50
    assert (await client.gift(room, "rose", 3))["code"] == "limit_exceeded"
    await pool.execute("UPDATE control_raises SET effective_at = now()")
    assert await controls.take_up_raises(pool, 10) == 1
    _, limits = await gateway.call("PUT", "/account/limits/week", ann, json={"coins": 1_000})
    assert (await client.gift(room, "rose", 3))["type"] == "gift_ack"
    assert (await gateway.call("PUT", "/account/limits/year", ann, json={"coins": 1}))[0] == 404
    _, notices = await gateway.get("/notices", ann)
    assert notices["notices"][-1]["message"] == "You set a budget of 10 coins for each day, from now on."


async def test_a_pause_stops_everything_and_cannot_be_shortened(gateway: Gateway) -> None:
    ann, room = await gateway.coins("ann", 100), await gateway.open_room()
    client = await gateway.enter(ann, room)
    _, limits = await gateway.post("/account/pause", {"days": 30}, ann)
    refused = await client.gift(room)
    assert (refused["code"], "until" in refused) == ("wallet_blocked", True)
    assert (await gateway.post("/account/pause", {"days": 1}, ann))[1]["paused_until"] == limits["paused_until"]
