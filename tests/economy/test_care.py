"""Looking after people: ages, blocks on purchases, logins, reports, and patterns that a person should look at."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta

import pytest

from server.economy.age import old_enough
from server.economy.care.watch import FraudWatch
from server.ledger.care import logins, purchase_blocks
from server.ledger.care.logins import Login
from server.ledger.profiles import Profile
from server.stores.postgres import Pool
from tests.web.conftest import StartGateway
from tests.web.gateways import Gateway


@pytest.mark.parametrize(
    ("region", "born", "adult"),
    [
        ("PT", date(2008, 3, 5), True),
        ("PT", date(2008, 3, 6), False),
        ("KR", date(2008, 3, 5), False),
        ("KR", date(2007, 3, 5), True),
        (None, date(2008, 3, 5), True),
        ("PT", None, False),
    ],
)
def test_an_adult_is_eighteen_and_nineteen_in_south_korea(region: str | None, born: date | None, adult: bool) -> None:
    assert old_enough(Profile(region, born), date(2026, 3, 5)) is adult


async def test_behind_the_gate_nobody_of_unknown_age_gives_or_opens_a_room_until_it_is_told(
    start_gateway: StartGateway, gateway: Gateway
) -> None:
    room = await gateway.open_room()
    gate = await start_gateway(age_gate=True)
    ann = await gate.coins("ann", 100)
    client = await gate.enter(ann, room)
    assert (await client.gift(room))["code"] == "age_restricted"
    status, refused = await gate.post(f"/rooms/{room}/gifts", {"gift": "rose", "count": 1}, ann)
    assert (status, refused["code"]) == (403, "age_restricted")
    assert (await gate.post("/rooms", {"title": "x"}, gate.token("kid", "creator")))[1]["code"] == "age_restricted"
    young = (datetime.now(UTC).date() - timedelta(days=17 * 365)).isoformat()
    kid = gate.token("kid")
    status, told = await gate.call("PUT", "/account/profile", kid, json={"region": "PT", "birth_date": young})
    assert (status, told["adult"]) == (200, False)
    assert (await gate.call("PUT", "/account/profile", kid, json={"birth_date": "1990-01-01"}))[0] == 409
    await gate.call("PUT", "/account/profile", ann, json={"birth_date": "1990-02-03"})
    assert (await client.gift(room))["type"] == "gift_ack"
    assert (await gate.get("/wallet", ann))[1]["coins"] == 99


async def test_a_parents_block_holds_until_the_pin_and_wrong_pins_lock_it(
    pool: Pool, start_gateway: StartGateway
) -> None:
    gateway = await start_gateway(demo=True, demo_bots=False)
    ann = await gateway.coins("ann", 1)
    _, offered = await gateway.get("/packages", ann)
    package = offered["packages"][0]
    order = {"package": package["id"], "version": package["version"], "method": "card", "region": "PT"}
    assert (await gateway.post("/purchases", order, ann))[0] == 201
    assert (await gateway.post("/account/purchase-block", {"pin": "2468"}, ann))[1]["purchases_blocked"] is True
    assert (await gateway.post("/account/purchase-block", {"pin": "1111"}, ann))[0] == 409
    assert (await gateway.post("/purchases", order, ann))[0] == 403
    assert (await gateway.post("/account/purchase-block/lift", {"pin": "12"}, ann))[0] == 400
    for _ in range(purchase_blocks.WRONG_MAX):
        assert (await gateway.post("/account/purchase-block/lift", {"pin": "0000"}, ann))[0] == 403
    assert (await gateway.post("/account/purchase-block/lift", {"pin": "2468"}, ann))[0] == 429
    await pool.execute("UPDATE purchase_blocks SET locked_until = now() - interval '1 second'")
    assert (await gateway.post("/account/purchase-block/lift", {"pin": "2468"}, ann))[1]["purchases_blocked"] is False
    assert (await gateway.post("/purchases", order, ann))[0] == 201


async def test_purchases_have_a_pace_and_another_region_is_refused_and_flagged(
    pool: Pool, start_gateway: StartGateway
) -> None:
    gateway = await start_gateway(demo=True, demo_bots=False, purchases_per_day_max=2)
    ann = await gateway.coins("ann", 1)
    _, offered = await gateway.get("/packages", ann)
    package = offered["packages"][0]
    order = {"package": package["id"], "version": package["version"], "method": "card"}
    assert (await gateway.post("/purchases", {**order, "region": "PT"}, ann))[0] == 201
    assert (await gateway.post("/purchases", {**order, "region": "KR"}, ann))[0] == 409
    assert await pool.fetchval("SELECT pattern FROM review_flags WHERE user_id = 'ann'") == "another_region"
    assert (await gateway.post("/purchases", order, ann))[0] == 201
    assert (await gateway.post("/purchases", order, ann))[1]["code"] == "rate_limited"


async def test_where_somebody_came_from_is_kept_once_for_each_place_and_nobodys_address(
    pool: Pool, gateway: Gateway
) -> None:
    ann = await gateway.coins("ann", 1)
    for _ in range(3):
        await gateway.enter(ann)
    deadline = time.monotonic() + 20
    while not (found := (await gateway.get("/account/logins", ann))[1]["logins"]) and time.monotonic() < deadline:
        pass
    assert len(found) == 1
    assert "127.0.0.1" not in str(await pool.fetch("SELECT * FROM logins"))
    assert (await gateway.get("/account/logins", gateway.token("bob")))[1]["logins"] == []


async def test_reports_reach_admins_are_bounded_and_closed_on_record(start_gateway: StartGateway) -> None:
    gateway = await start_gateway(admin=True)
    ann, root = gateway.token("ann"), gateway.token("root", "admin")
    report = {"subject_kind": "chat", "subject": "some words", "reason": "abuse", "words": "look"}
    _, taken = await gateway.post("/reports", report, ann)
    for _ in range(19):
        assert (await gateway.post("/reports", report, ann))[0] == 201
    assert (await gateway.post("/reports", report, ann))[1]["code"] == "rate_limited"
    _, waiting = await gateway.get("/admin/reports", root, limit=1)
    assert (waiting["reports"][0]["report"], waiting["reports"][0]["reporter"]) == (taken["report"], "ann")
    close = f"/admin/reports/{taken['report']}/close"
    assert (await gateway.post(close, {"outcome": "muted"}, root))[0] == 200
    assert (await gateway.post(close, {"outcome": "muted"}, root))[0] == 404
    assert (await gateway.get("/admin/record", root))[1]["deeds"][0]["action"] == "report_closed"


async def test_patterns_are_flagged_once_a_day_and_only_from_an_amount_on(pool: Pool) -> None:
    day = int(time.time()) // 86_400
    await pool.executemany(
        "INSERT INTO earned_gifters (creator_id, day, viewer_id, coins, diamonds, gifts) VALUES ($1, $2, $3, $4, 0, 1)",
        [
            ("ann", day, "bob", 6_000),
            ("bob", day, "ann", 5_500),
            ("cara", day, "dan", 9_000),
            ("cara", day, "eve", 4_999),
            ("cara", day - 30, "eve", 9_000),
        ],
    )
    await logins.remember(pool, [Login(user, "here", "app") for user in ("cara", "dan", "eve")])
    watch = FraudWatch(pool, 5_000)
    assert await watch.look() == 3
    assert await watch.look() == 0
    found = await pool.fetch("SELECT pattern, user_id FROM review_flags ORDER BY 1, 2")
    assert [tuple(row) for row in found] == [("gift_ring", "ann"), ("gift_ring", "bob"), ("second_account", "dan")]


async def test_a_new_card_that_pays_one_creator_at_once_is_flagged(pool: Pool) -> None:
    day = int(time.time()) // 86_400
    await pool.execute("INSERT INTO users (id, name) VALUES ('ann', 'Ann'), ('bob', 'Bob')")
    await pool.execute(
        """
        INSERT INTO purchases (id, user_id, provider, method, transaction, platform, region, currency, amount, coins,
                               package_id, package_version, status, paid_at, credited_at, expires_at)
        SELECT 'p_' || user_id || age, user_id, 'stripe', 'card', user_id || age, 'web', 'PT', 'USD', 99, 6000,
               package_id, version, 'credited', now() - age, now() - age, now()
        FROM (SELECT package_id, version FROM packages LIMIT 1) AS package,
             (VALUES ('ann', interval '1 hour'), ('bob', interval '1 hour'), ('bob', interval '9 days'))
                 AS bought (user_id, age)
        """
    )
    await pool.executemany(
        "INSERT INTO earned_gifters (creator_id, day, viewer_id, coins, diamonds, gifts)"
        " VALUES ('cara', $1, $2, 5500, 0, 1)",
        [(day, "ann"), (day, "bob")],
    )
    assert await FraudWatch(pool, 5_000).look() == 1
    assert await pool.fetchval("SELECT user_id FROM review_flags") == "ann"
