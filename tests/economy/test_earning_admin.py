"""Admins make promotions and challenges in versions, try them, see what is used, and end them."""

from __future__ import annotations

import asyncio

import pytest

from server.stores.postgres import Pool
from tests.economy.calls.earning import CHALLENGE, CONTEST, PROMOTION, TRIAL
from tests.economy.earning import Shop
from tests.web.conftest import StartGateway
from tests.web.gateways import Gateway


@pytest.fixture
async def gateway(start_gateway: StartGateway) -> Gateway:
    return await start_gateway(admin=True)


@pytest.fixture
def admin(gateway: Gateway) -> str:
    return gateway.token("ada", "admin")


async def test_a_promotion_is_tried_made_changed_and_ended(gateway: Gateway, admin: str, pool: Pool) -> None:
    _, tried = await gateway.post("/admin/promotions/preview", TRIAL, admin)
    assert (tried["bonus_coins"], tried["amount"], tried["applied"][0]["version"]) == (50, 99, 0)
    _, tried = await gateway.post("/admin/promotions/preview", TRIAL | {"region": "ES"}, admin)
    assert tried == {"bonus_coins": 0, "discount": 0, "amount": 99, "applied": []}

    status, made = await gateway.post("/admin/promotions", PROMOTION, admin)
    assert (status, made["version"], made["active"], made["created_by"]) == (201, 1, True, "ada")
    shop = Shop(pool)
    _, before = await shop.order("ann")
    _, made = await gateway.post("/admin/promotions", PROMOTION | {"percent": 10}, admin)
    assert (made["version"], made["used_coins"], made["uses"]) == (2, 50, 1)
    _, after = await shop.order("bob")
    assert (before.bonus_coins, after.bonus_coins) == (50, 10)
    status, ended = await gateway.post("/admin/promotions/spring/end", {}, admin)
    assert (status, ended["version"], ended["active"]) == (200, 3, False)
    _, none = await shop.order("cid")
    assert none.bonus_coins == 0
    await gateway.post("/admin/promotions", PROMOTION | {"id": "autumn"}, admin)
    _, page = await gateway.get("/admin/promotions", admin, limit=1)
    assert [one["terms"]["id"] for one in page["promotions"]] == ["autumn"]
    _, page = await gateway.get("/admin/promotions", admin, cursor=page["next"])
    assert [(one["version"], one["terms"]["percent"]) for one in page["promotions"]] == [(3, 10), (2, 10), (1, 50)]
    assert (await gateway.post("/admin/promotions/none/end", {}, admin))[0] == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "discount", "budget_coins": None},  # in app stores prices are the stores' own
        {"kind": "discount", "budget_coins": None, "platforms": ["web"], "percent": 91},
        {"budget_coins": None},
        {"coins": 5},
        {"ends_at": PROMOTION["starts_at"]},
        {"regions": ["Portugal"]},
        {"id": "Spring!"},
        {"uses_max": 0},
    ],
)
async def test_terms_that_contradict_each_other_are_refused(
    gateway: Gateway, admin: str, pool: Pool, changes: dict[str, object]
) -> None:
    status, answer = await gateway.post("/admin/promotions", PROMOTION | changes, admin)
    assert (status, answer["code"]) == (400, "bad_request")
    assert await pool.fetchval("SELECT count(*) FROM promotions") == 0


async def test_promotions_are_shown_to_those_they_are_for(gateway: Gateway, admin: str, pool: Pool) -> None:
    await gateway.post("/admin/promotions", PROMOTION | {"regions": None, "first_purchase_only": True}, admin)
    ann = gateway.token("ann")
    (shown,) = (await gateway.get("/promotions", ann))[1]["promotions"]
    assert (shown["id"], shown["percent"], shown["first_purchase_only"]) == ("spring", 50, True)
    await Shop(pool).buy("ann")
    assert (await gateway.get("/promotions", ann))[1]["promotions"] == []
    await gateway.post("/admin/promotions", PROMOTION | {"regions": ["KR"]}, admin)
    assert (await gateway.get("/promotions", gateway.token("bob")))[1]["promotions"] == []


async def test_a_challenge_is_announced_shown_and_called_off(gateway: Gateway, admin: str) -> None:
    ann = await gateway.enter(await gateway.coins("ann", 10))
    await gateway.post("/admin/challenges", CHALLENGE, admin)
    await gateway.post("/admin/challenges", CONTEST | {"announce": False}, admin)
    told = await ann.receive("notice")
    assert (told["kind"], told["message"], told["detail"]["challenge"]) == ("challenge", "Send ten roses", "roses")
    await ann.silent("notice")
    _, shown = await gateway.get("/challenges", gateway.token("ann"))
    assert {one["id"]: one["state"] for one in shown["challenges"]} == {"roses": "open", "week": "open"}
    status, ended = await gateway.post("/admin/challenges/roses/end", {}, admin)
    assert (status, ended["state"]) == (200, "cancelled")
    _, shown = await gateway.get("/challenges", gateway.token("ann"))
    assert [one["id"] for one in shown["challenges"]] == ["week"]
    _, page = await gateway.get("/admin/challenges", admin, limit=1)
    assert [(one["terms"]["id"], one["state"]) for one in page["challenges"]] == [("roses", "cancelled")]
    assert page["next"]


async def test_nobody_else_may_and_without_the_setting_the_calls_do_not_exist(start_gateway: StartGateway) -> None:
    gateway = await start_gateway()
    for path, body in (("/admin/promotions", PROMOTION), ("/admin/challenges", CHALLENGE)):
        assert (await gateway.post(path, body, gateway.token("ada", "admin")))[0] == 404


async def test_the_demo_has_something_to_win_and_gives_nothing_to_who_did_not_say_so(
    start_gateway: StartGateway, pool: Pool
) -> None:
    gateway = await start_gateway(demo=True, demo_bots=False)
    await start_gateway(demo=True, demo_bots=False)
    token = gateway.token("ann")
    async with asyncio.timeout(20):
        while len((await gateway.get("/challenges", token))[1]["challenges"]) < 4:
            await asyncio.sleep(0.05)
    _, shown = await gateway.get("/challenges", token)
    assert all(one["opt_in"] and not one["taking_part"] for one in shown["challenges"])
    status, joined = await gateway.post(f"/challenges/{shown['challenges'][0]['id']}/join", None, token)
    assert (status, joined["taking_part"]) == (200, True)
    (offered,) = (await gateway.get("/promotions", token))[1]["promotions"]
    assert (offered["percent"], offered["platforms"]) == (10, ["web"])
    assert await pool.fetchval("SELECT count(*) FROM notices") == 0


async def test_every_step_is_on_record(gateway: Gateway, admin: str) -> None:
    await gateway.post("/admin/promotions", PROMOTION, admin)
    await gateway.post("/admin/promotions/spring/end", {}, admin)
    await gateway.post("/admin/challenges", CHALLENGE, admin)
    await gateway.post("/admin/challenges/roses/end", {}, admin)
    _, kept = await gateway.get("/admin/record", admin)
    assert [(step["admin"], step["action"], step["subject"]) for step in kept["deeds"]] == [
        ("ada", "challenge_called_off", "roses"),
        ("ada", "challenge_version_added", "roses"),
        ("ada", "promotion_version_added", "spring"),
        ("ada", "promotion_version_added", "spring"),
    ]
