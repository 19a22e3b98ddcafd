"""Gifts on the socket: every answer, retries on any connection, and nothing charged for what is refused."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from server.domain.controls import Period, microseconds
from tests.web.client import Client, Frame
from tests.web.conftest import StartGateway
from tests.web.gateways import Gateway


async def test_a_gift_is_acknowledged_with_what_is_left_and_its_combo(gateway: Gateway):
    room = await gateway.open_room()
    client = await gateway.enter(await gateway.coins("vera", 1000), room)
    first = await client.gift(room, "rose", 3, id="a")
    second = await client.gift(room, "rose", 2, id="b")
    assert (first["type"], first["id"], first["coins"], first["combo"]) == ("gift_ack", "a", 997, 3)
    assert (second["coins"], second["combo"]) == (995, 5)
    assert second["at"] >= first["at"] > 1_600_000_000_000_000
    assert first["gift_id"] != second["gift_id"]


async def test_the_same_id_gets_the_same_answer_on_any_connection_and_gateway_and_is_charged_once(
    start_gateway: StartGateway,
):
    here, there = await start_gateway(), await start_gateway()
    room = await here.open_room()
    token = await here.coins("vera", 100)
    client = await here.enter(token, room)
    answer = await client.gift(room, "rose", 10, id="once")
    assert await client.gift(room, "rose", 10, id="once") == answer
    await client.close()
    assert await (await here.enter(token, room)).gift(room, "rose", 10, id="once") == answer
    assert await (await there.enter(token, room)).gift(room, "rose", 10, id="once") == answer
    # On a connection that has not joined the room, and after the room has ended, too.
    assert await (await there.enter(token)).gift(room, "rose", 10, id="once") == answer
    await here.end_room(room)
    assert await (await there.enter(token)).gift(room, "rose", 10, id="once") == answer
    _, wallet = await here.get("/wallet", token)
    assert (wallet["coins"], wallet["pending"]) == (90, 10)


async def test_a_final_refusal_is_given_again_even_when_coins_have_come(gateway: Gateway):
    room = await gateway.open_room()
    token = await gateway.coins("vera", 1)
    client = await gateway.enter(token, room)
    refused = await client.gift(room, "rose", 2, id="dear")
    assert (refused["type"], refused["code"], refused["coins"]) == ("gift_nack", "insufficient_coins", 1)
    await gateway.coins("vera", 100)
    assert await client.gift(room, "rose", 2, id="dear") == refused


async def test_an_id_of_64_characters_is_taken_and_any_characters_may_be_in_it(gateway: Gateway):
    room = await gateway.open_room()
    client = await gateway.enter(await gateway.coins("vera", 10), room)
    for request_id in ("x" * 64, "🎁" * 64, 'a "quoted" \\ id', "\n", " ", "{w00}"):
        answer = await client.gift(room, id=request_id)
        assert (answer["type"], answer["id"]) == ("gift_ack", request_id)
        assert await client.gift(room, id=request_id) == answer


@pytest.mark.parametrize("request_id", ["x" * 65, "", None, 7, ["a"], "nul\0", "half a pair \ud800"])
async def test_any_other_id_is_a_bad_frame(gateway: Gateway, request_id: Any):
    room = await gateway.open_room()
    token = await gateway.coins("vera", 10)
    client = await gateway.enter(token, room)
    frame = {"type": "gift", "id": request_id, "room": room, "gift": "rose", "count": 1}
    await client.send_text(json.dumps(frame))
    error = await client.receive("error")
    assert error["code"] == "bad_frame"
    assert "id" not in error
    assert (await gateway.get("/wallet", token))[1]["coins"] == 10


@pytest.mark.parametrize(
    "count", [0, -1, 10_000, 2**63, 2**63 - 1, -(2**63), 2**80, 1.0, 1.5, True, False, "1", "", None, [1], {"a": 1}]
)
async def test_a_count_that_is_none_is_a_bad_count(gateway: Gateway, count: Any):
    room = await gateway.open_room()
    token = await gateway.coins("vera", 100_000)
    client = await gateway.enter(token, room)
    request_id = "count"
    frame = {"type": "gift", "id": request_id, "room": room, "gift": "rose", "count": count}
    await client.send_text(json.dumps(frame))
    nack = await client.receive("gift_nack")
    assert (nack["id"], nack["code"]) == (request_id, "bad_count")
    assert (await gateway.get("/wallet", token))[1]["coins"] == 100_000


async def test_a_count_of_9999_is_taken(gateway: Gateway):
    room = await gateway.open_room()
    client = await gateway.enter(await gateway.coins("vera", 10_000), room)
    assert (await client.gift(room, "rose", 9_999))["coins"] == 1


async def test_each_refusal_has_its_code_and_changes_nothing(start_gateway: StartGateway):
    gateway = await start_gateway(gift_coins_max=500)
    own, room, ended = await gateway.open_room("vera"), await gateway.open_room(), await gateway.open_room()
    token = await gateway.coins("vera", 1_000)
    client = await gateway.enter(token, own, room, ended)
    outside = await gateway.enter(token)
    await gateway.end_room(ended)
    await client.receive("room_ended")
    for sender, frame, code in (
        (client, {"room": own, "gift": "rose"}, "self_gift"),
        (client, {"room": room, "gift": "no_such_gift"}, "unknown_gift"),
        (client, {"room": room, "gift": ""}, "unknown_gift"),
        (client, {"room": room, "gift": "x" * 5000}, "unknown_gift"),
        (client, {"room": ended, "gift": "rose"}, "room_ended"),
        (outside, {"room": room, "gift": "rose"}, "not_joined"),
        (outside, {"room": ended, "gift": "rose"}, "room_ended"),
        (client, {"room": room, "gift": "rose", "count": 501}, "limit_exceeded"),
        (client, {"room": "r_none", "gift": "rose"}, "room_not_found"),
        (client, {"room": room, "gift": 5}, "bad_frame"),
        (client, {"room": room}, "bad_frame"),
    ):
        nack = await sender.ask(type="gift", **{"count": 1, **frame})
        assert (nack["type"], nack["code"]) == ("gift_nack", code)
        assert nack["message"]
    _, wallet = await gateway.get("/wallet", token)
    assert (wallet["coins"], wallet["pending"]) == (1_000, 0)
    assert (await gateway.get("/wallet/gifts", token))[1]["gifts"] == []


async def test_a_blocked_wallet_is_refused(gateway: Gateway):
    room = await gateway.open_room()
    token = await gateway.coins("vera", 100)
    client = await gateway.enter(token, room)
    await gateway.block("vera", True)
    assert (await client.gift(room))["code"] == "wallet_blocked"
    await gateway.block("vera", False)
    assert (await client.gift(room))["type"] == "gift_ack"


async def test_a_budget_warns_when_it_is_nearly_spent_and_then_says_when_it_begins_anew(gateway: Gateway):
    room = await gateway.open_room()
    client = await gateway.enter(await gateway.coins("vera", 1_000), room)
    await gateway.limit("vera", Period.WEEK, 100)
    assert "near" not in await client.gift(room, "rose", 79)
    assert (await client.gift(room, "rose", 2))["near"] == ["week"]
    refused = await client.gift(room, "rose", 20)
    assert (refused["type"], refused["code"], refused["limit"]) == ("gift_nack", "limit_exceeded", "week")
    assert refused["until"] == Period.WEEK.bounds_us(time.time_ns() // 1000)[1]
    assert "budget for this week" in refused["message"]


async def test_a_pause_is_refused_until_it_ends(gateway: Gateway):
    room = await gateway.open_room()
    client = await gateway.enter(await gateway.coins("vera", 1_000), room)
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=3)
    await gateway.pause("vera", until)
    refused = await client.gift(room)
    assert (refused["code"], refused["until"]) == ("wallet_blocked", microseconds(until))
    assert "limit" not in refused
    assert f"{until:%Y-%m-%d %H:%M} UTC" in refused["message"]


async def test_gifts_faster_than_the_pace_are_rate_limited_and_may_come_back(start_gateway: StartGateway):
    gateway = await start_gateway(gifts_per_second=5, gifts_burst=2)
    room = await gateway.open_room()
    client = await gateway.enter(await gateway.coins("vera", 100), room)
    answers = [await client.gift(room) for _ in range(4)]
    late = [answer for answer in answers if answer["type"] == "gift_nack"]
    assert late
    assert {answer["code"] for answer in late} == {"rate_limited"}
    await asyncio.sleep(max(answer["retry_ms"] for answer in late) / 1000)
    assert (await client.gift(room, id=late[0]["id"]))["type"] == "gift_ack"


async def test_gifts_in_flight_are_bounded(start_gateway: StartGateway):
    gateway = await start_gateway(gifts_in_flight_max=3, gifts_burst=1000, gifts_per_second=1000)
    room = await gateway.open_room()
    client = await gateway.enter(await gateway.coins("vera", 100), room)
    for number in range(40):
        await client.send(type="gift", id=f"g{number}", room=room, gift="rose", count=1)
    answers = [await client.receive("gift_ack", "gift_nack") for _ in range(40)]
    refused = [answer for answer in answers if answer["type"] == "gift_nack"]
    assert refused
    assert {(answer["code"], answer["retry_ms"]) for answer in refused} == {("rate_limited", 100)}
    assert {answer["id"] for answer in answers} == {f"g{number}" for number in range(40)}
    balance = (await gateway.get("/wallet", gateway.token("vera")))[1]
    assert balance["coins"] == 100 - (40 - len(refused))


async def test_a_full_backlog_is_busy_and_says_when_to_come_back(start_gateway: StartGateway):
    gateway = await start_gateway(log_backlog_max=4, gifts_burst=1000, gifts_per_second=1000)
    room = await gateway.open_room()
    client = await gateway.enter(await gateway.coins("vera", 100), room)
    answers = [await client.gift(room) for _ in range(4)]
    busy = [answer for answer in answers if answer["type"] == "gift_nack"]
    assert busy
    assert {answer["code"] for answer in busy} == {"busy"}
    assert all(answer["retry_ms"] > 0 for answer in busy)


async def test_a_balance_that_changed_elsewhere_is_told_to_the_users_other_sockets(start_gateway: StartGateway):
    here, there = await start_gateway(), await start_gateway()
    room = await here.open_room()
    token = await here.coins("vera", 100)
    giver = await here.enter(token, room)
    watchers: list[Client] = [await here.enter(token), await there.enter(token)]
    stranger = await there.enter(await there.coins("walt", 5))
    await giver.gift(room, "rose", 30)
    for watcher in watchers:
        assert await watcher.receive_where(told(70), "70 coins")
    status, _ = await there.post(f"/rooms/{room}/gifts", {"gift": "rose", "count": 20}, token)
    assert status == 201
    for client in (giver, *watchers):
        assert await client.receive_where(told(50), "50 coins")
    await stranger.silent("wallet")


def told(coins: int) -> Any:
    def matches(frame: Frame) -> bool:
        return frame == {"type": "wallet", "coins": coins}

    return matches


async def test_who_sent_the_gift_hears_of_it_only_in_the_acknowledgement(gateway: Gateway):
    room = await gateway.open_room()
    token = await gateway.coins("vera", 100)
    giver = await gateway.enter(token, room)
    watcher = await gateway.enter(token)
    await giver.gift(room)
    await watcher.receive("wallet")
    await giver.silent("wallet")
