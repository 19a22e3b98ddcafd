"""Items from the frame that buys them to the screens and to the ledger's row."""

from __future__ import annotations

import asyncio
from typing import Any

from redis.asyncio import Redis

from server.ledger.audit import audit
from server.rooms.apply import RoomsReader
from server.rooms.loading import load_room, unload_room
from server.settings import Settings
from server.stores.postgres import Pool
from tests.economy.settling import Settle, redis, settle
from tests.web.conftest import StartGateway, worker
from tests.web.gateways import Gateway

__all__ = ["redis", "settle", "worker"]


def shown(frame: dict[str, Any]) -> list[tuple[str, str]]:
    return [(item["item"], item.get("text", "")) for item in frame.get("effects", [])]


async def test_what_is_bought_stands_on_every_screen_until_its_end_and_in_the_ledger(
    redis: Redis, gateway: Gateway, worker: RoomsReader, settle: Settle, pool: Pool, settings: Settings
) -> None:
    room = await gateway.open_room()
    ann = await gateway.enter(await gateway.coins("ann", 1_000), room)
    watcher = await gateway.enter(gateway.token("vera"), room)

    ack = await ann.ask(type="spend", room=room, item="highlight_mint", note="  Hello\u202e there ")
    assert (ack["type"], ack["coins"], ack["combo"]) == ("gift_ack", 900, 1)
    delta = await watcher.receive_where(lambda frame: "effects" in frame, "the comment")
    comment = delta["effects"][0]
    assert comment == {
        "id": ack["gift_id"], "kind": "highlight", "item": "highlight_mint", "from": {"id": "ann", "name": "Ann"},
        "text": "Hello there", "coins": 100, "at": ack["at"], "until": ack["at"] + 120_000_000,
    }  # fmt: skip
    # It counts like a gift.
    assert [(gift["gift"], gift["coins"]) for gift in delta["gifts"]] == [("highlight_mint", 100)]
    assert delta["diamonds"] == 100

    # An effect bought again goes on where it would have ended; each delta lists all that is shown.
    first = await ann.ask(type="spend", room=room, item="effect_snow")
    await ann.ask(type="spend", room=room, item="effect_snow", count=2)
    until = first["at"] + 90_000_000
    delta = await watcher.receive_where(lambda frame: until in [item["until"] for item in frame.get("effects", [])], "")
    assert sorted(shown(delta)) == [("effect_snow", ""), ("highlight_mint", "Hello there")]

    # Whoever comes later sees the same, also in a room that is loaded anew from the ledger.
    late = await gateway.connect()
    await late.hello(gateway.token("lara"))
    joined = await late.join(room)
    assert joined["effects"] == delta["effects"]
    await settle()
    await pool.execute("UPDATE users SET name = 'Ann' WHERE id = 'ann'")
    await unload_room(redis, room, joined["position"].partition("-")[0])
    assert await load_room(redis, pool, room)
    later = await gateway.connect()
    await later.hello(gateway.token("luca"))
    assert (await later.join(room))["effects"] == delta["effects"]
    rows = await pool.fetch("SELECT item_id, lasting_s FROM shown ORDER BY at_us")
    assert [tuple(row) for row in rows] == [("highlight_mint", 120), ("effect_snow", 30), ("effect_snow", 60)]
    report = await audit(settings)
    assert report.ok, report.render()


async def test_a_request_is_paid_once_on_either_way(gateway: Gateway) -> None:
    room = await gateway.open_room()
    token = await gateway.coins("ann", 1_000)
    ann, other = await gateway.enter(token, room), await gateway.enter(token, room)
    first = await ann.ask(type="spend", room=room, item="sticker_clap", id="same")
    assert await other.ask(type="spend", room=room, item="sticker_clap", id="same") == first
    body = {"item": "frame_silver"}
    answers = [await gateway.post("/spend", body, token, Idempotency_Key="one") for _ in range(2)]
    assert answers[0][0] == 201
    assert answers[0] == answers[1]
    status, problem = await gateway.post("/spend", {"item": "badge_note"}, token, Idempotency_Key="one")
    assert (status, problem["code"]) == (409, "idempotency_conflict")
    assert (await gateway.get("/wallet", token))[1]["coins"] == 1_000 - 10 - 300


async def test_each_rule_has_its_refusal_and_costs_nothing(start_gateway: StartGateway) -> None:
    gateway = await start_gateway(gift_coins_max=5_000)
    room, other = await gateway.open_room(), await gateway.open_room("mira")
    token = await gateway.coins("ann", 20_000)
    ann = await gateway.enter(token, room)
    cara = await gateway.enter(await gateway.coins("cara", 100), room)
    poor = await gateway.enter(gateway.token("poor"), room)
    overlay = (await gateway.get(f"/rooms/{room}/overlay-token", gateway.token("cara", "creator")))[1]["token"]
    watching = await gateway.enter(overlay, room)

    async def code(client: Any, **frame: Any) -> str:
        answer = await client.ask(type="spend", **frame)
        assert answer["type"] == "gift_nack", answer
        return str(answer["code"])

    comment = {"room": room, "item": "highlight_sky", "note": "hi"}
    assert await code(ann, room=room, item="rose") == "unknown_gift"
    assert await code(ann, room=room, item="nosuch") == "unknown_gift"
    assert await code(ann, room=room, item="ticket_50") == "unknown_gift"
    assert await code(ann, **(comment | {"count": 2})) == "bad_count"
    assert await code(ann, **(comment | {"count": "1"})) == "bad_count"
    assert await code(ann, **(comment | {"note": " \u200b "})) == "bad_request"
    assert await code(ann, **(comment | {"note": "x" * 801})) == "bad_request"
    assert await code(ann, **(comment | {"room": other})) == "not_joined"
    assert await code(ann, **(comment | {"room": "r_nosuch"})) == "room_not_found"
    assert await code(ann, item="effect_snow") == "room_not_found"
    assert await code(ann, room=room, item="promote_30000") == "limit_exceeded"
    assert await code(cara, **comment) == "self_gift"
    assert await code(poor, **comment) == "insufficient_coins"
    assert await code(watching, **comment) == "forbidden"
    status, _ = await gateway.call(
        "PUT", f"/rooms/{room}/mutes/ann", gateway.token("cara", "creator"), json={"seconds": 60}
    )
    assert status == 200
    assert await code(ann, **comment) == "forbidden"
    assert (await ann.ask(type="spend", room=room, item="sticker_clap"))["type"] == "gift_ack"
    assert (await ann.gift(room, "highlight_sky"))["code"] == "unknown_gift"
    await gateway.end_room(room)
    assert await code(ann, room=room, item="sticker_clap") == "room_ended"
    assert (await gateway.get("/wallet", token))[1]["coins"] == 20_000 - 10
    _, gifts = await gateway.get("/gifts")
    _, items = await gateway.get("/items")
    _, stickers = await gateway.get("/items", kind="sticker")
    assert not {gift["id"] for gift in gifts["gifts"]} & {item["id"] for item in items["items"]}
    assert {item["kind"] for item in items["items"]} == {
        "highlight", "effect", "sticker", "ticket", "promote", "upgrade",
    }  # fmt: skip
    assert {item["kind"] for item in stickers["items"]} == {"sticker"}
    assert (await gateway.get("/items", kind="gift"))[0] == 400


async def test_a_screen_shows_a_bounded_number_and_the_least_valuable_leaves_first(
    start_gateway: StartGateway, worker: RoomsReader
) -> None:
    gateway = await start_gateway()
    room = await gateway.open_room()
    ann = await gateway.enter(await gateway.coins("ann", 100_000), room)
    asked = [ann.ask(type="spend", room=room, item="highlight_sky", note=f"small {n}", id=f"s{n}") for n in range(30)]
    for answer in asked:
        assert (await answer)["type"] == "gift_ack"
    await ann.ask(type="spend", room=room, item="highlight_amber", note="large")
    delta = await ann.receive_where(lambda frame: ("highlight_amber", "large") in shown(frame), "the large one")
    assert len(delta["effects"]) == 24
    assert shown(delta).count(("highlight_amber", "large")) == 1


async def test_who_keeps_order_takes_a_comment_down_for_good(
    redis: Redis, gateway: Gateway, worker: RoomsReader, settle: Settle, pool: Pool
) -> None:
    room = await gateway.open_room()
    ann = await gateway.enter(await gateway.coins("ann", 1_000), room)
    await ann.ask(type="spend", room=room, item="effect_snow")
    bought = await ann.ask(type="spend", room=room, item="highlight_mint", note="rude")
    await ann.receive_where(lambda frame: len(frame.get("effects", [])) == 2, "both")
    path = f"/rooms/{room}/shown/{bought['gift_id']}"
    assert (await gateway.call("DELETE", path, gateway.token("ann")))[0] == 403
    status, done = await gateway.call("DELETE", path, gateway.token("cara", "creator"))
    assert (status, done["was_shown"]) == (200, True)
    delta = await ann.receive_where(lambda frame: len(frame.get("effects", [])) == 1, "the rest")
    assert shown(delta) == [("effect_snow", "")]
    assert (await gateway.call("DELETE", path, gateway.token("cara", "creator")))[1]["was_shown"] is False
    assert (await gateway.call("DELETE", f"/rooms/{room}/shown/x", gateway.token("cara", "creator")))[0] == 400
    # A room that is loaded again, from a ledger that learnt of the comment later, does not show it either.
    await settle()
    await unload_room(redis, room, delta["position"].partition("-")[0])
    assert await load_room(redis, pool, room)
    late = await gateway.connect()
    await late.hello(gateway.token("lara"))
    assert shown(await late.join(room)) == [("effect_snow", "")]


async def test_purchases_do_not_hold_up_a_connection_and_are_bounded(start_gateway: StartGateway) -> None:
    gateway = await start_gateway(gifts_in_flight_max=4)
    room = await gateway.open_room()
    ann = await gateway.enter(await gateway.coins("ann", 1_000), room)
    frames = [{"type": "spend", "id": f"q{n}", "room": room, "item": "sticker_clap"} for n in range(8)]
    for frame in frames:
        await ann.send(**frame)
    answers = await asyncio.gather(
        *(ann.receive_where(lambda answer, asked=frame: answer.get("id") == asked["id"], "") for frame in frames[:1])
    )
    assert answers[0]["type"] == "gift_ack"
    codes = [
        (await ann.receive_where(lambda answer, n=n: answer.get("id") == f"q{n}", "")).get("code") for n in range(1, 8)
    ]
    assert "rate_limited" in codes
    assert set(codes) <= {None, "rate_limited"}
