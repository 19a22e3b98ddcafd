"""Exclusive rooms: a ticket is paid once, lets in from its acknowledgement on, and comes back once if need be."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from server.domain.ids import GiftId, RoomId
from server.economy.spending.ticket_sweeper import TicketSweeper
from server.ledger import rooms as ledger_rooms
from server.ledger.audit import audit
from server.ledger.spending import tickets
from server.rooms.apply import RoomsReader
from server.rooms.loading import load_room, unload_room
from server.settings import Settings
from server.stores import keys
from server.stores.postgres import Pool
from server.wallet.opening import ShardOpener
from server.wallet.wallets import Wallets
from tests.economy.settling import Settle, redis, settle
from tests.web.conftest import StartGateway, worker
from tests.web.gateways import Gateway

__all__ = ["redis", "settle", "worker"]

TICKET = {"type": "spend", "item": "ticket_100"}


@pytest.fixture
async def sweeper(redis: Redis, settings: Settings, pool: Pool) -> TicketSweeper:
    wallets = Wallets(redis, pool, ShardOpener(redis, pool, settings), settings)
    return TicketSweeper(redis, pool, wallets, replace(settings, worker_id="sweeper"))


async def open_gala(gateway: Gateway, **more: Any) -> str:
    body = {"title": "Gala", "ticket": "ticket_100"} | more
    status, room = await gateway.post("/rooms", body, gateway.token("cara", "creator"))
    assert status == 201, room
    assert room["ticket"]["coins"] == 100
    return str(room["id"])


async def error_of_join(gateway: Gateway, token: str, room: str, since: str | None = None) -> str:
    client = await gateway.connect()
    await client.hello(token)
    await client.send(type="join", room=room, **({} if since is None else {"since": since}))
    error = await client.receive("error")
    assert error["room"] == room
    return str(error["code"])


async def test_only_a_ticket_lets_in_whichever_way_is_tried(gateway: Gateway, worker: RoomsReader) -> None:
    room, other = await open_gala(gateway), await gateway.open_room("mira")
    ann, bob = await gateway.coins("ann", 1_000), await gateway.coins("bob", 1_000)
    buyer = await gateway.enter(ann)
    assert (await buyer.ask(**TICKET, room=room))["type"] == "gift_ack"
    joined = await buyer.join(room)
    await buyer.gift(room)
    await buyer.receive_where(lambda frame: "gifts" in frame, "a delta")

    # Bob has none: not by joining, nor with a position that somebody told him, nor past the socket.
    assert await error_of_join(gateway, bob, room) == "not_eligible"
    assert await error_of_join(gateway, bob, room, joined["position"]) == "not_eligible"
    assert (await gateway.get(f"/rooms/{room}/top", bob))[0] == 403
    assert (await gateway.get(f"/rooms/{room}/top"))[0] == 401
    assert (await gateway.post(f"/rooms/{room}/gifts", {"gift": "rose", "count": 1}, bob))[1]["code"] == "not_eligible"
    assert (await gateway.post(f"/rooms/{room}/spend", {"item": "sticker_clap"}, bob))[1]["code"] == "not_eligible"
    # An overlay's token is its room's; one of another room opens no door here.
    _, mira = await gateway.get(f"/rooms/{other}/overlay-token", gateway.token("mira", "creator"))
    assert await error_of_join(gateway, mira["token"], room) == "forbidden"
    assert await error_of_join(gateway, gateway.token("tv", read_only=True), room) == "not_eligible"
    assert (await gateway.get(f"/rooms/{room}/overlay-token", bob))[0] == 403
    _, own = await gateway.get(f"/rooms/{room}/overlay-token", gateway.token("cara", "creator"))
    watching = await gateway.connect()
    await watching.hello(own["token"])
    assert (await watching.join(room))["room"] == room

    # Whoever runs the room needs no ticket.
    for token in (gateway.token("cara", "creator"), gateway.token("ada", "admin")):
        assert (await (await gateway.enter(token)).join(room))["room"] == room
        assert (await gateway.get(f"/rooms/{room}/ticket", token))[1]["admitted"]
    await gateway.call("PUT", f"/rooms/{room}/moderators/mo", gateway.token("cara", "creator"))
    assert (await (await gateway.enter(gateway.token("mo"))).join(room))["room"] == room
    # A ticket is no shield: whoever is banned is out.
    await gateway.call("PUT", f"/rooms/{room}/bans/ann", gateway.token("cara", "creator"))
    assert await error_of_join(gateway, ann, room) == "forbidden"
    assert (await gateway.get(f"/rooms/{room}/top", ann))[0] == 403


async def test_a_ticket_counts_from_its_acknowledgement_on_and_outlives_connections_and_the_room_in_redis(
    redis: Redis, gateway: Gateway, settle: Settle, pool: Pool, settings: Settings
) -> None:
    """No worker runs: nothing of the log has reached the room or the ledger yet."""
    room = await open_gala(gateway)
    token = await gateway.coins("ann", 1_000)
    client = await gateway.enter(token)
    assert (await client.ask(**TICKET, room=room))["coins"] == 900
    joined = await client.join(room)
    await client.close()
    assert (await (await gateway.enter(token)).join(room, joined["position"]))["recovered"]

    # The room is lost and loaded again from a ledger that has not heard of the ticket: the log knows.
    for settled in (False, True):
        if settled:
            await settle()
        incarnation = await redis.hget(keys.room(room), "incarnation")
        await unload_room(redis, room, incarnation.decode())
        assert await load_room(redis, pool, room)
        assert (await gateway.get(f"/rooms/{room}/ticket", token))[1]["admitted"]
        assert not (await gateway.get(f"/rooms/{room}/ticket", gateway.token("bob")))[1]["admitted"]


async def test_of_many_purchases_at_once_one_is_paid(start_gateway: StartGateway) -> None:
    """Two gateways, several requests at once: one is accepted, the others say that there is one, or is coming."""
    first, second = await start_gateway(), await start_gateway()
    room = await open_gala(first)
    token = await first.coins("ann", 1_000)
    clients = [await gateway.enter(token) for gateway in (first, second, first, second)]
    answers = await asyncio.gather(*(client.ask(**TICKET, room=room, id=f"q{n}") for n, client in enumerate(clients)))
    assert [answer["type"] for answer in answers].count("gift_ack") == 1
    assert {answer.get("code") for answer in answers} <= {None, "conflict", "busy"}
    assert (await first.get("/wallet", token))[1]["coins"] == 900
    # The same request gets its answer again, another one hears that there is a ticket.
    paid = next(n for n, answer in enumerate(answers) if answer["type"] == "gift_ack")
    assert await clients[0].ask(**TICKET, room=room, id=f"q{paid}") == answers[paid]
    status, problem = await second.post(f"/rooms/{room}/spend", {"item": "ticket_100"}, token)
    assert (status, problem["code"]) == (409, "conflict")
    assert (await first.get("/wallet", token))[1]["coins"] == 900


async def test_a_purchase_that_was_refused_is_in_nobodys_way(gateway: Gateway, sweeper: TicketSweeper) -> None:
    room = await open_gala(gateway)
    client = await gateway.enter(gateway.token("ann"))
    assert (await client.ask(**TICKET, room=room))["code"] == "insufficient_coins"
    await gateway.coins("ann", 150)
    await sweeper._wallets.refresh("ann")
    assert (await client.ask(type="spend", item="ticket_250", room=room))["code"] == "unknown_gift"
    assert (await client.ask(**TICKET, room=room))["coins"] == 50


async def test_a_cancelled_room_gives_every_ticket_back_once(
    gateway: Gateway, settle: Settle, pool: Pool, settings: Settings, sweeper: TicketSweeper
) -> None:
    """Ends at once, sweeps at once, and one that dies half way: each ticket comes back once, and the books balance."""
    room = await open_gala(gateway)
    tokens = {name: await gateway.coins(name, 1_000) for name in ("ann", "bob", "cleo")}
    for token in tokens.values():
        assert (await gateway.post(f"/rooms/{room}/spend", {"item": "ticket_100"}, token))[0] == 201
    # Ann also gave a rose: gifts stay given.
    ann = await gateway.enter(tokens["ann"], room)
    await ann.gift(room)
    await settle()
    assert await _diamonds(pool) == (1, 300)

    one = GiftId(*await pool.fetchrow("SELECT shard, epoch, number FROM tickets"))
    async with pool.acquire() as conn, conn.transaction():
        assert await tickets.give_back(conn, one) is None  # nobody cancelled anything
    await asyncio.gather(*(gateway.end_room(room) for _ in range(3)))
    due = await tickets.due_for_return(pool, 10)
    assert len(due) == 3
    async with pool.acquire() as conn:
        dies = conn.transaction()
        await dies.start()
        assert await tickets.give_back(conn, due[0]) is not None
        await dies.rollback()
    await asyncio.gather(*(sweeper.sweep() for _ in range(4)))
    await sweeper.sweep()

    coins = {name: (await gateway.get("/wallet", token))[1]["coins"] for name, token in tokens.items()}
    assert coins == {"ann": 999, "bob": 1_000, "cleo": 1_000}
    assert await _diamonds(pool) == (1, 0)
    assert await pool.fetchval("SELECT count(*) FROM credits WHERE kind = 'return'") == 3
    assert await pool.fetchval("SELECT count(*) FROM postings WHERE kind = 'reversal'") == 3
    notices = await pool.fetch("SELECT message FROM notices WHERE user_id = 'bob'")
    assert [row["message"] for row in notices] == [
        "“Gala” was cancelled. Your ticket was returned: 100 coins are back."
    ]
    # The page that was open shows the coins by itself.
    assert (await ann.receive("wallet"))["coins"] == 999
    report = await audit(settings)
    assert report.ok, report.render()


async def test_a_ticket_that_is_settled_after_the_cancellation_comes_back_too(
    gateway: Gateway, settle: Settle, pool: Pool, sweeper: TicketSweeper
) -> None:
    room = await open_gala(gateway)
    token = await gateway.coins("ann", 1_000)
    assert (await gateway.post(f"/rooms/{room}/spend", {"item": "ticket_100"}, token))[0] == 201
    await gateway.end_room(room)
    await sweeper.sweep()
    assert (await gateway.get("/wallet", token))[1]["coins"] == 900
    await settle()
    await sweeper.sweep()
    assert (await gateway.get("/wallet", token))[1]["coins"] == 1_000


async def test_a_second_ticket_that_slipped_through_comes_back_and_the_first_stays(
    redis: Redis, gateway: Gateway, settle: Settle, pool: Pool, settings: Settings, sweeper: TicketSweeper
) -> None:
    room = await open_gala(gateway)
    token = await gateway.coins("ann", 1_000)
    for _ in range(2):
        assert (await gateway.post(f"/rooms/{room}/spend", {"item": "ticket_100"}, token))[0] == 201
        # As if the gateway had died between the payment and the note of it, and the buyer had come back as another.
        await redis.delete(f"{{r:{room}}}:tickets", f"{{r:{room}}}:claim:ann")
    assert (await gateway.get("/wallet", token))[1]["coins"] == 800
    await settle()
    await sweeper.sweep()
    assert (await gateway.get("/wallet", token))[1]["coins"] == 900
    assert await _diamonds(pool) == (0, 100)
    report = await audit(settings)
    assert report.ok, report.render()


async def test_a_room_that_took_place_keeps_its_tickets_and_its_creator_gets_the_diamonds(
    start_gateway: StartGateway, settle: Settle, pool: Pool, settings: Settings, sweeper: TicketSweeper
) -> None:
    gateway = await start_gateway(ticket_cancel_window_s=0)
    room = await open_gala(gateway)
    token = await gateway.coins("ann", 1_000)
    assert (await gateway.post(f"/rooms/{room}/spend", {"item": "ticket_100"}, token))[0] == 201
    await settle()
    await sweeper.sweep()
    assert await _diamonds(pool) == (0, 100)  # it has just begun
    await gateway.end_room(room)
    await asyncio.gather(*(sweeper.sweep() for _ in range(3)))
    assert await _diamonds(pool) == (100, 0)
    assert (await gateway.get("/wallet", token))[1]["coins"] == 900
    report = await audit(settings)
    assert report.ok, report.render()


async def test_a_room_can_be_cancelled_until_it_has_well_begun(gateway: Gateway, pool: Pool) -> None:
    """Also one that is announced; and an end that comes while tickets are released waits for that, or prevents it."""
    for name, age_s, announced_s, window_s, cancelled in [
        ("r_new", 0, None, 600, True),
        ("r_old", 601, None, 600, False),
        ("r_announced", 7_200, 3_600, 600, True),
        ("r_begun", 7_200, -601, 600, False),
        ("r_open_to_all", 0, None, 600, False),
    ]:
        await ledger_rooms.create(pool, RoomId(name), "cara", "Cara", name)  # type: ignore[arg-type]
        await pool.execute(
            "UPDATE rooms SET ticket_id = $4, ticket_version = $5, started_at = now() - make_interval(secs => $2),"
            " starts_at = now() + make_interval(secs => $3) WHERE id = $1",
            name,
            float(age_s),
            None if announced_s is None else float(announced_s),
            None if name == "r_open_to_all" else "ticket_100",
            None if name == "r_open_to_all" else 1,
        )
        assert await ledger_rooms.end(pool, RoomId(name), window_s)
        assert await pool.fetchval("SELECT cancelled FROM rooms WHERE id = $1", name) is cancelled, name


async def test_a_cancellation_during_the_release_wins_or_comes_too_late(pool: Pool, gateway: Gateway) -> None:
    """The release looks at the room last, under a lock that an end has to wait for."""
    room = await open_gala(gateway)
    await pool.execute(
        "INSERT INTO tickets (shard, epoch, number, room_id, viewer_id, creator_id, coins, diamonds, at_us, spare)"
        " VALUES (0, 1, 1, $1, 'ann', 'cara', 100, 0, 1, false)",
        room,
    )
    await pool.execute("UPDATE rooms SET started_at = now() - interval '1 hour' WHERE id = $1", room)
    async with pool.acquire() as conn:
        ending = conn.transaction()
        await ending.start()
        await conn.execute("UPDATE rooms SET state = 'ended', ended_at = now(), cancelled = true WHERE id = $1", room)
        releasing = asyncio.create_task(tickets.release(pool, room, 600))
        await _waits_for_a_lock(pool)
        await ending.commit()
    await releasing
    assert await pool.fetchval("SELECT released_at FROM tickets") is None
    assert len(await tickets.due_for_return(pool, 10)) == 1


async def test_a_room_is_announced_for_a_time_to_come(gateway: Gateway) -> None:
    starts = (datetime.now(UTC) + timedelta(days=2)).replace(microsecond=0)
    room = await open_gala(gateway, starts_at=starts.isoformat())
    assert (await gateway.get(f"/rooms/{room}"))[1]["ticket"]["starts_at"] == starts.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    _, listed = await gateway.get("/rooms")
    assert listed["rooms"][0]["ticket"] == {
        "item": "ticket_100", "coins": 100, "starts_at": starts.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    }  # fmt: skip
    creator = gateway.token("cara", "creator")
    for body, code in [
        ({"ticket": "rose"}, "unknown_gift"),
        ({"ticket": "nosuch"}, "unknown_gift"),
        ({"starts_at": starts.isoformat()}, "bad_request"),
        ({"ticket": "ticket_100", "starts_at": "tomorrow"}, "bad_request"),
        ({"ticket": "ticket_100", "starts_at": "2020-01-01T00:00:00Z"}, "bad_request"),
        ({"ticket": "ticket_100", "starts_at": "2020-01-01T00:00:00"}, "bad_request"),
        ({"ticket": "ticket_100", "starts_at": (starts + timedelta(days=40)).isoformat()}, "bad_request"),
    ]:
        assert (await gateway.post("/rooms", {"title": "Gala"} | body, creator))[1]["code"] == code, body


async def _diamonds(pool: Pool) -> tuple[int, int]:
    """Cara's, available and held."""
    rows = await pool.fetch("SELECT kind, balance FROM accounts WHERE owner = 'cara'")
    held = {row["kind"]: row["balance"] for row in rows}
    return held["diamonds_available"], held["diamonds_held"]


async def _waits_for_a_lock(pool: Pool) -> None:
    async with asyncio.timeout(10):
        while not await pool.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            await asyncio.sleep(0.01)
