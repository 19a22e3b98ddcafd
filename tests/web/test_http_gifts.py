"""Gifts over HTTP: the socket's rules, and the Idempotency-Key."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import Any

import pytest

from server.domain.controls import Period, moment
from tests.web.conftest import StartGateway
from tests.web.gateways import Gateway


async def test_the_catalogue_lists_what_can_be_bought_cheapest_first(gateway: Gateway):
    status, answer = await gateway.get("/gifts")
    assert status == 200
    assert len(answer["gifts"]) >= 40
    prices = [gift["coins"] for gift in answer["gifts"]]
    assert prices == sorted(prices)
    rose = next(gift for gift in answer["gifts"] if gift["id"] == "rose")
    assert (rose["coins"], rose["diamonds"], rose["streakable"]) == (1, 1, True)
    assert set(rose) == {"id", "name", "coins", "diamonds", "tier", "streakable", "effect"}


async def test_a_gift_is_sent_without_joining_and_answered_with_the_fields_of_an_acknowledgement(gateway: Gateway):
    room = await gateway.open_room()
    token = await gateway.coins("vera", 100)
    status, sent = await gateway.post(f"/rooms/{room}/gifts", {"gift": "rose", "count": 4}, token)
    assert status == 201
    assert (sent["coins"], sent["combo"]) == (96, 4)
    assert set(sent) == {"gift_id", "coins", "combo", "at"}


async def test_the_same_key_and_body_give_the_same_answer_on_every_gateway_and_charge_once(start_gateway: StartGateway):
    here, there = await start_gateway(), await start_gateway()
    room = await here.open_room()
    token = await here.coins("vera", 100)
    asks = [
        gateway.post(f"/rooms/{room}/gifts", {"gift": "rose", "count": 4}, token, Idempotency_Key="k" * 64)
        for gateway in (here, there, here, there)
    ]
    answers = await asyncio.gather(*asks)
    assert all(answer == answers[0] for answer in answers)
    assert answers[0][0] == 201
    assert (await here.get("/wallet", token))[1]["coins"] == 96


@pytest.mark.parametrize("body", [{"gift": "rose", "count": 5}, {"gift": "finger_heart", "count": 4}])
async def test_the_same_key_with_another_body_is_a_conflict(gateway: Gateway, body: dict[str, Any]):
    room, other = await gateway.open_room(), await gateway.open_room()
    token = await gateway.coins("vera", 100)
    first = await gateway.post(f"/rooms/{room}/gifts", {"gift": "rose", "count": 4}, token, Idempotency_Key="key")
    status, problem = await gateway.post(f"/rooms/{room}/gifts", body, token, Idempotency_Key="key")
    assert (status, problem["code"]) == (409, "idempotency_conflict")
    status, problem = await gateway.post(
        f"/rooms/{other}/gifts", {"gift": "rose", "count": 4}, token, Idempotency_Key="key"
    )
    assert (status, problem["code"]) == (409, "idempotency_conflict")
    assert (
        await gateway.post(f"/rooms/{room}/gifts", {"gift": "rose", "count": 4}, token, Idempotency_Key="key") == first
    )
    assert (await gateway.get("/wallet", token))[1]["coins"] == 96


async def test_a_refusal_is_given_again_with_the_same_status(gateway: Gateway):
    room = await gateway.open_room()
    token = await gateway.coins("vera", 1)
    body = {"gift": "rose", "count": 2}
    first = await gateway.post(f"/rooms/{room}/gifts", body, token, Idempotency_Key="dear")
    assert (first[0], first[1]["code"]) == (402, "insufficient_coins")
    await gateway.coins("vera", 100)
    assert await gateway.post(f"/rooms/{room}/gifts", body, token, Idempotency_Key="dear") == first


async def test_keys_and_socket_ids_do_not_meet_and_keys_are_each_users_own(gateway: Gateway):
    room = await gateway.open_room()
    token = await gateway.coins("vera", 100)
    client = await gateway.enter(token, room)
    ack = await client.gift(room, id="same")
    status, sent = await gateway.post(
        f"/rooms/{room}/gifts", {"gift": "rose", "count": 1}, token, Idempotency_Key="same"
    )
    assert status == 201
    assert sent["gift_id"] != ack["gift_id"]
    walt = await gateway.coins("walt", 100)
    status, other = await gateway.post(
        f"/rooms/{room}/gifts", {"gift": "rose", "count": 9}, walt, Idempotency_Key="same"
    )
    assert (status, other["coins"]) == (201, 91)


async def test_without_a_key_every_request_is_a_new_gift(gateway: Gateway):
    room = await gateway.open_room()
    token = await gateway.coins("vera", 10)
    for coins in (9, 8):
        assert (await gateway.post(f"/rooms/{room}/gifts", {"gift": "rose", "count": 1}, token))[1]["coins"] == coins


@pytest.mark.parametrize("body", [{"gift": "nope", "count": 1}, {"gift": "rose", "count": 0}])
async def test_a_key_is_for_one_body_also_where_a_body_could_never_be_a_gift(gateway: Gateway, body: dict[str, object]):
    room = await gateway.open_room()
    token = await gateway.coins("vera", 10)
    good = {"gift": "rose", "count": 1}
    for first, second in ((good, body), (body, good)):
        key = f"{first}".encode().hex()[:64]
        answer = await gateway.post(f"/rooms/{room}/gifts", first, token, Idempotency_Key=key)
        status, problem = await gateway.post(f"/rooms/{room}/gifts", second, token, Idempotency_Key=key)
        assert (status, problem["code"]) == (409, "idempotency_conflict")
        assert await gateway.post(f"/rooms/{room}/gifts", first, token, Idempotency_Key=key) == answer
    assert (await gateway.get("/wallet", token))[1]["coins"] == 9


@pytest.mark.parametrize("key", ["", "k" * 65, "a b", "ü"])
async def test_a_key_that_is_none_is_a_bad_request(gateway: Gateway, key: str):
    room = await gateway.open_room()
    token = await gateway.coins("vera", 10)
    status, problem = await gateway.post(
        f"/rooms/{room}/gifts", {"gift": "rose", "count": 1}, token, Idempotency_Key=key
    )
    assert (status, problem["code"]) == (400, "bad_request")
    assert (await gateway.get("/wallet", token))[1]["coins"] == 10


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"gift": "rose", "count": 0}, 400, "bad_count"),
        ({"gift": "rose", "count": -1}, 400, "bad_count"),
        ({"gift": "rose", "count": 1.5}, 400, "bad_count"),
        ({"gift": "rose", "count": True}, 400, "bad_count"),
        ({"gift": "rose", "count": 10_000}, 400, "bad_count"),
        ({"gift": "rose", "count": 2**63}, 400, "bad_count"),
        ({"gift": "rose", "count": "1"}, 400, "bad_count"),
        ({"gift": "rose"}, 400, "bad_count"),
        ({"gift": "nope", "count": 1}, 404, "unknown_gift"),
        ({"gift": 5, "count": 1}, 400, "bad_request"),
        ({"count": 1}, 400, "bad_request"),
        ([], 400, "bad_request"),
        ({"gift": "universe", "count": 1}, 402, "insufficient_coins"),
    ],
)
async def test_each_refusal_has_its_status_and_code_and_charges_nothing(
    gateway: Gateway, body: Any, status: int, code: str
):
    room = await gateway.open_room()
    token = await gateway.coins("vera", 100)
    got, problem = await gateway.post(f"/rooms/{room}/gifts", body, token)
    assert (got, problem["code"]) == (status, code)
    _, wallet = await gateway.get("/wallet", token)
    assert (wallet["coins"], wallet["pending"]) == (100, 0)


async def test_rooms_that_cannot_take_a_gift_say_so(gateway: Gateway):
    ended = await gateway.open_room()
    await gateway.end_room(ended)
    token = await gateway.coins("cara", 10)
    own = await gateway.open_room("cara")
    gift = {"gift": "rose", "count": 1}
    assert (await gateway.post(f"/rooms/{ended}/gifts", gift, token))[1]["code"] == "room_ended"
    assert (await gateway.post("/rooms/r_none/gifts", gift, token))[1]["code"] == "room_not_found"
    assert (await gateway.post(f"/rooms/{own}/gifts", gift, token))[1]["code"] == "self_gift"


async def test_a_gift_that_comes_too_fast_says_when_to_come_back(start_gateway: StartGateway):
    gateway = await start_gateway(gifts_per_second=0.1, gifts_burst=1)
    room = await gateway.open_room()
    token = await gateway.coins("vera", 10)
    await gateway.post(f"/rooms/{room}/gifts", {"gift": "rose", "count": 1}, token)
    async with gateway.http.post(
        f"{gateway.url}/api/v1/rooms/{room}/gifts",
        json={"gift": "rose", "count": 1},
        headers={"Authorization": f"Bearer {token}"},
    ) as response:
        problem = await response.json(content_type=None)
        assert (response.status, problem["code"]) == (429, "rate_limited")
        assert int(response.headers["Retry-After"]) == -(-problem["retry_ms"] // 1000)


async def test_a_gift_over_a_budget_is_a_problem_that_says_which_and_until_when(gateway: Gateway):
    room = await gateway.open_room()
    token = await gateway.coins("vera", 100)
    await gateway.limit("vera", Period.MONTH, 10)
    status, sent = await gateway.post(f"/rooms/{room}/gifts", {"gift": "rose", "count": 8}, token)
    assert (status, sent["near"]) == (201, ["month"])
    status, problem = await gateway.post(f"/rooms/{room}/gifts", {"gift": "rose", "count": 3}, token)
    assert (status, problem["code"], problem["limit"]) == (403, "limit_exceeded", "month")
    next_month = moment(Period.MONTH.bounds_us(time.time_ns() // 1000)[1])
    assert datetime.fromisoformat(problem["until"]) == next_month
    assert "budget for this month" in problem["detail"]
