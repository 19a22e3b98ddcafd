"""Levels, boards and badges: sums over gifts that never go back, seen in chat, in rankings and at the door."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from server.domain.levels import LEVEL_MAX, THRESHOLDS, level_of, next_level_at
from server.domain.look import Look, read_look, write_look
from server.ledger.audit import audit
from server.ledger.creators.rollup import Rollup
from server.ledger.spending.boards import Period
from server.ledger.spending.looks import looks_of
from server.rooms.apply import RoomsReader
from server.rooms.badges import Badges
from server.settings import Settings
from server.stores import keys
from server.stores.postgres import Pool
from tests.economy.settling import Settle, redis, settle
from tests.web.conftest import worker
from tests.web.gateways import Gateway

__all__ = ["redis", "settle", "worker"]


@given(coins=st.integers(0, 10**9), more=st.integers(0, 10**9))
def test_a_level_never_falls_and_stays_within_its_bounds(coins: int, more: int) -> None:
    assert 0 <= level_of(coins) <= level_of(coins + more) <= LEVEL_MAX
    following = next_level_at(coins)
    if following is None:
        assert level_of(coins) == LEVEL_MAX
    else:
        assert level_of(following - 1) == level_of(coins) == level_of(following) - 1


def test_levels_begin_where_the_documentation_says() -> None:
    assert [level_of(coins) for coins in (0, 1, 9, 10, 99, 100, 1_000, 10_000, 100_000, 10**6, 10**7 - 1, 10**7)] == [
        0, 1, 1, 2, 9, 10, 18, 26, 34, 42, 49, 50,
    ]  # fmt: skip
    assert sorted(set(THRESHOLDS)) == THRESHOLDS


@given(st.dates(date(1970, 1, 1), date(2200, 1, 1)), st.sampled_from(Period))
def test_periods_hold_each_day_once_and_follow_one_another(day: date, period: Period) -> None:
    starts, ends = period.around(day)
    assert starts <= day < ends
    assert period.around(starts) == (starts, ends) == period.around(ends - timedelta(days=1))
    assert period.around(ends)[0] == ends
    assert period is not Period.WEEK or starts.weekday() == 0


@given(st.builds(Look, st.integers(0, 50), *[st.sampled_from(["", "gold", "neon"])] * 3))
def test_a_look_is_kept_as_it_is(look: Look) -> None:
    assert read_look(write_look(look)) == look


async def test_boards_and_levels_are_the_sums_of_what_cannot_come_back(
    gateway: Gateway, settle: Settle, pool: Pool, settings: Settings
) -> None:
    room = await gateway.open_room()
    _, gala = await gateway.post("/rooms", {"title": "Gala", "ticket": "ticket_100"}, gateway.token("mira", "creator"))
    ann, bob = await gateway.coins("ann", 50_000), await gateway.coins("bob", 50_000)

    async def buy(token: str, path: str, **body: Any) -> None:
        status, answer = await gateway.post(path, body, token)
        assert status == 201, answer

    await buy(ann, f"/rooms/{room}/gifts", gift="rose", count=40)
    await buy(ann, f"/rooms/{room}/spend", item="highlight_mint", note="hi")
    await buy(bob, f"/rooms/{room}/spend", item="effect_snow")
    await buy(bob, f"/rooms/{gala['id']}/spend", item="ticket_100")
    await buy(bob, f"/rooms/{room}/spend", item="promote_1100")
    await buy(ann, "/spend", item="frame_gold")
    await settle()
    looks: list[str] = []

    async def seen(users: list[str]) -> None:
        looks.extend(users)

    rollup = Rollup(pool, settings.wallet_shards, seen)
    while await rollup.add_up():
        pass
    assert sorted(looks) == ["ann", "bob"]

    today = datetime.now(UTC).date()
    for period in ("day", "week", "month"):
        _, creators = await gateway.get("/boards/creators", period=period)
        assert [(place["rank"], place["user"], place["diamonds"]) for place in creators["places"]] == [
            (1, {"id": "cara", "name": "Cara"}, 240)
        ]
        assert (creators["starts"], creators["ends"]) == tuple(day.isoformat() for day in Period(period).around(today))
    # Tickets and placements are on no board, upgrades on no board of gifters; the levels count upgrades too.
    _, page = await gateway.get("/boards/gifters", bob, limit=1)
    assert [(place["user"]["id"], place["coins"], place["user"]["level"]) for place in page["places"]] == [
        ("ann", 140, level_of(1140))
    ]
    assert page["own"] == {"rank": 2, "coins": 100}
    _, page = await gateway.get("/boards/gifters", limit=1, cursor=page["next"])
    assert [(place["rank"], place["user"]["id"], place["coins"]) for place in page["places"]] == [(2, "bob", 100)]
    assert page["next"] is None
    assert (await gateway.get("/boards/gifters", gateway.token("cleo")))[1]["own"] == {"coins": 0}
    assert (await gateway.get("/boards/gifters", at="2001-01-01"))[1]["places"] == []
    for wrong in ({"at": "today"}, {"at": "9999-12-31"}, {"period": "year"}, {"cursor": "x"}):
        assert (await gateway.get("/boards/gifters", **wrong))[0] == 400, wrong
    assert (await gateway.get("/boards/rooms"))[0] == 404

    _, own = await gateway.get("/gifter", ann)
    until = own["upgrades"][0].pop("until")
    assert datetime.fromisoformat(until) > datetime.now(UTC) + timedelta(days=29)
    assert own == {
        "level": 18, "coins": 1140, "level_at": 1000, "next_level_at": 1334,
        "upgrades": [{"item": "frame_gold", "slot": "frame", "look": "gold"}],
    }  # fmt: skip
    assert (await gateway.get("/gifter", gateway.token("cleo")))[1] == {
        "level": 0, "coins": 0, "level_at": 0, "next_level_at": 1, "upgrades": [],
    }  # fmt: skip
    report = await audit(settings)
    assert report.ok, report.render()


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ("UPDATE board_totals SET amount = amount + 1 WHERE period = 'week'", "boards_added_up"),
        ("DELETE FROM board_totals WHERE period = 'day'", "boards_added_up"),
        ("UPDATE gifters SET coins = coins - 1", "boards_added_up"),
        ("DELETE FROM shown", "items_delivered"),
        ("UPDATE shown SET lasting_s = 1", "items_delivered"),
        ("UPDATE tickets SET viewer_id = 'bob'", "items_delivered"),
        ("UPDATE placements SET impressions = 7000", "items_delivered"),
        ("INSERT INTO upgrades VALUES (0, 9, 9, 'ann', 'frame_gold', 'frame', 'gold', 1, 2)", "items_delivered"),
        ("UPDATE tickets SET returned_at = now()", "returns_booked_once"),
        ("UPDATE accounts SET balance = 0 WHERE kind = 'diamonds_held'", "returns_booked_once"),
        ("UPDATE placements SET returned_coins = 5", "returns_booked_once"),
    ],
)
async def test_the_audit_sees_what_was_tampered_with(
    gateway: Gateway, settle: Settle, pool: Pool, settings: Settings, change: str, check: str
) -> None:
    _, gala = await gateway.post("/rooms", {"title": "Gala", "ticket": "ticket_100"}, gateway.token("mira", "creator"))
    room = await gateway.open_room()
    ann = await gateway.coins("ann", 50_000)
    for path, item in [
        (f"/rooms/{room}/spend", "effect_snow"),
        (f"/rooms/{gala['id']}/spend", "ticket_100"),
        (f"/rooms/{room}/spend", "promote_500"),
    ]:
        assert (await gateway.post(path, {"item": item}, ann))[0] == 201
    await settle()
    while await Rollup(pool, settings.wallet_shards).add_up():
        pass
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute("SET LOCAL session_replication_role = replica")
        await conn.execute(change)
    report = await audit(settings)
    assert check in {found.name for found in report.checks if not found.ok}, report.render()


async def test_a_level_stands_in_chat_in_the_ranking_and_at_the_door_without_asking_postgres_each_time(
    redis: Redis, gateway: Gateway, worker: RoomsReader, pool: Pool, settings: Settings
) -> None:
    await pool.execute("INSERT INTO gifters VALUES ('ann', 12000, 26)")
    await pool.execute(
        "INSERT INTO upgrades VALUES (0, 1, 1, 'ann', 'badge_paw', 'badge', 'paw', 1, 9000000000000000),"
        " (0, 1, 2, 'ann', 'frame_gold', 'frame', 'gold', 1, 2)"
    )
    room = await gateway.open_room()
    watcher = await gateway.enter(gateway.token("vera"), room)
    ann = await gateway.enter(await gateway.coins("ann", 1_000), room)
    person = {"id": "ann", "name": "Ann", "level": 26, "badge": "paw"}
    delta = await watcher.receive_where(lambda frame: "entrances" in frame, "the entrance")
    assert [(came["from"], came["look"]) for came in delta["entrances"]] == [(person, "rise")]
    await ann.ask(type="chat", room=room, text="good evening")
    delta = await watcher.receive_where(lambda frame: "chat" in frame, "the line")
    assert delta["chat"][0]["from"] == person
    # Not again for somebody who comes back at once.
    await ann.close()
    ann = await gateway.enter(gateway.token("ann"), room)
    await ann.ask(type="spend", room=room, item="highlight_mint", note="hi")
    delta = await watcher.receive_where(lambda frame: "effects" in frame, "the comment")
    assert "entrances" not in delta
    _, ranking = await gateway.get(f"/rooms/{room}/top")
    assert ranking["top"][0]["user"] == person

    # A new look is told to every process, which reads it again; old ones are asked of nobody.
    await pool.execute("UPDATE gifters SET level = 34")
    await Badges(redis, pool).changed(["ann"])
    for _ in range(200):
        _, ranking = await gateway.get(f"/rooms/{room}/top")
        if ranking["top"][0]["user"]["level"] == 34:
            break
    assert ranking["top"][0]["user"] == person | {"level": 34}


async def test_what_is_known_of_looks_is_bounded_and_asked_for_once(
    redis: Redis, pool: Pool, settings: Settings
) -> None:
    await pool.execute("INSERT INTO gifters SELECT 'v' || n, 100, 10 FROM generate_series(1, 1200) AS n")
    first, second = Badges(redis, pool), Badges(redis, pool)
    assert (await first.look("v1")).level == 10
    assert (await first.look("nobody")).level == 0
    # What one process asked Postgres for, the others find in Redis.
    await pool.execute("DELETE FROM gifters WHERE viewer_id = 'v1'")
    await second.learn(["v1", "v2"])
    assert second.beside("v1") == b',"level":10'
    assert second.beside("v2") == b""


async def test_a_look_that_is_old_is_read_again_though_nobody_said_that_it_changed(
    redis: Redis, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pool.execute("INSERT INTO gifters VALUES ('ann', 100, 10)")
    badges = Badges(redis, pool)
    running = asyncio.create_task(badges.run())
    assert (await badges.look("ann")).level == 10
    await pool.execute("UPDATE gifters SET level = 11")
    await redis.delete(keys.look("ann"))
    assert badges.beside("ann") == b',"level":10'
    monkeypatch.setattr("server.rooms.badges.AGE_S", 0.0)
    async with asyncio.timeout(10):
        while badges.beside("ann") != b',"level":11':
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_of_each_slot_the_newest_upgrade_is_worn_until_it_is_over(pool: Pool) -> None:
    await pool.executemany(
        "INSERT INTO upgrades VALUES (0, 1, $1, 'ann', $2, $3, $4, $5, $6)",
        [
            (1, "frame_neon", "frame", "neon", 1, 900),
            (2, "frame_gold", "frame", "gold", 2, 500),
            (3, "badge_paw", "badge", "paw", 1, 300),
        ],
    )
    assert await looks_of(pool, ["ann", "bob"], 100) == {
        "ann": Look(frame="gold", badge="paw"), "bob": Look(),
    }  # fmt: skip
    assert await looks_of(pool, ["ann"], 600) == {"ann": Look(frame="neon")}


async def test_levels_in_the_ledger_are_those_of_the_formula(pool: Pool) -> None:
    coins = sorted({around for level in THRESHOLDS for around in (level - 1, level, level + 1)} - {0})
    rows = await pool.fetch(
        "SELECT coins, width_bucket(coins, $2::bigint[]) AS level FROM unnest($1::bigint[]) AS coins", coins, THRESHOLDS
    )
    assert {row["coins"]: row["level"] for row in rows} == {amount: level_of(amount) for amount in coins}
