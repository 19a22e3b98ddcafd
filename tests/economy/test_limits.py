"""Budgets and pauses over HTTP: lowered at once, raised after a day, and never overspent by gifts."""

from __future__ import annotations

import time

import pytest
from msgspec import structs

from server.domain.controls import Period
from server.domain.gift import Accepted
from server.domain.ids import GiftId, UserId
from server.ledger import controls
from server.ledger.wallets import grant
from server.settings import Settings
from server.stores import postgres
from server.stores.postgres import Pool
from server.web import budget_warnings
from server.web.budget_warnings import BudgetWarnings
from tests.web.conftest import StartGateway
from tests.web.gateways import Gateway, running_gateway


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
    assert await controls.take_up_raises(pool, 10) == ["ann"]
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


async def test_a_budget_that_is_nearly_spent_is_a_notice_once_and_live_on_every_screen(
    gateway: Gateway, start_gateway: StartGateway, pool: Pool
) -> None:
    other = await start_gateway()
    ann, room = await gateway.coins("ann", 1_000), await gateway.open_room()
    await gateway.limit("ann", Period.DAY, 100)
    await gateway.limit("ann", Period.MONTH, 200)
    here, there = await gateway.enter(ann, room), await other.enter(ann, room)
    assert (await here.gift(room, "rose", 80, id="crossing"))["near"] == ["day"]
    told = [await client.receive("notice") for client in (here, there)]
    assert told[0] == told[1]
    assert told[0]["message"].startswith("80 % or more of your budget for this day is spent. The next day begins 20")
    assert told[0]["detail"] == {"limit": "day", "near": True, "ends_at": Period.DAY.bounds_us(told[0]["at"])[1]}

    # Asked again, through both gateways: the same answer, and nothing more to tell.
    for client in (here, there):
        assert (await client.gift(room, "rose", 80, id="crossing"))["near"] == ["day"]
    # A budget that was raised is another one, and so is that of the month.
    await gateway.limit("ann", Period.DAY, 200)
    await pool.execute("UPDATE control_raises SET effective_at = now()")
    assert await controls.take_up_raises(pool, 10) == ["ann"]
    in_force = await here.receive("notice")
    assert in_force["message"] == "Your budget for each day is 200 coins now, as you wished a day ago."
    await gateway.limit("ann", Period.WEEK, 1_000)
    _, sent = await gateway.post(f"/rooms/{room}/gifts", {"gift": "rose", "count": 80}, ann)
    assert sent["near"] == ["day", "month"]
    assert {(await here.receive("notice"))["detail"]["limit"] for _ in range(2)} == {"day", "month"}
    _, feed = await gateway.get("/notices", ann)
    assert [notice["detail"].get("near", False) for notice in feed["notices"]] == [True, True, False, True]


async def test_items_warn_of_a_budget_too_and_a_gateway_that_ends_leaves_its_warnings(
    settings: Settings, pool: Pool
) -> None:
    async with running_gateway(settings) as gateway:
        ann, room = await gateway.coins("ann", 1_000), await gateway.open_room()
        _, items = await gateway.get("/items", kind="effect")
        item = items["items"][0]
        await gateway.limit("ann", Period.WEEK, item["coins"])
        status, bought = await gateway.post(f"/rooms/{room}/spend", {"item": item["id"]}, ann)
        assert (status, bought["near"]) == (201, ["week"])
    assert await pool.fetchval("SELECT count(*) FROM notices WHERE once LIKE 'near week %'") == 1


async def test_warnings_wait_for_postgres_bounded_and_only_as_long_as_they_are_of_use(
    settings: Settings, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget_warnings, "WAITING_MAX", 3)
    await grant(pool, UserId("ann"), 1, "purchase", "first", "")
    async with pool.acquire() as conn, conn.transaction():
        for period in Period:
            await controls.change_limit(conn, UserId("ann"), period, 100)
    told: list[str] = []
    away = await postgres.connect(settings.database_url, size_max=1)
    warnings = BudgetWarnings(away, told.append)
    await away.close()
    now_us = time.time_ns() // 1000
    gift = Accepted(GiftId(0, 1, 1), 1, 1, 1, now_us, "", (Period.WEEK, Period.MONTH))
    warnings.near("ann", structs.replace(gift, at_us=now_us - 40 * 86_400_000_000, near=(Period.DAY,)))
    warnings.near("ann", gift)
    warnings.near("ann", structs.replace(gift, near=(Period.DAY,)))
    await warnings.finish()
    assert told == []
    warnings._pool = pool
    await warnings.finish()
    rows = await pool.fetch("SELECT detail->>'limit' AS period FROM notices ORDER BY id")
    assert ([row["period"] for row in rows], told) == (["week", "month"], ["ann"])
