"""Items other than gifts, from the log into the ledger: one row of what they do, and books that balance."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from server.domain.catalogue import ItemKind, seed_items
from server.domain.item_note import ItemNote, write_note
from server.ledger.auditing import books
from server.ledger.auditing.report import Check, Findings
from server.settings import Settings
from tests.ledger.stage import CREATOR, ROOM, Stage, stage_on

ITEMS = {item.id: item for item in seed_items()}
MINUTE_US = 60_000_000
AT_US = 1_800_000_000_000_000


@pytest.fixture
async def stage(settings: Settings) -> AsyncIterator[Stage]:
    """An open room, an exclusive one, and two viewers with coins."""
    async with stage_on(replace(settings, gifts_per_second=1_000_000, gifts_burst=1_000_000)) as stage:
        await stage.room()
        await stage.room("r_gala")
        await stage.pool.execute("UPDATE rooms SET ticket_id = 'ticket_100', ticket_version = 1 WHERE id = 'r_gala'")
        for viewer in ("ann", "bob"):
            await stage.viewer(viewer, 100_000)
        yield stage


def bought(item_id: str, *, room: str = ROOM, count: int = 1, **note: Any) -> dict[str, Any]:
    """A record's fields as the gateway writes them for this item."""
    item = ITEMS[item_id]
    placed = item.kind not in {ItemKind.PROMOTE, ItemKind.UPGRADE}
    if item.kind is ItemKind.PROMOTE:
        note.setdefault("room", room)
    return {
        "gift": item_id,
        "room": room if placed else "",
        "creator": CREATOR if placed else "",
        "count": count,
        "coins": item.coins * count,
        "diamonds": item.diamonds * count,
        "note": write_note(ItemNote(item.kind, **note)),
    }


async def ledger_checks(stage: Stage) -> list[Check]:
    """The audit of the ledger alone: forged records were not paid for in Redis."""
    rooms = Findings("room_totals")
    async with stage.pool.acquire() as conn:
        await books.check_room_rows(conn, rooms)
        return [rooms.check(""), await books.check_entries(conn), await books.check_creators(conn)]


async def test_each_kind_of_item_is_booked_and_does_what_it_is_for(stage: Stage) -> None:
    await stage.forge("ann", **bought("highlight_mint", text="Hello there"))
    await stage.forge("ann", **bought("effect_snow", count=2))
    await stage.forge("ann", **bought("ticket_100", room="r_gala"))
    await stage.forge("ann", **bought("promote_1100", count=3))
    await stage.forge("ann", **bought("frame_gold"))
    spent = 100 + 2 * 100 + 100 + 3 * 500 + 1000
    assert await stage.settle() == 5
    assert await stage.pool.fetchval("SELECT count(*) FROM quarantine") == 0
    assert await stage.balance("ann") == 100_000 - spent

    shown = await stage.pool.fetch("SELECT kind, item_id, text, lasting_s, room_id FROM shown ORDER BY number")
    assert [tuple(row) for row in shown] == [
        ("highlight", "highlight_mint", "Hello there", 120, ROOM),
        ("effect", "effect_snow", "", 60, ROOM),
    ]
    ticket = await stage.pool.fetchrow("SELECT room_id, viewer_id, creator_id, coins, diamonds, spare FROM tickets")
    assert tuple(ticket) == ("r_gala", "ann", CREATOR, 100, 100, False)
    placement = await stage.pool.fetchrow("SELECT room_id, coins, impressions, delivered FROM placements")
    assert tuple(placement) == (ROOM, 1500, 3300, 0)
    upgrade = await stage.pool.fetchrow("SELECT slot, look, until_us - at_us AS lasting_us FROM upgrades")
    assert tuple(upgrade) == ("frame", "gold", 30 * 24 * 60 * MINUTE_US)

    # What is bought in a room counts there like a gift; the rest is the platform's, and no room's.
    rooms = await stage.pool.fetch("SELECT id, coins, diamonds, gifts FROM rooms ORDER BY id")
    assert [tuple(row) for row in rooms] == [(ROOM, 300, 300, 3), ("r_gala", 100, 100, 1)]
    assert await stage.pool.fetchval("SELECT count(*) FROM room_gifters WHERE room_id = ''") == 0
    # The diamonds of tickets are held, as their rooms may still be cancelled.
    assert await stage.balance(CREATOR, "diamonds_available") == 300
    assert await stage.balance(CREATOR, "diamonds_held") == 100
    for check in await ledger_checks(stage):
        assert check.ok, check.detail


async def test_a_placement_lifts_the_rank_of_its_room_and_nothing_else(stage: Stage) -> None:
    before = await stage.pool.fetchval("SELECT rank FROM rooms WHERE id = $1", ROOM)
    await stage.forge("ann", **bought("promote_1100"))
    await stage.settle()
    room = await stage.pool.fetchrow("SELECT rank, coins, gifts FROM rooms WHERE id = $1", ROOM)
    assert room["rank"] > before
    assert (room["coins"], room["gifts"]) == (0, 0)


async def test_one_ticket_admits_and_any_other_is_one_too_many(stage: Stage) -> None:
    """Also when both stand in one batch, and when the second comes in a later one."""
    for _ in range(2):
        await stage.forge("ann", **bought("ticket_100", room="r_gala"))
    await stage.settle()
    await stage.forge("ann", **bought("ticket_100", room="r_gala"))
    await stage.forge("bob", **bought("ticket_100", room="r_gala"))
    await stage.settle()
    rows = await stage.pool.fetch("SELECT viewer_id, spare FROM tickets ORDER BY viewer_id, number")
    assert [tuple(row) for row in rows] == [("ann", False), ("ann", True), ("ann", True), ("bob", False)]


async def test_an_upgrade_bought_again_goes_on_where_it_would_have_ended(stage: Stage) -> None:
    for at_us in (AT_US, AT_US + MINUTE_US):
        await stage.forge("ann", at_us=at_us, **bought("badge_note"))
    await stage.forge("ann", at_us=AT_US, **bought("badge_paw", count=2))
    await stage.settle()
    month_us = 30 * 24 * 60 * MINUTE_US
    rows = await stage.pool.fetch("SELECT item_id, until_us FROM upgrades ORDER BY number")
    assert [tuple(row) for row in rows] == [
        ("badge_note", AT_US + month_us),
        ("badge_note", AT_US + 2 * month_us),
        ("badge_paw", AT_US + 2 * month_us),
    ]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (bought("highlight_mint") | {"note": ""}, "the item's note cannot be read"),
        (bought("highlight_mint") | {"note": '{"kind":"nosuch"}'}, "the item's note cannot be read"),
        (bought("effect_snow") | {"note": write_note(ItemNote(ItemKind.STICKER))}, "the item's note cannot be read"),
        (bought("highlight_mint") | {"room": "", "creator": ""}, "bought in the wrong place"),
        (bought("frame_gold") | {"room": ROOM, "creator": CREATOR}, "bought in the wrong place"),
        (bought("promote_1100", room="r_nosuch"), "promotes an unknown room"),
        (bought("ticket_100"), "not this room's ticket"),
        (bought("ticket_50", room="r_gala"), "not this room's ticket"),
        (bought("ticket_100", room="r_gala") | {"version": 2}, "unknown gift or version"),
        ({"room": "", "creator": ""}, "a gift without a room"),
        (bought("highlight_mint", text="a\0b"), "refused by the database"),
    ],
)
async def test_an_item_that_cannot_be_what_was_sold_is_set_aside(
    stage: Stage, fields: dict[str, Any], reason: str
) -> None:
    await stage.forge("ann", **fields)
    await stage.forge("ann")
    assert await stage.settle() == 2
    rows = await stage.pool.fetch("SELECT reason FROM quarantine")
    assert [row["reason"].startswith(reason) for row in rows] == [True], [row["reason"] for row in rows]
    for table in ("shown", "tickets", "placements", "upgrades"):
        assert await stage.pool.fetchval(f"SELECT count(*) FROM {table}") == 0
    assert await stage.pool.fetchval("SELECT count(*) FROM gifts") == 1


async def test_shards_that_settle_side_by_side_promote_one_room_without_waiting_for_each_other(stage: Stage) -> None:
    """Rooms that gifts and placements touch are taken in one order, whatever the order in the log."""
    viewers = [f"v{n}" for n in range(12)]
    for number, viewer in enumerate(viewers):
        await stage.viewer(viewer, 10_000)
        rooms = [ROOM, "r_gala"] if number % 2 else ["r_gala", ROOM]
        await stage.forge(viewer, **bought("promote_1100", room=rooms[0]))
        await stage.forge(viewer, **bought("effect_snow", room=rooms[1]))
    shards = range(stage.settings.wallet_shards)
    await asyncio.gather(*(stage.settler.settle_once(shard) for shard in shards))
    await stage.settle()
    assert await stage.pool.fetchval("SELECT sum(impressions) FROM placements") == 1100 * len(viewers)
    assert await stage.pool.fetchval("SELECT sum(coins) FROM rooms") == 100 * len(viewers)
