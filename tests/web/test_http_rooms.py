"""Rooms over HTTP: who may open and end them, how they are listed, and their ranking."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from server.rooms.apply import RoomsReader
from tests.web.conftest import StartGateway
from tests.web.gateways import Gateway


async def test_a_creator_opens_a_room_and_anyone_can_look_at_it(gateway: Gateway):
    status, room = await gateway.post(
        "/rooms", {"title": "  Piano\n at \u202enight "}, gateway.token("cara", "creator")
    )
    assert status == 201
    assert (room["title"], room["state"], room["creator"]) == ("Piano at night", "live", {"id": "cara", "name": "Cara"})
    assert (room["diamonds"], room["gifts"], room["viewers"]) == (0, 0, 0)
    assert datetime.fromisoformat(room["started_at"]).utcoffset() is not None
    assert await gateway.get(f"/rooms/{room['id']}") == (200, room)
    assert await gateway.get("/rooms") == (200, {"rooms": [room], "next": None})


async def test_viewers_open_rooms_in_demo_mode_only(start_gateway: StartGateway):
    plain, demo = await start_gateway(), await start_gateway(demo=True, demo_bots=False)
    for gateway, status in ((plain, 403), (demo, 201)):
        assert (await gateway.post("/rooms", {"title": "Mine"}, gateway.token("vera")))[0] == status
    assert (await plain.post("/rooms", {"title": "Mine"}))[0] == 401


@pytest.mark.parametrize("title", ["", "   ", "\u202e\u200b", 5, None])
async def test_a_room_needs_a_title(gateway: Gateway, title: object):
    status, problem = await gateway.post("/rooms", {"title": title}, gateway.token("cara", "creator"))
    assert (status, problem["code"]) == (400, "bad_request")


async def test_rooms_cannot_be_opened_by_the_dozen(gateway: Gateway):
    token = gateway.token("cara", "creator")
    answers = [await gateway.post("/rooms", {"title": "Again"}, token) for _ in range(12)]
    assert [status for status, _ in answers[:10]] == [201] * 10
    assert answers[-1][1]["code"] == "rate_limited"
    assert (await gateway.post("/rooms", {"title": "Mine"}, gateway.token("carl", "creator")))[0] == 201


async def test_only_its_creator_or_an_admin_ends_a_room_and_ending_it_twice_is_fine(gateway: Gateway):
    room, second = await gateway.open_room("cara"), await gateway.open_room("cara")
    status, problem = await gateway.post(f"/rooms/{room}/end", {}, gateway.token("carl", "creator"))
    assert (status, problem["code"]) == (403, "forbidden")
    assert (await gateway.post(f"/rooms/{room}/end", {}))[0] == 401
    for _ in range(2):
        status, ended = await gateway.post(f"/rooms/{room}/end", {}, gateway.token("cara", "creator"))
        assert (status, ended["state"]) == (200, "ended")
    assert (await gateway.post(f"/rooms/{second}/end", {}, gateway.token("root", "admin")))[1]["state"] == "ended"
    assert (await gateway.get("/rooms"))[1]["rooms"] == []
    assert (await gateway.get(f"/rooms/{room}"))[1]["state"] == "ended"


@pytest.mark.parametrize("path", ["", "/top", "/overlay-token"])
async def test_an_unknown_room_is_not_found(gateway: Gateway, path: str):
    for room in ("r_none", "%7Bw00%7D", "x" * 65):
        status, problem = await gateway.get(f"/rooms/{room}{path}", gateway.token("vera"))
        assert (status, problem["code"]) == (404, "room_not_found")


async def test_the_list_pages_through_all_rooms_and_each_once(gateway: Gateway):
    opened = {await gateway.open_room(f"cara{number}") for number in range(5)}
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        status, page = await gateway.get("/rooms", **params)
        assert status == 200
        seen += [room["id"] for room in page["rooms"]]
        if (cursor := page["next"]) is None:
            break
    assert sorted(seen) == sorted(opened)


@pytest.mark.parametrize(
    "params",
    [
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "x"},
        {"limit": "1e3"},
        {"limit": ""},
        {"limit": "٣"},
        {"cursor": "x"},
        {"cursor": "WzFd"},
    ],
)
async def test_a_page_that_is_none_is_a_bad_request(gateway: Gateway, params: dict[str, str]):
    status, problem = await gateway.get("/rooms", **params)
    assert (status, problem["code"]) == (400, "bad_request")


async def test_totals_and_ranking_are_live(gateway: Gateway, worker: RoomsReader):
    room = await gateway.open_room()
    for user, count in (("vera", 5), ("walt", 9), ("xena", 1)):
        client = await gateway.enter(await gateway.coins(user, 100), room)
        await client.gift(room, "rose", count)
    async with asyncio.timeout(10):
        while (await gateway.get(f"/rooms/{room}"))[1]["diamonds"] < 15:
            await asyncio.sleep(0.02)
    _, shown = await gateway.get(f"/rooms/{room}")
    assert (shown["diamonds"], shown["gifts"], shown["viewers"]) == (15, 15, 3)
    assert (await gateway.get("/rooms"))[1]["rooms"] == [shown]
    _, top = await gateway.get(f"/rooms/{room}/top", limit=2)
    assert top["top"] == [
        {"user": {"id": "walt", "name": "Walt"}, "coins": 9, "rank": 1},
        {"user": {"id": "vera", "name": "Vera"}, "coins": 5, "rank": 2},
    ]
    assert len((await gateway.get(f"/rooms/{room}/top", limit=1000))[1]["top"]) == 3


async def test_a_room_that_ended_has_ended_on_every_gateway_at_once(start_gateway: StartGateway):
    """Also on one that looked at it a moment before."""
    here, there = await start_gateway(), await start_gateway()
    room = await here.open_room()
    token = await there.coins("vera", 10)
    assert (await there.get(f"/rooms/{room}"))[1]["state"] == "live"
    await here.end_room(room)
    assert (await there.get(f"/rooms/{room}"))[1]["state"] == "ended"
    status, problem = await there.post(f"/rooms/{room}/gifts", {"gift": "rose", "count": 1}, token)
    assert (status, problem["code"]) == (409, "room_ended")


async def test_a_room_that_ended_cannot_be_joined_on_any_gateway(start_gateway: StartGateway):
    here, there = await start_gateway(), await start_gateway()
    room = await here.open_room()
    client = await there.connect()
    await client.hello(there.token("vera"))
    assert (await there.get(f"/rooms/{room}"))[1]["state"] == "live"
    await here.end_room(room)
    await client.send(type="join", room=room)
    assert (await client.receive("error", "joined")).get("code") == "room_ended"
