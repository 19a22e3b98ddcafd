"""Rooms on the socket: joining, resuming, leaving, what members see, and who may not."""

from __future__ import annotations

import pytest

from server.rooms.apply import RoomsReader
from tests.web.client import Client, Frame
from tests.web.conftest import StartGateway
from tests.web.gateways import Gateway


def with_gifts(frame: Frame) -> bool:
    return frame["type"] == "delta" and "gifts" in frame


async def gifts_until(client: Client, count: int) -> list[Frame]:
    """Deltas with gifts, until so many gifts were counted in them."""
    deltas: list[Frame] = []
    while sum(entry["count"] for delta in deltas for entry in delta["gifts"]) < count:
        deltas.append(await client.receive_where(with_gifts, "a delta with gifts"))
    return deltas


async def test_join_answers_with_the_room_as_it_is(gateway: Gateway, worker: RoomsReader):
    room = await gateway.open_room("cara", "Piano")
    giver = await gateway.enter(await gateway.coins("vera", 500), room)
    assert (await giver.gift(room, "rose", 20))["type"] == "gift_ack"
    await gifts_until(giver, 20)
    viewer = await gateway.connect()
    await viewer.hello(gateway.token("walt"))
    joined = await viewer.join(room)
    assert (joined["room"], joined["title"], joined["creator"]) == (room, "Piano", {"id": "cara", "name": "Cara"})
    assert (joined["diamonds"], joined["gifts"], joined["viewers"], joined["recovered"]) == (20, 20, 2, False)
    assert joined["top"] == [{"user": {"id": "vera", "name": "Vera"}, "coins": 20, "rank": 1}]


async def test_members_see_gifts_chat_likes_and_viewers_in_deltas(gateway: Gateway, worker: RoomsReader):
    room = await gateway.open_room()
    viewer = await gateway.enter(gateway.token("walt"), room)
    giver = await gateway.enter(await gateway.coins("vera", 500), room)
    ack = await giver.gift(room, "rose", 3)
    (delta,) = await gifts_until(viewer, 3)
    (entry,) = delta["gifts"]
    assert entry == {
        "gift_id": ack["gift_id"],
        "from": {"id": "vera", "name": "Vera"},
        "gift": "rose",
        "count": 3,
        "coins": 3,
        "combo": 3,
        "combo_id": ack["gift_id"],
        "at": ack["at"],
    }
    assert (delta["diamonds"], delta["gifts_total"]) == (3, 3)
    assert (await giver.ask(type="chat", room=room, text="hi", id="c1")) == {"type": "ack", "id": "c1"}
    line = (await viewer.receive_where(lambda frame: "chat" in frame, "chat"))["chat"][0]
    assert (line["from"], line["text"]) == ({"id": "vera", "name": "Vera"}, "hi")
    await giver.send(type="like", room=room, count=7)
    assert (await viewer.receive_where(lambda frame: "likes" in frame, "likes"))["likes"] == 7
    await giver.close()
    assert await viewer.receive_where(lambda frame: frame.get("viewers") == 1, "one viewer left")


async def test_resuming_brings_every_missed_delta_in_order_and_none_twice(gateway: Gateway, worker: RoomsReader):
    room = await gateway.open_room()
    giver = await gateway.enter(await gateway.coins("vera", 500), room)
    first = await gateway.enter(gateway.token("walt"), room)
    await giver.gift(room)
    (seen,) = await gifts_until(first, 1)
    await gifts_until(giver, 1)
    await first.close()
    for _ in range(3):
        await giver.gift(room)
        await gifts_until(giver, 1)
    back = await gateway.connect()
    await back.hello(gateway.token("walt"))
    joined = await back.join(room, since=seen["position"])
    assert joined["recovered"] is True
    missed = await gifts_until(back, 3)
    assert [delta["gifts"][0]["combo"] for delta in missed] == [2, 3, 4]
    await giver.gift(room)
    assert [delta["gifts"][0]["combo"] for delta in await gifts_until(back, 1)] == [5]


async def test_resuming_works_on_another_gateway(start_gateway: StartGateway, worker: RoomsReader):
    first, second = await start_gateway(), await start_gateway()
    room = await first.open_room()
    giver = await first.enter(await first.coins("vera", 500), room)
    viewer = await first.enter(first.token("walt"), room)
    await giver.gift(room)
    (seen,) = await gifts_until(viewer, 1)
    await viewer.close()
    await giver.gift(room, count=5)
    await gifts_until(giver, 6)
    back = await second.connect()
    await back.hello(second.token("walt"))
    assert (await back.join(room, since=seen["position"]))["recovered"] is True
    assert (await gifts_until(back, 5))[0]["diamonds"] == 6


@pytest.mark.parametrize("since", ["", "nonsense", "1-1", "-", "0-99999999999999999999999", "x" * 4000])
async def test_resuming_from_nowhere_starts_afresh(gateway: Gateway, since: str):
    room = await gateway.open_room()
    client = await gateway.connect()
    await client.hello(gateway.token("walt"))
    assert (await client.join(room, since=since))["recovered"] is False


async def test_a_connection_may_be_in_several_rooms_but_not_in_many(start_gateway: StartGateway):
    gateway = await start_gateway(rooms_per_connection_max=2)
    rooms = [await gateway.open_room() for _ in range(3)]
    client = await gateway.enter(gateway.token("walt"), *rooms[:2])
    await client.send(type="join", room=rooms[2])
    error = await client.receive("error")
    assert (error["code"], error["room"]) == ("limit_exceeded", rooms[2])
    await client.join(rooms[0])
    await client.send(type="leave", room=rooms[0])
    assert await client.receive("left") == {"type": "left", "room": rooms[0]}
    await client.join(rooms[2])


async def test_who_left_gets_no_deltas_and_cannot_chat(gateway: Gateway, worker: RoomsReader):
    room = await gateway.open_room()
    giver = await gateway.enter(await gateway.coins("vera", 500), room)
    client = await gateway.enter(gateway.token("walt"), room)
    await client.send(type="leave", room=room)
    await client.receive("left")
    client.seen.clear()
    await giver.gift(room)
    await gifts_until(giver, 1)
    await client.silent("delta")
    assert (await client.ask(type="chat", room=room, text="hi"))["code"] == "not_joined"
    await client.send(type="leave", room=room)
    assert (await client.receive("left"))["room"] == room


@pytest.mark.parametrize("room", ["r_none", "", "x" * 65, "r/1", "{w00}", "🎁", "r:1\n"])
async def test_an_unknown_room_is_not_found(gateway: Gateway, room: str):
    client = await gateway.enter(gateway.token("walt"))
    await client.send(type="join", room=room)
    error = await client.receive("error")
    assert (error["code"], error["room"]) == ("room_not_found", room)
    for frame in ({"type": "gift", "gift": "rose", "count": 1}, {"type": "chat", "text": "hi"}):
        assert (await client.ask(room=room, **frame))["code"] == "room_not_found"
    await client.send(type="like", room=room, count=1)
    await client.silent("error")


async def test_failed_joins_are_not_bad_frames(gateway: Gateway):
    client = await gateway.enter(gateway.token("walt"))
    for _ in range(12):
        await client.send(type="join", room="r_none")
        await client.receive("error")
    await client.silent("error")


async def test_an_ended_room_is_announced_refuses_everything_and_cannot_be_joined(gateway: Gateway):
    room = await gateway.open_room()
    token = await gateway.coins("vera", 100)
    client = await gateway.enter(token, room)
    await gateway.end_room(room)
    assert (await client.receive("room_ended"))["room"] == room
    assert (await client.gift(room))["code"] == "room_ended"
    assert (await client.ask(type="chat", room=room, text="hi"))["code"] == "room_ended"
    late = await gateway.enter(token)
    await late.send(type="join", room=room)
    assert (await late.receive("error"))["code"] == "room_ended"
    assert (await gateway.get("/wallet", token))[1]["coins"] == 100


async def test_an_overlay_token_watches_its_own_room_and_does_nothing_else(gateway: Gateway, worker: RoomsReader):
    room, other = await gateway.open_room(), await gateway.open_room()
    status, overlay = await gateway.get(f"/rooms/{room}/overlay-token", gateway.token("cara", "creator"))
    assert (status, overlay["url"]) == (200, f"/overlay/{room}#token={overlay['token']}")
    client = await gateway.connect()
    assert (await client.hello(overlay["token"]))["coins"] == 0
    await client.join(room)
    await client.send(type="join", room=other)
    assert (await client.receive("error"))["code"] == "forbidden"
    assert (await client.gift(room))["code"] == "forbidden"
    assert (await client.ask(type="chat", room=room, text="hi"))["code"] == "forbidden"
    await client.send(type="like", room=room, count=5)
    giver = await gateway.enter(await gateway.coins("vera", 10), room)
    await giver.gift(room)
    await gifts_until(client, 1)
    assert not any("likes" in frame for frame in client.seen)
    assert (await gateway.get("/wallet", overlay["token"]))[0] == 403
    assert (await gateway.get(f"/rooms/{room}/overlay-token", gateway.token("vera")))[0] == 403
