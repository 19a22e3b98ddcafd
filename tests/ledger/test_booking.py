"""Whatever is in the log, in whatever batches: the books balance, and balances are the replay of their entries."""

import json
from dataclasses import dataclass, replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.domain.catalogue import seed
from server.ledger.auditing import books
from server.ledger.auditing.report import Check, Findings
from server.ledger.settle import Settler
from server.ledger.shards import Cursor
from tests.ledger.stage import Stage

VIEWERS = [f"v{i}" for i in range(6)]
ROOMS = {"r_1": "creator", "r_2": "creator", "r_3": "mia"}
GIFTS = [gift for gift in seed() if gift.id in {"rose", "coffee", "swan", "universe"}]
PURSE = 60_000


@dataclass(frozen=True)
class Sent:
    """One gift of a generated log. spoiled: changes that make it one that cannot be settled."""

    viewer: str
    room: str
    gift: str
    count: int
    spoiled: tuple[tuple[str, object], ...]


SENT = st.builds(
    Sent,
    viewer=st.sampled_from(VIEWERS),
    room=st.sampled_from(sorted(ROOMS)),
    gift=st.sampled_from([gift.id for gift in GIFTS]),
    count=st.sampled_from([1, 1, 2, 10]),
    spoiled=st.sampled_from(
        [(), (), (), (), (("coins", 0),), (("room", "r_x"),), (("version", 2),), (("at_us", "x"),), (("combo", 2**65),)]
    ),
)
PRICES = {gift.id: (gift.coins, gift.diamonds) for gift in GIFTS}


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(sent=st.lists(SENT, max_size=40), cuts=st.integers(1, 15), batch=st.integers(1, 50))
async def test_any_log_keeps_the_books_in_balance(stage: Stage, sent: list[Sent], cuts: int, batch: int) -> None:
    if await stage.pool.fetchval("SELECT count(*) FROM rooms") == 1:  # the first example: all of them share one ledger
        await stage.room("r_2")
        await stage.room("r_3", "mia")
        for viewer in VIEWERS:
            await stage.viewer(viewer, PURSE)
    before = {viewer: await stage.balance(viewer) for viewer in VIEWERS}
    aside = await stage.pool.fetchval("SELECT count(*) FROM quarantine")
    expected, refused = dict(before), 0
    for gift in sent:
        coins = PRICES[gift.gift][0] * gift.count
        if gift.spoiled or coins > expected[gift.viewer]:
            refused += 1
        else:
            expected[gift.viewer] -= coins

    for shard in range(stage.settings.wallet_shards):
        await _append(stage, shard, [gift for gift in sent if stage.shard(gift.viewer) == shard], cuts)
    settler = Settler(stage.redis, stage.pool, replace(stage.settings, settle_batch=batch))
    settled = 0
    for shard in range(stage.settings.wallet_shards):
        while some := await settler.settle_once(shard):
            settled += some

    assert settled == len(sent)
    assert {viewer: await stage.balance(viewer) for viewer in VIEWERS} == expected
    assert await stage.pool.fetchval("SELECT count(*) FROM quarantine") - aside == refused
    for check in await _checks(stage):
        assert check.ok, check.detail


async def _append(stage: Stage, shard: int, gifts: list[Sent], per_entry: int) -> None:
    await stage.opener.open(shard)
    for start in range(0, len(gifts), per_entry):
        _, number = await stage.log_end(shard)
        records = []
        for gift in gifts[start : start + per_entry]:
            coins, diamonds = PRICES[gift.gift]
            fields = {
                "room": gift.room,
                "creator": ROOMS[gift.room],
                "gift": gift.gift,
                "count": gift.count,
                "coins": coins * gift.count,
                "diamonds": diamonds * gift.count,
            }
            number += 1
            records.append(stage.record(number, gift.viewer, **fields | dict(gift.spoiled)))
        await stage.append(shard, json.dumps(records).encode(), len(records))


async def _checks(stage: Stage) -> list[Check]:
    async with stage.pool.acquire() as conn:
        rows = await conn.fetch("SELECT shard, epoch, number FROM shards")
        cursors = {row["shard"]: Cursor(row["epoch"], row["number"]) for row in rows}
        rooms = Findings("rooms")
        await books.check_room_rows(conn, rooms)
        return [
            await books.check_entries(conn),
            await books.check_creators(conn),
            await books.check_balances(conn, Findings("negative")),
            await books.check_numbers(conn, cursors, Findings("gaps")),
            rooms.check(""),
        ]
