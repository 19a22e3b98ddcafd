"""What a creator's earnings say is what was given, seen from each side; and the same as CSV."""

from __future__ import annotations

import csv
import io
import time
from datetime import UTC, datetime

import pytest

from server.economy.creators.periods import Period, by_day, heat_map
from server.economy.csv_file import csv_file
from server.ledger.creators.earned import Sum
from server.ledger.creators.rollup import Rollup
from server.ledger.partitions import DAY_US
from tests.ledger.conftest import stage
from tests.ledger.stage import CREATOR, ROOM, Stage, StageRoom
from tests.web.conftest import StartGateway

__all__ = ["stage"]

SECOND = StageRoom("r_2")
HOUR_US = DAY_US // 24


def table(raw: bytes) -> list[list[str]]:
    assert raw.startswith("\ufeff".encode())
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))


async def test_gifts_are_seen_by_day_hour_gift_gifter_and_room(stage: Stage, start_gateway: StartGateway) -> None:
    await stage.room(SECOND.id)
    for viewer in ("ann", "bob"):
        await stage.viewer(viewer, 10_000)
    now_us = time.time_ns() // 1000
    noon_us = now_us // DAY_US * DAY_US - 10 * DAY_US + 12 * HOUR_US
    await stage.forge("ann", count=7, coins=7, diamonds=7, at_us=noon_us)
    await stage.forge("bob", count=5, coins=5, diamonds=5, at_us=noon_us - 25 * DAY_US)
    await stage.give("ann", "cap")
    await stage.give("bob", "rose", 30, room=SECOND)
    await stage.give("ann", "rose", 20, room=SECOND)
    await stage.settle()
    await Rollup(stage.pool, stage.settings.wallet_shards).add_up()
    gateway = await start_gateway()
    cara = gateway.token(CREATOR, "creator")
    root = "/creator/analytics"

    _, found = await gateway.get(root, cara)
    assert found["total"] == {"diamonds": 156, "coins": 156, "gifts": 58, "gifters": 2}
    assert found["before"] == {"diamonds": 5, "coins": 5, "gifts": 5, "gifters": 1}
    assert found["diamonds"] == {"settled": 161, "pending": 0}
    assert len(found["days"]) == 28
    assert (found["days"][-1]["diamonds"], found["days"][-11]["diamonds"]) == (149, 7)
    noon = datetime.fromtimestamp(noon_us / 1e6, UTC)
    assert found["heat"][noon.weekday()][12] >= 7
    assert sum(map(sum, found["heat"])) == 156
    assert (await gateway.get(root, cara, days=1))[1]["total"]["diamonds"] == 149
    for wrong in ("0", "367", "x", "-1"):
        assert (await gateway.get(root, cara, days=wrong))[0] == 400

    _, found = await gateway.get(f"{root}/gifts", cara)
    assert [(each["gift"], each["name"], each["diamonds"]) for each in found["gifts"]] == [
        ("cap", "Cap", 99),
        ("rose", "Rose", 57),
    ]
    _, found = await gateway.get(f"{root}/gifts", cara, room=SECOND.id)
    assert [(each["gift"], each["gifts"]) for each in found["gifts"]] == [("rose", 50)]
    assert (await gateway.get(f"{root}/gifts", cara, room="a\0b"))[0] == 400

    _, found = await gateway.get(f"{root}/gifters", cara)
    assert [(each["user"]["id"], each["diamonds"]) for each in found["gifters"]] == [("ann", 126), ("bob", 30)]
    _, found = await gateway.get(f"{root}/gifters", cara, room=SECOND.id)
    assert [(each["user"]["id"], each["coins"], each["diamonds"]) for each in found["gifters"]] == [
        ("bob", 30, None),
        ("ann", 20, None),
    ]
    assert (await gateway.get(f"{root}/gifters", gateway.token("eve"), room=SECOND.id))[1]["gifters"] == []

    _, found = await gateway.get(f"{root}/rooms", cara, limit=1)
    (newest,) = found["rooms"]
    assert (newest["id"], newest["diamonds"], newest["gifters"]) == (SECOND.id, 50, 2)
    assert (newest["earlier_diamonds"], newest["earlier_gifters"]) == (111, 2)
    _, found = await gateway.get(f"{root}/rooms", cara, cursor=found["next"])
    (oldest,) = found["rooms"]
    assert (oldest["id"], oldest["earlier_diamonds"]) == (ROOM, None)

    _, raw = await gateway.get(f"{root}/gifts.csv", cara)
    assert table(raw) == [
        ["gift", "name", "pieces", "coins", "diamonds"],
        ["cap", "Cap", "1", "99", "99"],
        ["rose", "Rose", "57", "57", "57"],
    ]
    _, raw = await gateway.get(f"{root}/hours.csv", cara, days=11)
    assert table(raw)[1] == [noon.strftime("%Y-%m-%dT%H:00:00Z"), "7", "7", "7"]
    assert len(table((await gateway.get(f"{root}/rooms.csv", cara))[1])) == 3
    assert [row[0] for row in table((await gateway.get(f"{root}/gifters.csv", cara))[1])] == ["user", "ann", "bob"]


def test_a_period_ends_with_today_and_is_compared_with_the_days_before_it() -> None:
    period = Period.last(7, datetime(2026, 5, 10, 23, 59, tzinfo=UTC))
    assert period.begins == datetime(2026, 5, 4, tzinfo=UTC)
    assert period.before.begins == datetime(2026, 4, 27, tzinfo=UTC)
    monday_9 = period.from_day * 24 + 9
    hours = {monday_9: Sum(5, 4, 3), monday_9 + 1: Sum(1, 1, 1), monday_9 + 6 * 24: Sum(7, 7, 7)}
    assert [each.diamonds for each in by_day(hours, period)] == [6, 0, 0, 0, 0, 0, 7]
    cells = heat_map(hours)
    assert (cells[0][9], cells[0][10], cells[6][9]) == (5, 1, 7)


@pytest.mark.parametrize("typed", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_what_users_wrote_is_no_formula_in_a_spreadsheet(typed: str) -> None:
    assert table(csv_file(("name",), [(typed,), ('plain, "quoted"\nline',)])) == [
        ["name"],
        [f"'{typed}"],
        ['plain, "quoted"\nline'],
    ]
