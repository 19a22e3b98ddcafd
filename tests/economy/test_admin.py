"""What admins may do: only where it is switched on, always on record, and with coins only in twos."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from server.ledger.audit import audit
from server.stores.postgres import Pool
from tests.web.conftest import StartGateway
from tests.web.gateways import Gateway


@pytest.fixture
async def office(start_gateway: StartGateway) -> Gateway:
    return await start_gateway(admin=True)


def _admins(gateway: Gateway) -> tuple[str, str]:
    return gateway.token("root", "admin"), gateway.token("toor", "admin")


async def test_without_the_setting_there_are_no_admin_calls_and_with_it_only_for_admins(
    gateway: Gateway, office: Gateway
) -> None:
    for path in ("/admin/users?name=a", "/admin/record", "/admin/figures", "/admin/items", "/admin/adjustments"):
        assert (await gateway.get(path, gateway.token("root", "admin")))[0] == 404
        assert (await office.get(path, office.token("ann", "creator")))[0] == 403
        assert (await office.get(path))[0] == 401
        assert (await office.get(path, office.token("root", "admin")))[0] == 200


async def test_a_correction_moves_coins_once_when_a_second_person_approves(office: Gateway, pool: Pool) -> None:
    ann = await office.coins("ann", 100)
    root, toor = _admins(office)
    page = await office.enter(ann)
    status, asked = await office.post(
        "/admin/adjustments", {"user": "ann", "coins": -30, "reason": "booked twice"}, root
    )
    assert (status, asked["state"]) == (201, "proposed")
    assert (await office.get("/wallet", ann))[1]["coins"] == 100
    approve = f"/admin/adjustments/{asked['id']}/approve"
    assert (await office.call("POST", approve, root))[0] == 403
    assert (await office.call("POST", approve, office.token("ann", "admin")))[0] == 403
    status, decided = await office.call("POST", approve, toor)
    assert (status, decided["state"], decided["decided_by"]) == (200, "approved", "toor")
    assert (await page.receive("wallet"))["coins"] == 70
    assert (await office.call("POST", approve, toor))[0] == 409
    assert (await office.get("/wallet", ann))[1]["coins"] == 70
    booked = await pool.fetchrow(
        "SELECT coins, kind, reference, reason FROM credits WHERE user_id = 'ann' AND number = 2"
    )
    assert tuple(booked or ()) == (-30, "correction", asked["id"], "booked twice")
    _, record = await office.get("/admin/record", root, subject="ann")
    assert [deed["action"] for deed in record["deeds"]] == ["adjustment_approved", "adjustment_proposed"]
    with pytest.raises(asyncpg.RaiseError, match="append-only"):
        await pool.execute("DELETE FROM admin_log")
    assert (await audit(office.settings)).ok
    await pool.execute("UPDATE adjustments SET coins = -31")
    assert {check.name for check in (await audit(office.settings)).checks if not check.ok} == {
        "corrections_approved_by_two"
    }


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"user": "ann", "coins": 0, "reason": "x"}, 400),
        ({"user": "ann", "coins": 10**10, "reason": "x"}, 400),
        ({"user": "ann", "coins": 5, "reason": " "}, 400),
        ({"user": "nobody", "coins": 5, "reason": "x"}, 404),
        ({"user": "root", "coins": 5, "reason": "x"}, 403),
    ],
)
async def test_a_correction_that_makes_no_sense_is_refused(
    office: Gateway, pool: Pool, body: dict[str, Any], status: int
) -> None:
    await office.coins("ann", 100)
    assert (await office.post("/admin/adjustments", body, office.token("root", "admin")))[0] == status
    assert await pool.fetchval("SELECT count(*) FROM adjustments") == 0


async def test_the_database_itself_wants_a_second_person(office: Gateway, pool: Pool) -> None:
    await office.coins("ann", 100)
    for by in ("root", "ann"):
        with pytest.raises(asyncpg.CheckViolationError):
            await pool.execute(
                "INSERT INTO adjustments (id, user_id, coins, reason, state, proposed_by, decided_by, decided_at)"
                " VALUES ('x', 'ann', 5, 'x', 'approved', 'root', $1, now())",
                by,
            )


async def test_a_frozen_wallet_gives_nothing_until_it_is_let_go(office: Gateway) -> None:
    ann, room = await office.coins("ann", 100), await office.open_room()
    root, _ = _admins(office)
    client = await office.enter(ann, room)
    status, details = await office.post("/admin/users/ann/freeze", {"reason": "a dispute"}, root)
    assert (status, details["frozen"], details["coins"]) == (200, True, 100)
    assert (await client.gift(room))["code"] == "wallet_blocked"
    await office.post("/admin/users/ann/unfreeze", {"reason": "over"}, root)
    assert (await client.gift(room))["type"] == "gift_ack"
    assert (await office.post("/admin/users/nobody/freeze", {"reason": "x"}, root))[0] == 404
    assert (await office.post("/admin/users/ann/freeze", {"reason": ""}, root))[0] == 400


async def test_a_ban_ends_every_connection_on_every_gateway_and_lets_nobody_in(
    office: Gateway, start_gateway: StartGateway
) -> None:
    other = await start_gateway(admin=True)
    ann = await office.coins("ann", 100)
    root, _ = _admins(office)
    here, there = await office.enter(ann), await other.enter(ann)
    status, details = await office.post("/admin/users/ann/ban", {"reason": "threats"}, root)
    assert (status, details["banned"]) == (200, "threats")
    assert (await here.closed())[0] == 4401
    assert (await there.closed())[0] == 4401
    for gateway in (office, other):
        assert (await gateway.get("/wallet", ann))[0] == 403
        late = await gateway.connect()
        await late.send(type="hello", token=ann)
        assert (await late.closed())[0] == 4401
    assert (await office.post("/admin/users/root/ban", {"reason": "x"}, root))[0] == 403
    await office.post("/admin/users/ann/unban", {"reason": "apologised"}, root)
    assert (await office.get("/wallet", ann))[0] == 200


async def test_a_new_price_holds_at_once_and_a_preview_changes_nothing(office: Gateway) -> None:
    ann, room = await office.coins("ann", 100), await office.open_room()
    root, _ = _admins(office)
    client = await office.enter(ann, room)
    _, listed = await office.get("/admin/items", root, item="rose")
    rose = {name: listed["items"][0][name] for name in ("id", "name", "tier", "effect", "streakable", "diamonds")}
    status, seen = await office.post("/admin/items", {**rose, "coins": 7, "preview": True}, root)
    assert (status, seen["version"]) == (201, 2)
    assert (await client.gift(room))["coins"] == 99
    await office.post("/admin/items", {**rose, "coins": 7}, root)
    assert (await client.gift(room))["coins"] == 92
    _, listed = await office.get("/admin/items", root, item="rose")
    assert [(item["version"], item["coins"]) for item in listed["items"]] == [(2, 7), (1, 1)]
    assert (await office.post("/admin/items", {**rose, "coins": 7, "kind": "effect"}, root))[0] == 409
    package = {"id": "web_100", "platform": "web", "coins": 100, "amount": 89, "currency": "USD"}
    status, made = await office.post("/admin/packages", package, root)
    assert (status, made["price"]) == (201, {"amount": 89, "currency": "USD"})


async def test_packages_are_listed_on_sale_or_not_and_a_custom_amount_stays_one(office: Gateway) -> None:
    root, _ = _admins(office)
    retired = {"id": "ios_70", "platform": "ios", "coins": 70, "amount": 99, "currency": "USD", "active": False}
    assert (await office.post("/admin/packages", retired, root))[0] == 201
    custom = {"id": "web_custom", "platform": "web", "coins": 1, "amount": 2, "currency": "USD"}
    assert (await office.post("/admin/packages", custom | {"coins_min": 50}, root))[0] == 400
    assert (await office.post("/admin/packages", custom | {"coins_min": 50, "coins_max": 49}, root))[0] == 400
    dear = custom | {"amount": 10**9, "coins_min": 1}
    assert (await office.post("/admin/packages", dear | {"coins_max": 1001}, root))[0] == 400
    assert (await office.post("/admin/packages", dear | {"coins_max": 1000, "preview": True}, root))[0] == 201
    assert (await office.post("/admin/packages", custom | {"coins_min": 50, "coins_max": 900}, root))[0] == 201
    _, listed = await office.get("/admin/packages", root)
    newest = {one["id"]: one for one in listed["packages"]}
    assert (newest["ios_70"]["version"], newest["ios_70"]["active"]) == (2, False)
    assert {one["platform"] for one in newest.values()} == {"web", "ios", "android"}
    _, versions = await office.get("/admin/packages", root, package="web_custom")
    bounds = [(one["version"], one["coins_min"], one["coins_max"]) for one in versions["packages"]]
    assert bounds == [(2, 50, 900), (1, 100, 200_000)]


async def test_versions_of_a_package_are_listed_newest_first_and_a_region_by_what_is_sold_there(
    office: Gateway,
) -> None:
    root, _ = _admins(office)
    package: dict[str, Any] = {"id": "web_100", "platform": "web", "amount": 99, "currency": "USD"}
    for coins in (90, 120, 110):
        assert (await office.post("/admin/packages", package | {"coins": coins}, root))[0] == 201
    _, listed = await office.get("/admin/packages", root, package="web_100")
    assert [(one["version"], one["coins"]) for one in listed["packages"]] == [(4, 110), (3, 120), (2, 90), (1, 100)]

    everywhere = (await office.get("/admin/packages", root, region="PT"))[1]["packages"]
    assert {(one["platform"], one["active"]) for one in everywhere} == {("web", True)}
    brazil = package | {"id": "ios_br", "platform": "ios", "region": "BR", "coins": 70, "currency": "BRL"}
    assert (await office.post("/admin/packages", brazil, root))[0] == 201
    for region, sold in (("BR", ["ios_br"]), ("PT", ["ios_70", "ios_350", "ios_1400", "ios_7000"])):
        _, listed = await office.get("/admin/packages", root, platform="ios", region=region)
        assert [one["id"] for one in listed["packages"]] == sold
    for query in ({"region": "pt"}, {"region": "PT", "platform": "tv"}):
        assert (await office.get("/admin/packages", root, **query))[0] == 400


async def test_a_report_is_compared_payment_by_payment(office: Gateway, pool: Pool) -> None:
    await office.coins("ann", 1)
    root, _ = _admins(office)
    await pool.execute(
        """
        INSERT INTO purchases (id, user_id, provider, method, transaction, platform, region, currency, amount, coins,
                               package_id, package_version, status, paid_at, credited_at, expires_at)
        SELECT 'p_' || t, 'ann', 'stripe', 'card', 'pi_' || t, 'web', 'PT', 'USD', 499, 500, package_id, version,
               'credited', '2026-03-05 12:00Z', '2026-03-05 12:00Z', now()
        FROM (SELECT package_id, version FROM packages LIMIT 1) AS package, unnest(ARRAY[1, 2, 3, 4]) AS t
        """
    )
    await pool.execute(
        "INSERT INTO claims (provider, claim, purchase_id, kind, amount, state, final_at)"
        " VALUES ('stripe', 're_1', 'p_4', 'refund', 100, 'stands', now())"
    )
    report = "transaction,amount,currency\npi_1,499,USD\npi_2,498,USD\npi_4,399,USD\npi_9,5,USD\n"
    path = "/admin/reconciliation?provider=stripe&since=2026-03-01&until=2026-04-01"
    status, found = await office.call("POST", path, root, data=report, headers={"Content-Type": "text/csv"})
    assert status == 200
    assert [(line["transaction"], line["theirs"], line["ours"]) for line in found["differences"]] == [
        ("pi_2", 498, 499),
        ("pi_3", None, 499),
        ("pi_9", 5, None),
    ]
    bad = await office.call(
        "POST", path, root, data="transaction,amount\npi_1,x\n", headers={"Content-Type": "text/csv"}
    )
    assert (bad[0], bad[1]["detail"]) == (400, "Line 2 has no transaction, amount and currency.")
    _, figures = await office.get("/admin/figures", root, since="2026-03-05", until="2026-03-06")
    assert figures["revenue"] == [
        {
            "provider": "stripe",
            "sold": {"amount": 1996, "currency": "USD"},
            "taken_back": {"amount": 100, "currency": "USD"},
            "purchases": 4,
            "coins": 2000,
        }
    ]
    assert figures["outstanding"]["coins"] == 1


async def test_an_admin_finds_users_and_follows_what_is_theirs(office: Gateway) -> None:
    ann, room = await office.coins("ann", 100), await office.open_room()
    root, _ = _admins(office)
    client = await office.enter(ann, room)
    ack = await client.gift(room, "rose", 2)
    _, found = await office.get("/admin/users", root, name="An")
    assert [row["user"]["id"] for row in found["users"]] == ["ann"]
    _, details = await office.get("/admin/users/ann", root)
    assert (details["coins"], details["pending"], details["settled"], details["promotional"]) == (98, 2, 100, 100)
    status, traced = await office.get(f"/admin/trace/{ack['gift_id']}", root, user="ann")
    assert (status, traced["user"], traced["trace"]["about"]) == (200, "ann", "gift")
    assert (await office.get("/admin/trace/nothing", root))[0] == 404
