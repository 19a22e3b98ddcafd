"""Order in a room: who may keep it, and that it holds at once on every gateway, for chat, gifts and coming in."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import Any

import pytest

from server.rooms import moderation as moderation_module
from server.rooms.apply import RoomsReader
from server.stores import postgres
from tests.web.client import Client
from tests.web.conftest import StartGateway
from tests.web.gateways import Gateway


async def act(
    gateway: Gateway, method: str, path: str, by: str = "cara", role: str = "creator", **body: Any
) -> tuple[int, Any]:
    options = {"json": body} if body else {}
    return await gateway.call(method, path, gateway.token(by, role), **options)


async def done(gateway: Gateway, method: str, path: str, by: str = "cara", **body: Any) -> Any:
    status, answer = await act(gateway, method, path, by, **body)
    assert status == 200, answer
    return answer


async def refused_join(client: Client, room: str) -> dict[str, Any]:
    await client.send(type="join", room=room)
    return await client.receive("error", "joined")


async def eventually_in(client: Client, room: str) -> None:
    """Joins as soon as it may: what another gateway did is known within moments."""
    async with asyncio.timeout(10):
        while (await refused_join(client, room))["type"] != "joined":
            await asyncio.sleep(0.02)


# Roles


async def test_the_creator_names_moderators_and_they_and_the_creator_learn_it_in_the_room(gateway: Gateway):
    room = await gateway.open_room("cara")
    mona, cara = await gateway.enter(gateway.token("mona"), room), await gateway.enter(gateway.token("cara"), room)
    assert (await cara.receive("standing"))["role"] == "creator"
    await mona.silent("standing")
    named = await done(gateway, "PUT", f"/rooms/{room}/moderators/mona")
    assert named == {"user": "mona", "role": "moderator", "muted_until": None, "banned": False, "blocked": False}
    assert await mona.receive("standing") == {"type": "standing", "room": room, "role": "moderator"}
    again = await gateway.enter(gateway.token("mona"), room)
    assert (await again.receive("standing"))["role"] == "moderator"
    assert (await done(gateway, "DELETE", f"/rooms/{room}/moderators/mona"))["role"] == "viewer"
    assert (await mona.receive("standing"))["role"] == "viewer"
    assert (await act(gateway, "PUT", f"/rooms/{room}/bans/vera", by="mona", role="viewer"))[0] == 403


@pytest.mark.parametrize("path", ["moderators/vera", "mutes/vera", "bans/vera"])
async def test_viewers_keep_no_order_and_moderators_name_no_moderators(gateway: Gateway, path: str):
    room = await gateway.open_room("cara")
    body = {"seconds": 60} if path.startswith("mutes") else {}
    for method in ("PUT", "DELETE"):
        for by, role in (("vera", "viewer"), ("carl", "creator")):
            status, problem = await act(gateway, method, f"/rooms/{room}/{path}", by, role, **body)
            assert (status, problem["code"]) == (403, "forbidden")
    assert (await gateway.call("PUT", f"/rooms/{room}/{path}", json=body))[0] == 401
    assert (await gateway.get(f"/rooms/{room}/{path.partition('/')[0]}", gateway.token("vera")))[0] == 403
    await done(gateway, "PUT", f"/rooms/{room}/moderators/mona")
    status, _ = await act(gateway, "PUT", f"/rooms/{room}/{path}", "mona", "viewer", **body)
    assert status == (403 if path.startswith("moderators") else 200)
    assert (await act(gateway, "DELETE", f"/rooms/{room}/{path}", "root", "admin"))[0] == 200


async def test_nobody_acts_on_the_creator_and_moderators_not_on_each_other(gateway: Gateway):
    room = await gateway.open_room("cara")
    for moderator in ("mona", "milo"):
        await done(gateway, "PUT", f"/rooms/{room}/moderators/{moderator}")
    for by, user in (("mona", "cara"), ("mona", "milo"), ("mona", "mona"), ("cara", "cara")):
        for kind, body in (("mutes", {"seconds": 60}), ("bans", {})):
            assert (await act(gateway, "PUT", f"/rooms/{room}/{kind}/{user}", by, "viewer", **body))[0] == 403
    assert (await done(gateway, "PUT", f"/rooms/{room}/bans/milo"))["role"] == "viewer"
    assert [line["user"]["id"] for line in (await done(gateway, "GET", f"/rooms/{room}/moderators"))["people"]] == [
        "mona"
    ]
    assert (await done(gateway, "PUT", f"/rooms/{room}/moderators/milo"))["banned"] is False


async def test_what_can_be_no_user_and_a_mute_without_a_sensible_end_are_bad_requests(gateway: Gateway):
    room = await gateway.open_room("cara")
    for user in ("a b", "x" * 65, "%7Bw00%7D", "%00", "vera%0A"):
        for path in (f"/rooms/{room}/bans/{user}", f"/creator/blocks/{user}"):
            status, problem = await act(gateway, "PUT", path)
            assert (status, problem["code"]) == (400, "bad_request"), user
    for seconds in (0, -1, 1.5, "60", None, 2_592_001):
        status, problem = await gateway.call(
            "PUT", f"/rooms/{room}/mutes/vera", gateway.token("cara"), json={"seconds": seconds}
        )
        assert (status, problem["code"]) == (400, "bad_request"), seconds


async def test_order_cannot_be_kept_by_the_hundred_in_a_second(gateway: Gateway):
    room = await gateway.open_room("cara")
    answers = [await act(gateway, "PUT", f"/rooms/{room}/bans/user{number}") for number in range(40)]
    assert [status for status, _ in answers[:30]] == [200] * 30
    assert answers[-1][1]["code"] == "rate_limited"


# Mutes


async def test_a_muted_user_reads_until_when_and_everything_else_goes_on(
    start_gateway: StartGateway, worker: RoomsReader
):
    here, there = await start_gateway(), await start_gateway()
    room = await here.open_room("cara")
    vera = await there.enter(await there.coins("vera", 100), room)
    muted = await done(here, "PUT", f"/rooms/{room}/mutes/vera", seconds=600)
    until = datetime.fromisoformat(muted["muted_until"]).timestamp()
    assert 590 < until - time.time() <= 600
    told = await vera.receive("standing")
    assert told["muted_until"] == pytest.approx(until * 1e6, abs=2000)
    nack = await vera.ask(type="chat", room=room, text="hi")
    assert (nack["type"], nack["code"]) == ("nack", "forbidden")
    assert muted["muted_until"] in nack["message"]
    assert 0 < nack["retry_ms"] <= 600_000
    assert (await vera.gift(room))["type"] == "gift_ack"
    again = await here.enter(here.token("vera"), room)
    assert (await again.receive("standing"))["muted_until"] == told["muted_until"]
    await done(here, "DELETE", f"/rooms/{room}/mutes/vera")
    assert "muted_until" not in await vera.receive("standing")
    assert (await vera.ask(type="chat", room=room, text="hi"))["type"] == "ack"


async def test_a_mute_ends_by_itself(gateway: Gateway):
    room = await gateway.open_room("cara")
    vera = await gateway.enter(gateway.token("vera"), room)
    await done(gateway, "PUT", f"/rooms/{room}/mutes/vera", seconds=1)
    assert (await vera.ask(type="chat", room=room, text="hi"))["type"] == "nack"
    async with asyncio.timeout(10):
        while (await vera.ask(type="chat", room=room, text="hi"))["type"] != "ack":
            await asyncio.sleep(0.1)
    assert (await done(gateway, "GET", f"/rooms/{room}/mutes"))["people"] == []


async def test_a_mute_holds_in_its_room_alone(gateway: Gateway):
    room, other = await gateway.open_room("cara"), await gateway.open_room("cara")
    vera = await gateway.enter(gateway.token("vera"), room, other)
    await done(gateway, "PUT", f"/rooms/{room}/mutes/vera", seconds=600)
    assert (await vera.ask(type="chat", room=other, text="hi"))["type"] == "ack"


# Bans


async def test_a_banned_user_is_out_at_once_on_every_gateway_and_stays_out(start_gateway: StartGateway):
    here, there = await start_gateway(), await start_gateway()
    room, other = await here.open_room("cara"), await here.open_room("carl")
    sockets = [await gateway.enter(gateway.token("vera"), room, other) for gateway in (here, there)]
    walt = await there.enter(there.token("walt"), room)
    assert (await done(here, "PUT", f"/rooms/{room}/bans/vera"))["banned"] is True
    for socket in sockets:
        left = await socket.receive("left")
        assert (left["room"], left["code"], left["message"]) == (room, "forbidden", "You are banned from this room.")
        assert (await socket.ask(type="chat", room=room, text="hi"))["code"] == "not_joined"
        assert (await socket.ask(type="chat", room=other, text="hi"))["type"] == "ack"
        error = await refused_join(socket, room)
        assert (error["type"], error["code"], error["room"]) == ("error", "forbidden", room)
    await walt.silent("left")
    await done(here, "DELETE", f"/rooms/{room}/bans/vera")
    for socket in sockets:
        await eventually_in(socket, room)


async def test_a_banned_user_cannot_give_and_no_coin_moves(start_gateway: StartGateway):
    here, there = await start_gateway(), await start_gateway()
    room = await here.open_room("cara")
    token = await there.coins("vera", 100)
    vera = await there.enter(token, room)
    first = await vera.gift(room, id="first")
    assert first["coins"] == 99
    await done(here, "PUT", f"/rooms/{room}/bans/vera")
    await vera.receive("left")
    nack = await vera.gift(room, id="second")
    assert (nack["type"], nack["code"], nack["message"]) == (
        "gift_nack",
        "forbidden",
        "You are banned from this room.",
    )
    for gateway in (here, there):
        status, problem = await gateway.post(f"/rooms/{room}/gifts", {"gift": "rose", "count": 1}, token)
        assert (status, problem["code"], problem["detail"]) == (403, "forbidden", "You are banned from this room.")
    assert (await here.get("/wallet", token))[1]["coins"] == 99
    assert await vera.gift(room, id="first") == first  # what was paid before has its answer still
    await done(here, "DELETE", f"/rooms/{room}/bans/vera")
    await eventually_in(vera, room)
    assert (await vera.gift(room, id="second"))["coins"] == 98  # the refusal was not the last word


async def test_an_admin_is_shut_out_of_no_room(gateway: Gateway):
    room = await gateway.open_room("cara")
    await done(gateway, "PUT", f"/rooms/{room}/bans/root")
    await gateway.enter(gateway.token("root", "admin"), room)


# Block lists


async def test_a_blocked_user_is_out_of_all_rooms_of_the_creator_and_of_no_other(start_gateway: StartGateway):
    here, there = await start_gateway(), await start_gateway()
    rooms = [await here.open_room("cara") for _ in range(2)]
    other = await here.open_room("carl")
    token = await there.coins("vera", 100)
    vera = await there.enter(token, *rooms, other)
    assert await done(here, "PUT", "/creator/blocks/vera") == {"user": "vera", "blocked": True}
    assert {(await vera.receive("left"))["room"] for _ in rooms} == set(rooms)
    later = await here.open_room("cara")
    for room in (*rooms, later):
        assert (await refused_join(vera, room))["code"] == "forbidden"
        assert (await vera.gift(room))["code"] == "forbidden"
        assert (await there.post(f"/rooms/{room}/gifts", {"gift": "rose", "count": 1}, token))[0] == 403
    assert (await vera.gift(other))["type"] == "gift_ack"
    people = (await done(here, "GET", "/creator/blocks"))["people"]
    assert [(line["user"]["id"], line["by"], line["until"]) for line in people] == [("vera", "cara", None)]
    await done(here, "DELETE", "/creator/blocks/vera")
    await eventually_in(vera, later)


async def test_block_lists_are_the_creators_own(gateway: Gateway):
    room = await gateway.open_room("cara")
    await done(gateway, "PUT", "/creator/blocks/vera", by="carl")
    await gateway.enter(gateway.token("vera"), room)
    assert (await done(gateway, "GET", "/creator/blocks", by="cara"))["people"] == []
    assert (await act(gateway, "PUT", "/creator/blocks/walt", "vera", "viewer"))[0] == 403
    assert (await act(gateway, "PUT", "/creator/blocks/cara"))[0] == 403


async def test_lists_page_through_everybody_once(gateway: Gateway):
    room = await gateway.open_room("cara")
    for number in range(5):
        await done(gateway, "PUT", f"/rooms/{room}/bans/user{number}")
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        status, page = await gateway.get(f"/rooms/{room}/bans", gateway.token("cara"), **params)
        assert status == 200
        seen += [line["user"]["id"] for line in page["people"]]
        if (cursor := page["next"]) is None:
            break
    assert seen == [f"user{number}" for number in range(5)]
    assert (await gateway.get(f"/rooms/{room}/bans", gateway.token("cara"), cursor="x"))[0] == 400


async def test_lists_have_an_end(gateway: Gateway, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(moderation_module.ledger_moderation.LISTED_MAX, moderation_module.Kind.BAN, 2)
    room = await gateway.open_room("cara")
    for user in ("a", "b", "a"):
        await done(gateway, "PUT", f"/rooms/{room}/bans/{user}")
    assert (await act(gateway, "PUT", f"/rooms/{room}/bans/c"))[1]["code"] == "limit_exceeded"


# What a gateway knows


async def test_what_was_not_heard_is_found_all_the_same(start_gateway: StartGateway, monkeypatch: pytest.MonkeyPatch):
    """Written behind the gateways' backs: as when the message about it is lost."""
    monkeypatch.setattr(moderation_module, "AGE_S", 0.2)
    monkeypatch.setattr(moderation_module, "LOOK_EVERY_S", 0.05)
    gateway = await start_gateway()
    room = await gateway.open_room("cara")
    vera = await gateway.enter(gateway.token("vera"), room)
    async with await postgres.connect(gateway.settings.database_url, size_max=1) as pool:
        await moderation_module.ledger_moderation.put(pool, moderation_module.Kind.BAN, room, "vera", by_id="cara")
    assert (await vera.receive("left"))["code"] == "forbidden"


async def test_without_postgres_members_stay_and_nobody_is_let_in_unchecked(gateway: Gateway):
    """The table is put out of reach, which to the gateway is the same."""
    known, unknown = await gateway.open_room("cara"), await gateway.open_room("carl")
    vera = await gateway.enter(await gateway.coins("vera", 10), known)
    async with await postgres.connect(gateway.settings.database_url, size_max=1) as pool:
        await pool.execute("ALTER TABLE moderation RENAME TO away")
        assert (await vera.gift(known))["type"] == "gift_ack"
        assert (await vera.ask(type="chat", room=known, text="hi"))["type"] == "ack"
        assert (await refused_join(vera, known))["type"] == "joined"
        assert (await refused_join(vera, unknown))["code"] == "unavailable"
        assert (await act(gateway, "PUT", f"/rooms/{known}/bans/vera"))[1]["code"] == "unavailable"
        await pool.execute("ALTER TABLE away RENAME TO moderation")
    assert (await refused_join(vera, unknown))["type"] == "joined"


async def test_a_gateway_remembers_a_bounded_number_of_rooms_and_still_shuts_out(
    start_gateway: StartGateway, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(moderation_module, "ROOMS_KNOWN_MAX", 1)
    gateway = await start_gateway()
    rooms = [await gateway.open_room(f"cara{number}") for number in range(4)]
    vera = await gateway.enter(gateway.token("vera"), rooms[0])
    for number, room in enumerate(rooms):
        await done(gateway, "PUT", f"/rooms/{room}/bans/vera", by=f"cara{number}")
    assert (await vera.receive("left"))["room"] == rooms[0]
    for room in rooms:
        assert (await refused_join(vera, room))["code"] == "forbidden"
