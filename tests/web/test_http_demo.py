"""Demo mode: coming in without a password, and rooms that are there before anyone is."""

from __future__ import annotations

import asyncio

import pytest

from server.demo import BACKSTAGE, ROOMS, VIEWERS
from server.rooms.apply import RoomsReader
from tests.web.conftest import StartGateway
from tests.web.gateways import Gateway


async def test_without_demo_mode_there_is_no_such_login(gateway: Gateway):
    status, problem = await gateway.post("/demo/login", {"name": "Vera"})
    assert (status, problem["code"]) == (404, "not_found")


async def test_a_demo_viewer_gets_a_token_and_ten_thousand_coins(start_gateway: StartGateway):
    gateway = await start_gateway(demo=True, demo_bots=False)
    status, login = await gateway.post("/demo/login", {"name": " Vera\u202e <b> "})
    assert (status, login["user"]["name"], login["coins"]) == (201, "Vera <b>", 10_000)
    client = await gateway.connect()
    welcome = await client.hello(login["token"])
    assert (welcome["user"], welcome["coins"]) == (login["user"], 10_000)
    _, other = await gateway.post("/demo/login", {"name": "Vera"})
    assert other["user"]["id"] != login["user"]["id"]


@pytest.mark.parametrize("body", [{"name": ""}, {"name": "\u200b"}, {"name": 5}, {}, []])
async def test_a_viewer_needs_a_name(start_gateway: StartGateway, body: object):
    gateway = await start_gateway(demo=True, demo_bots=False)
    status, problem = await gateway.post("/demo/login", body)
    assert (status, problem["code"]) == (400, "bad_request")


async def test_the_same_key_makes_one_viewer_and_another_body_is_a_conflict(start_gateway: StartGateway):
    gateway, other = await start_gateway(demo=True, demo_bots=False), await start_gateway(demo=True, demo_bots=False)
    logins = await asyncio.gather(
        *(asked.post("/demo/login", {"name": "Vera"}, Idempotency_Key="k") for asked in (gateway, other, gateway))
    )
    assert all(login == logins[0] for login in logins)
    assert logins[0][0] == 201
    status, problem = await gateway.post("/demo/login", {"name": "Walt"}, Idempotency_Key="k")
    assert (status, problem["code"]) == (409, "idempotency_conflict")
    assert (await gateway.get("/wallet", logins[0][1]["token"]))[1]["coins"] == 10_000


async def test_logins_from_one_address_are_limited(start_gateway: StartGateway):
    gateway = await start_gateway(demo=True, demo_bots=False, demo_logins_per_minute=2)
    answers = [await gateway.post("/demo/login", {"name": "Vera"}) for _ in range(3)]
    assert [status for status, _ in answers] == [201, 201, 429]
    assert answers[2][1]["retry_ms"] > 0


async def test_demo_rooms_are_there_once_however_many_gateways_make_them(start_gateway: StartGateway):
    gateways = await asyncio.gather(*(start_gateway(demo=True, demo_bots=False, worker_id=f"g{n}") for n in range(2)))
    async with asyncio.timeout(20):
        while len((await gateways[0].get("/rooms"))[1]["rooms"]) < len(ROOMS) + 1:
            await asyncio.sleep(0.02)
    listed = (await gateways[1].get("/rooms"))[1]["rooms"]
    assert sorted(room["id"] for room in listed) == sorted(room_id for room_id, *_ in (*ROOMS, BACKSTAGE))
    assert [room["id"] for room in listed if "ticket" in room] == [BACKSTAGE[0]]


async def test_demo_viewers_give_and_top_gifters_appear(
    start_gateway: StartGateway, worker: RoomsReader, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("server.demo.PAUSE_S", (0.01, 0.02))
    monkeypatch.setattr("server.demo.COMBO_PAUSE_S", (0.0, 0.01))
    gateway = await start_gateway(demo=True)
    async with asyncio.timeout(30):
        while not any(room["diamonds"] for room in (await gateway.get("/rooms"))[1]["rooms"]):
            await asyncio.sleep(0.02)
    room = next(room["id"] for room in (await gateway.get("/rooms"))[1]["rooms"] if room["diamonds"])
    async with asyncio.timeout(30):
        while not (top := (await gateway.get(f"/rooms/{room}/top"))[1]["top"]):
            await asyncio.sleep(0.02)
    assert {place["user"]["id"] for place in top} <= {viewer_id for viewer_id, _ in VIEWERS}
