"""What others read from the ledger: rooms, histories, earnings, and answers it remembers."""

import time

import pytest

from server.domain.errors import Code, Refusal
from server.domain.ids import GiftId, RoomId, UserId
from server.ledger import history, pages, remembered, rooms, shards
from server.ledger.earnings import earnings
from server.ledger.log import RECORD_CHARS_MAX
from server.ledger.rooms import RANK_TAU_S
from server.ledger.shards import Cursor
from tests.ledger.stage import CREATOR, ROOM, Stage, StageRoom


async def test_a_room_is_made_once_and_ends_once(stage: Stage) -> None:
    room = await rooms.get(stage.pool, RoomId(ROOM))
    assert room is not None
    assert (room.state, room.creator_id, room.creator_name, room.title) == ("live", CREATOR, "Creator", "Room r_1")
    with pytest.raises(ValueError, match="already"):
        await stage.room()
    assert await rooms.end(stage.pool, RoomId(ROOM))
    assert not await rooms.end(stage.pool, RoomId(ROOM))
    ended = await rooms.get(stage.pool, RoomId(ROOM))
    assert ended is not None
    assert ended.state == "ended"


async def test_a_room_that_never_was_is_none(stage: Stage) -> None:
    assert await rooms.get(stage.pool, RoomId("r_x")) is None
    assert await rooms.snapshot(stage.pool, RoomId("r_x")) is None
    assert not await rooms.end(stage.pool, RoomId("r_x"))


async def test_live_rooms_are_listed_by_what_they_earned_lately_page_by_page(stage: Stage) -> None:
    for i in range(2, 8):
        await stage.room(f"r_{i}")
    await stage.viewer("ann", 1_000)
    await stage.give("ann", "rose", 50, room=StageRoom("r_5"))
    await stage.give("ann", "rose", 500, room=StageRoom("r_3"))
    await stage.settle()
    await rooms.end(stage.pool, RoomId("r_7"))
    found, cursor = await _all_pages(stage, 2)
    assert found[:2] == ["r_3", "r_5"]
    assert sorted(found) == ["r_1", "r_2", "r_3", "r_4", "r_5", "r_6"]
    assert cursor is None


async def test_what_was_earned_long_ago_counts_less_than_a_little_now(stage: Stage) -> None:
    await stage.room("r_2")
    await stage.viewer("ann", 10_000)
    now_us = int(time.time() * 1_000_000)
    long_ago_us = now_us - int(12 * RANK_TAU_S * 1_000_000)
    await stage.execute("UPDATE rooms SET rank = rank - 100")
    await stage.forge("ann", room="r_2", count=5_000, coins=5_000, diamonds=5_000, at_us=long_ago_us)
    await stage.forge("ann", at_us=now_us)
    await stage.settle()
    found, _ = await _all_pages(stage, 10)
    assert found == ["r_1", "r_2"]


async def test_the_rank_adds_up_what_was_earned(stage: Stage) -> None:
    await stage.viewer("ann", 10_000)
    at_us = 1_800_000_000_000_000
    for _ in range(4):
        await stage.forge("ann", count=25, coins=25, diamonds=25, at_us=at_us)
        await stage.settle()
    rank = await stage.pool.fetchval("SELECT rank FROM rooms WHERE id = $1", ROOM)
    assert rank == pytest.approx(rooms.rank_of(100, at_us / 1e6), abs=1e-3)


async def test_a_creators_rooms_are_listed_newest_first(stage: Stage) -> None:
    for i in range(2, 6):
        await stage.room(f"r_{i}")
    await stage.room("r_other", "mia")
    found: list[str] = []
    cursor: str | None = None
    while True:
        earned = await earnings(stage.pool, UserId(CREATOR), 2, cursor)
        assert [room.id for room in earned.newest] == ["r_5", "r_4", "r_3", "r_2", "r_1"]
        found += [room.id for room in earned.page]
        cursor = earned.next
        if cursor is None:
            break
    assert found == ["r_5", "r_4", "r_3", "r_2", "r_1"]


@pytest.mark.parametrize(
    "cursor", ["x", "!!!", "W10", "WzFd", "A" * 500, pages.encode("a", "b"), pages.encode(1.0, "\0"), "é"]
)
async def test_a_cursor_that_is_not_ours_is_refused(stage: Stage, cursor: str) -> None:
    for call in (
        rooms.listing(stage.pool, 5, cursor),
        earnings(stage.pool, UserId("ann"), 5, cursor),
    ):
        with pytest.raises(Refusal) as refused:
            await call
        assert refused.value.code is Code.BAD_REQUEST
    with pytest.raises(Refusal) as refused:
        history.read_place(cursor)
    assert refused.value.code is Code.BAD_REQUEST


async def test_a_history_is_newest_first_whole_and_says_how_far_it_goes(stage: Stage) -> None:
    await stage.viewer("ann", 1_000)
    await stage.viewer("eve", 1_000)
    given = [answer for i in range(1, 8) for answer in await stage.give("ann", "rose", i)]
    await stage.give("eve", times=3)
    await stage.settle()
    await stage.give("ann")
    shard = stage.shard("ann")
    found: list[history.PastGift] = []
    cursor: str | None = None
    while True:
        page = await history.gifts(stage.pool, UserId("ann"), 3, history.read_place(cursor), shard)
        assert len(page.gifts) <= 3
        found += page.gifts
        cursor = page.last and history.place(page.last)
        if cursor is None:
            break
    assert [gift.gift_id for gift in found] == [answer.gift_id for answer in reversed(given)]
    assert [gift.count for gift in found] == [7, 6, 5, 4, 3, 2, 1]
    assert (found[0].room, found[0].gift, found[0].coins, found[0].at_us) == (ROOM, "rose", 7, given[-1].at_us)
    numbers = await stage.pool.fetchval("SELECT number FROM shards WHERE shard = $1", shard)
    assert page.settled_to == Cursor(1, numbers)


async def test_a_gift_in_quarantine_stays_in_its_viewers_history_as_accepted(stage: Stage) -> None:
    await stage.viewer("ann", 1_000)
    await stage.give("ann")
    number = await stage.forge("ann", gift="nosuch", count=2)
    await stage.forge("ann", at_us="unreadable")
    await stage.give("ann")
    await stage.settle()
    shard = stage.shard("ann")
    found: list[history.PastGift] = []
    cursor: str | None = None
    for _ in range(3):
        page = await history.gifts(stage.pool, UserId("ann"), 1, history.read_place(cursor), shard)
        found += page.gifts
        cursor = page.last and history.place(page.last)
    assert cursor is None
    assert [(gift.gift, gift.count, gift.settled) for gift in found] == [
        ("rose", 1, True), ("nosuch", 2, False), ("rose", 1, True),
    ]  # fmt: skip
    assert found[1].gift_id == GiftId(shard, 1, number)


async def test_a_record_in_quarantine_that_cannot_be_read_ends_no_page_early(stage: Stage) -> None:
    """Nor does one that stands in another shard, under the same number as a gift of the viewer's own."""
    await stage.viewer("ann", 1_000)
    shard = stage.shard("ann")
    numbers = [await stage.forge("ann", gift="nosuch"), (await stage.give("ann"))[0].gift_id.number]
    for _ in range(3):
        number = await stage.forge("ann", gift="nosuch", request_id="x" * RECORD_CHARS_MAX)
    await stage.forge("ann", shard=next(other for other in range(stage.settings.wallet_shards) if other != shard))
    await stage.settle()
    assert await stage.pool.fetchval("SELECT count(*) FROM quarantine WHERE count IS NOT NULL") == 5
    for limit in (1, 2, 3, 10):
        found: list[history.PastGift] = []
        cursor: str | None = history.place(GiftId(shard, 1, number + 1))
        while cursor is not None:
            page = await history.gifts(stage.pool, UserId("ann"), limit, history.read_place(cursor), shard)
            found, cursor = found + page.gifts, page.last and history.place(page.last)
        assert [gift.gift_id.number for gift in found] == numbers[::-1]


async def test_earnings_are_the_settled_diamonds_by_room(stage: Stage) -> None:
    await stage.room("r_2")
    await stage.viewer("ann", 1_000)
    await stage.give("ann", "rose", 10)
    await stage.give("ann", "rose", 20, room=StageRoom("r_2"))
    assert (await earnings(stage.pool, UserId(CREATOR))).diamonds == 0
    await stage.settle()
    earned = await earnings(stage.pool, UserId(CREATOR))
    assert earned.diamonds == 30
    assert [(room.id, room.diamonds) for room in earned.page] == [("r_2", 20), ("r_1", 10)]
    assert (await earnings(stage.pool, UserId("nobody"))).diamonds == 0


async def test_answers_are_remembered_newest_first_and_only_so_long(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "REMEMBERED_PAGE", 3)
    await stage.viewer("ann", 1_000)
    old_us = int((time.time() - 5_000) * 1_000_000)
    for i in range(4):
        await stage.forge("ann", at_us=old_us + i, request_id=f"old{i}")
    [last] = [(await stage.give("ann", "rose"))[0] for _ in range(7)][-1:]
    await stage.settle()
    shard = stage.shard("ann")
    async with stage.pool.acquire() as conn:
        found = [page async for page in remembered.remembered(conn, shard, 600)]
        everything = [gift async for page in remembered.remembered(conn, shard, 10_000) for gift in page]
    assert [len(page) for page in found] == [3, 3, 1]
    assert [gift.gift_id.number for page in found for gift in page] == [11, 10, 9, 8, 7, 6, 5]
    newest = found[0][0]
    assert (newest.viewer, newest.gift_id, newest.at_us) == ("ann", last.gift_id, last.at_us)
    assert (newest.coins_after, newest.combo, newest.combo_first) == (last.coins, last.combo, last.combo_first)
    assert len(everything) == 11
    assert everything[-1].gift_id == GiftId(shard, 1, 1)


async def test_an_epoch_begins_once(stage: Stage) -> None:
    async with stage.pool.acquire() as conn, conn.transaction():
        assert (await shards.hold_shard(conn, 0)).cursor == Cursor(1, 0)
        await shards.begin_epoch(conn, 0, 2)
        assert (await shards.hold_shard(conn, 0)).cursor == Cursor(2, 0)
        with pytest.raises(ValueError, match="not new"):
            await shards.begin_epoch(conn, 0, 2)
        with pytest.raises(LookupError):
            await shards.hold_shard(conn, 99)


async def _all_pages(stage: Stage, limit: int) -> tuple[list[str], str | None]:
    found: list[str] = []
    cursor: str | None = None
    while True:
        page, cursor = await rooms.listing(stage.pool, limit, cursor)
        found += [room.id for room in page]
        if cursor is None:
            return found, cursor
