"""A gift that cannot be settled is set aside, counted and never in the way; nothing of it is lost or given back."""

import json
from typing import Any

import pytest
from prometheus_client import REGISTRY

from server.domain.money import MONEY_MAX
from server.ledger import remembered
from server.ledger import rooms as ledger_rooms
from server.stores import keys
from tests.ledger.stage import ROOM, Stage, StageRoom


def quarantined_so_far() -> float:
    return REGISTRY.get_sample_value("giftstream_quarantined_gifts_total") or 0.0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"gift": "nosuch"}, "unknown gift or version"),
        ({"version": 9}, "unknown gift or version"),
        ({"room": "r_nosuch"}, "unknown room"),
        ({"creator": "somebody"}, "not the room's creator"),
        ({"coins": 2}, "amounts differ from the catalogue"),
        ({"diamonds": 0}, "amounts differ from the catalogue"),
        ({"count": 0, "coins": 0, "diamonds": 0}, "amounts differ from the catalogue"),
        ({"count": -1, "coins": -1, "diamonds": -1}, "amounts differ from the catalogue"),
        ({"count": 10_000, "coins": 10_000, "diamonds": 10_000}, "amounts differ from the catalogue"),
        ({"request_id": "a\0b"}, "refused by the database"),
        ({"at_us": 2**63}, "refused by the database"),
        ({"combo": 2**70}, "refused by the database"),
        ({"at_us": "now"}, "unreadable"),
        ({"coins": 1.5}, "unreadable"),
        ({"coins": True}, "unreadable"),
        ({"room": None}, "unreadable"),
        ({"viewer": "bob\0"}, "no wallet of this viewer"),
    ],
)
async def test_each_kind_of_culprit_is_set_aside_and_its_neighbours_are_settled(
    stage: Stage, changes: dict[str, Any], reason: str
) -> None:
    await stage.viewer("ann", 1_000)
    shard = stage.shard("ann")
    before = quarantined_so_far()
    records = [stage.record(number, "ann") for number in range(1, 6)]
    records[2] = stage.record(3, **({"viewer": "ann"} | changes))
    await stage.append(shard, json.dumps(records).encode(), 5)
    assert await stage.settle() == 5
    rows = await stage.pool.fetch("SELECT number, reason, record FROM quarantine")
    assert [row["number"] for row in rows] == [3]
    assert rows[0]["reason"].startswith(reason)
    assert "forged-3" in rows[0]["record"] or "a\\u0000b" in rows[0]["record"]
    numbers = await stage.pool.fetch("SELECT number FROM gifts ORDER BY number")
    assert [row["number"] for row in numbers] == [1, 2, 4, 5]
    assert await stage.pool.fetchval("SELECT number FROM shards WHERE shard = $1", shard) == 5
    assert quarantined_so_far() == before + 1
    assert await stage.redis.hget(keys.shard(shard), "settled") == b"5"


@pytest.mark.parametrize("packed", [b"", b"?", b"7", b"{}", b"[]", b"[[]]", b'[[1,2,"x"]]', b"\xff\xfe", b"[" * 5_000])
async def test_an_entry_that_is_no_list_of_gifts_is_set_aside_number_by_number(stage: Stage, packed: bytes) -> None:
    await stage.viewer("ann", 1_000)
    await stage.append(stage.shard("ann"), packed, 3)
    await stage.forge("ann")
    assert await stage.settle() == 4
    rows = await stage.pool.fetch("SELECT number, reason FROM quarantine ORDER BY number")
    assert [tuple(row) for row in rows] == [(1, "unreadable"), (2, "unreadable"), (3, "unreadable")]
    assert await stage.pool.fetchval("SELECT number FROM gifts") == 4


async def test_a_gift_of_another_shards_viewer_is_set_aside(stage: Stage) -> None:
    await stage.viewer("ann", 1_000)
    other = next(shard for shard in range(stage.settings.wallet_shards) if shard != stage.shard("ann"))
    await stage.forge("ann")
    assert await stage.settle() == 1
    await stage.forge("ann", shard=other)
    assert await stage.settle() == 1
    assert await stage.pool.fetchval("SELECT reason FROM quarantine") == "no wallet of this viewer in this shard"
    assert await stage.balance("ann") == 999


async def test_a_gift_that_the_ledgers_balance_does_not_cover_is_set_aside(stage: Stage) -> None:
    await stage.viewer("ann", 10)
    await stage.viewer("bea", 10)
    records = [
        stage.record(1, "ann", count=8, coins=8, diamonds=8),
        stage.record(2, "ann", count=5, coins=5, diamonds=5),
        stage.record(3, "ann", count=2, coins=2, diamonds=2),
    ]
    await stage.append(stage.shard("ann"), json.dumps(records).encode(), 3)
    await stage.settle()
    assert await stage.pool.fetchval("SELECT number FROM quarantine") == 2
    assert await stage.balance("ann") == 0


async def test_coins_in_quarantine_do_not_come_back_when_the_wallet_is_loaded_again(stage: Stage) -> None:
    await stage.viewer("ann", 100)
    await stage.give("ann", "rose", 30)
    shard = stage.shard("ann")
    await stage.pool.execute("DELETE FROM catalogue WHERE gift_id = 'rose'")
    await stage.settle()
    assert (await stage.snapshot("ann")).coins == 70
    balance = await stage.wallets.balance("ann")
    assert (balance.coins, balance.pending) == (70, 0)
    await stage.redis.delete(keys.wallet(shard, 1, "ann"))
    assert (await stage.wallets.balance("ann")).coins == 70
    report = await stage.audit()
    assert report.ok, report.render()
    assert report.totals["coins_quarantined"] == 30


async def test_a_gift_in_quarantine_is_not_charged_again_when_redis_has_lost_its_answer(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "REMEMBERED_PAGE", 2)
    await stage.viewer("ann", 100)
    given = await stage.give("ann", "rose", 5, times=3) + await stage.give("ann", "coffee", 2, times=2)
    await stage.forge("ann", at_us="unreadable")
    await stage.pool.execute("DELETE FROM catalogue WHERE gift_id = 'rose'")
    await stage.settle()
    await stage.redis.flushall()
    asked = [("rose", 5, f"q{number}") for number in (1, 2, 3)] + [("coffee", 2, f"q{number}") for number in (4, 5)]
    again = [await stage.send("ann", gift, count, StageRoom(), request) for gift, count, request in asked]
    assert [answer.gift_id for answer in again] == [answer.gift_id for answer in given]  # type: ignore[union-attr]
    assert {answer.gift_id.epoch for answer in again} == {1}  # type: ignore[union-attr]
    assert (await stage.wallets.balance("ann")).coins == given[-1].coins - 1


async def test_a_room_that_is_loaded_again_still_counts_gifts_in_quarantine(stage: Stage) -> None:
    await stage.viewer("ann", 100)
    await stage.give("ann", "rose", 30)
    await stage.reader.drain()
    await stage.pool.execute("DELETE FROM catalogue WHERE gift_id = 'rose'")
    await stage.settle()
    room = await ledger_rooms.snapshot(stage.pool, ROOM)
    assert room is not None
    assert (room.coins, room.diamonds, room.gifts) == (30, 30, 30)
    assert room.gifters == [("ann", "ann", 30)]
    report = await stage.audit()
    assert report.ok, report.render()


@pytest.mark.parametrize("coins", [-5, MONEY_MAX + 1])
async def test_amounts_that_no_gift_can_have_free_no_pending_coins(stage: Stage, coins: int) -> None:
    await stage.viewer("ann", 100)
    await stage.give("ann", "rose", 3)
    await stage.forge("ann", coins=coins)
    assert await stage.settle() == 2
    assert (await stage.wallets.balance("ann")).pending == 0
