"""Settlement: every gift of the log is in the ledger exactly once, whatever dies in between."""

import asyncio
from dataclasses import replace

import orjson
import pytest

from server.ledger import directory
from server.ledger import rooms as ledger_rooms
from server.ledger.accounts import platform_owner
from server.ledger.log import ENTRY_GIFTS_MAX, LogGapError
from server.ledger.settle import NUMBERS_PER_MARK, Settler
from server.ledger.shards import Cursor
from server.stores import keys
from tests.ledger.stage import CREATOR, ROOM, Stage, StageRoom
from tests.wallet.held import changed_wallet

SWAN_COINS = 699


async def test_a_settled_gift_is_a_row_a_double_entry_and_a_place_in_its_room(stage: Stage) -> None:
    await stage.viewer("ann", 10_000)
    [swan] = await stage.give("ann", "swan", 2)
    assert await stage.settle() == 1
    row = await stage.pool.fetchrow("SELECT * FROM gifts")
    assert row is not None
    assert dict(row.items()) == {
        "at_us": swan.at_us, "number": 1, "coins_after": swan.coins, "combo": swan.combo, "combo_first": 1,
        "coins": 2 * SWAN_COINS, "diamonds": 2 * SWAN_COINS, "epoch": 1, "version": 1, "count": 2,
        "shard": stage.shard("ann"), "viewer_id": "ann", "room_id": ROOM, "creator_id": CREATOR, "gift_id": "swan",
        "request_id": row["request_id"],
    }  # fmt: skip
    platform = platform_owner(stage.shard("ann"))
    assert await stage.balance("ann") == 10_000 - 2 * SWAN_COINS
    assert await stage.balance(platform, "coins_spent") == 2 * SWAN_COINS
    assert await stage.balance(platform, "diamonds_issued") == -2 * SWAN_COINS
    assert await stage.balance(CREATOR, "diamonds_available") == 2 * SWAN_COINS
    room = await ledger_rooms.snapshot(stage.pool, ROOM)
    assert room is not None
    assert (room.coins, room.diamonds, room.gifts) == (2 * SWAN_COINS, 2 * SWAN_COINS, 2)
    assert room.gifters == [("ann", "ann", 2 * SWAN_COINS)]
    assert room.cursors[stage.shard("ann")] == Cursor(1, 1)


async def test_redis_forgets_what_is_settled_and_the_coins_are_no_longer_pending(stage: Stage) -> None:
    await stage.viewer("ann", 100)
    await stage.give("ann", times=30)
    await stage.reader.drain()
    assert (await stage.wallets.balance("ann")).pending == 30
    await stage.settle()
    balance = await stage.wallets.balance("ann")
    assert (balance.coins, balance.pending) == (70, 0)
    assert await stage.redis.xlen(keys.shard_log(stage.shard("ann"))) == 0


async def test_two_settlers_at_once_settle_each_gift_once(stage: Stage) -> None:
    settings = replace(stage.settings, settle_batch=7)
    settlers = [Settler(stage.redis, stage.pool, settings) for _ in range(3)]
    for viewer in ("ann", "bob", "cat", "dan"):
        await stage.viewer(viewer, 1000)
        for _ in range(8):
            await stage.give(viewer, times=10)

    async def settle_all(settler: Settler) -> int:
        total, idle = 0, 0
        while idle < 3:
            settled = 0
            for shard in range(settings.wallet_shards):
                settled += await settler.settle_once(shard)
            total, idle = total + settled, 0 if settled else idle + 1
        return total

    assert sum(await asyncio.gather(*map(settle_all, settlers))) == 320
    assert await stage.pool.fetchval("SELECT count(*) FROM gifts") == 320
    assert [await stage.balance(viewer) for viewer in ("ann", "bob", "cat", "dan")] == [920] * 4
    assert (await stage.audit()).ok


async def test_who_finds_the_cursor_locked_leaves_the_shard_alone(stage: Stage) -> None:
    await stage.viewer("ann", 100)
    await stage.give("ann")
    async with stage.pool.acquire() as conn, conn.transaction():
        await conn.execute("SELECT FROM shards FOR UPDATE")
        assert await stage.settle() == 0
    assert await stage.settle() == 1


async def test_a_settler_that_dies_before_redis_hears_of_it_settles_nothing_twice(stage: Stage) -> None:
    class Dies(Settler):
        async def _mark(self, stretch: object) -> None:
            raise ConnectionError

    await stage.viewer("ann", 5_000)
    for _ in range(3):
        await stage.give("ann", times=100)
    shard = stage.shard("ann")
    with pytest.raises(ConnectionError):
        await Dies(stage.redis, stage.pool, stage.settings).settle_once(shard)
    assert (await stage.wallets.balance("ann")).pending == 300
    assert (await stage.audit()).ok
    await stage.give("ann", times=5)
    assert await stage.settle() == 5
    balance = await stage.wallets.balance("ann")
    assert (balance.coins, balance.pending) == (5_000 - 305, 0)
    assert await stage.redis.hget(keys.shard(shard), "settled") == b"305"
    assert (await stage.audit()).ok


async def test_a_settler_that_dies_between_two_marks_is_made_up_for_from_the_middle_of_an_entry(stage: Stage) -> None:
    await stage.viewer("ann", 5_000)
    shard = stage.shard("ann")
    await stage.give("ann", times=100)
    await stage.settler.settle_once(shard)
    await stage.redis.hset(keys.shard(shard), "settled", 0)
    await stage.redis.fcall("gs_settled", 1, keys.shard(shard), 1, 0, 37, 60, "", "")
    wallet_at = keys.wallet(shard, 1, "ann")
    await stage.redis.set(wallet_at, changed_wallet(await stage.redis.get(wallet_at), pending=63))
    await stage.settler.settle_once(shard)
    assert (await stage.wallets.balance("ann")).pending == 0
    assert await stage.redis.hget(keys.shard(shard), "settled") == b"100"


async def test_a_batch_larger_than_one_mark_is_marked_whole(stage: Stage) -> None:
    await stage.viewer("ann", 100_000)
    gifts = NUMBERS_PER_MARK * 2 + 200
    for _ in range(gifts // 200):
        await stage.give("ann", times=200)
    shard = stage.shard("ann")
    assert await stage.settler.settle_once(shard) == gifts
    assert await stage.redis.hget(keys.shard(shard), "settled") == str(gifts).encode()
    assert (await stage.wallets.balance("ann")).pending == 0


async def test_a_transaction_that_fails_leaves_nothing_and_is_done_again(stage: Stage) -> None:
    await stage.viewer("ann", 100)
    await stage.give("ann", times=3)
    await stage.pool.execute("ALTER TABLE room_gifters RENAME TO away")
    with pytest.raises(Exception, match="room_gifters"):
        await stage.settle()
    assert await stage.pool.fetchval("SELECT count(*) FROM gifts") == 0
    assert await stage.pool.fetchval("SELECT count(*) FROM quarantine") == 0
    await stage.pool.execute("ALTER TABLE away RENAME TO room_gifters")
    assert await stage.settle() == 3
    assert (await stage.audit()).ok


async def test_a_batch_ends_where_the_setting_says_and_the_rest_follows(stage: Stage) -> None:
    settler = Settler(stage.redis, stage.pool, replace(stage.settings, settle_batch=2))
    await stage.viewer("ann", 100)
    for _ in range(5):
        await stage.give("ann")
    shard = stage.shard("ann")
    assert [await settler.settle_once(shard) for _ in range(4)] == [2, 2, 1, 0]


async def test_a_gap_in_the_numbers_is_refused_and_nothing_past_it_is_settled(stage: Stage) -> None:
    await stage.viewer("ann", 100)
    await stage.give("ann")
    shard = stage.shard("ann")
    await stage.append(shard, orjson.dumps([stage.record(3, "ann")]), 2)
    with pytest.raises(LogGapError, match="number 2"):
        await stage.settler.settle_once(shard)
    assert await stage.pool.fetchval("SELECT count(*) FROM gifts") == 0


async def test_a_log_that_lost_its_end_is_refused(stage: Stage) -> None:
    await stage.viewer("ann", 100)
    await stage.give("ann")
    shard = stage.shard("ann")
    await stage.redis.delete(keys.shard_log(shard))
    with pytest.raises(LogGapError, match="nothing after 0 of 1"):
        await stage.settler.settle_once(shard)


async def test_an_unreadable_entry_wider_than_any_entry_is_a_gap(stage: Stage) -> None:
    await stage.viewer("ann", 100)
    await stage.append(stage.shard("ann"), b"?", ENTRY_GIFTS_MAX + 1)
    with pytest.raises(LogGapError):
        await stage.settler.settle_once(stage.shard("ann"))


async def test_a_shard_about_to_be_begun_anew_is_left_alone(stage: Stage) -> None:
    await stage.viewer("ann", 100)
    await stage.give("ann")
    shard = stage.shard("ann")
    held = await stage.redis.fcall("gs_state", 1, keys.shard(shard))
    await stage.redis.fcall("gs_reset", 1, keys.shard(shard), *held[:3], 2, stage.settings.wallet_shards, "anew")
    await stage.append(shard, orjson.dumps([stage.record(1, "ann")]), 1)
    assert await stage.settler.settle_once(shard) == 0
    assert await stage.pool.fetchval("SELECT epoch FROM shards WHERE shard = $1", shard) == 1


async def test_settlement_goes_on_in_the_next_epoch_from_its_first_number(stage: Stage) -> None:
    await stage.viewer("ann", 100)
    await stage.give("ann", times=3)
    await stage.settle()
    await stage.redis.flushall()
    await stage.give("ann", times=2)
    assert await stage.settle() == 2
    rows = await stage.pool.fetch("SELECT epoch, number FROM gifts ORDER BY epoch, number")
    assert [tuple(row) for row in rows] == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)]
    assert (await stage.audit()).ok


async def test_a_gift_keeps_the_price_of_the_version_it_was_paid_at(stage: Stage) -> None:
    await stage.pool.execute(
        "INSERT INTO catalogue (gift_id, version, name, coins, diamonds, tier, streakable, effect)"
        " SELECT gift_id, 2, name, 5, 4, tier, streakable, effect FROM catalogue WHERE gift_id = 'rose'"
    )
    await stage.viewer("ann", 100)
    await stage.forge("ann", version=1, coins=1, diamonds=1)
    await stage.forge("ann", version=2, coins=5, diamonds=4)
    assert await stage.settle() == 2
    assert (await stage.balance("ann"), await stage.balance(CREATOR, "diamonds_available")) == (94, 5)


async def test_gifts_to_many_rooms_of_many_creators_are_one_posting(stage: Stage) -> None:
    await stage.room("r_2", "mia")
    await stage.room("r_3", "mia")
    await stage.viewer("ann", 1_000)
    await stage.give("ann", "rose", 10)
    await stage.give("ann", "rose", 20, room=StageRoom("r_2", "mia"))
    await stage.give("ann", "rose", 30, room=StageRoom("r_3", "mia"))
    await stage.settle()
    assert await stage.pool.fetchval("SELECT count(*) FROM postings WHERE kind = 'settlement'") == 1
    assert await stage.balance("mia", "diamonds_available") == 50
    assert (await stage.audit()).ok


async def test_what_is_looked_up_may_be_forgotten_at_any_time(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "WALLETS_PER_SHARD_MAX", 2)
    monkeypatch.setattr(directory, "ROOMS_MAX", 1)
    viewers = [f"v{i}" for i in range(12)]
    rooms = [StageRoom(f"r_{i}", CREATOR) for i in range(1, 5)]
    for room in rooms[1:]:
        await stage.room(room.id)
    for viewer in viewers:
        await stage.viewer(viewer, 100)
    for _ in range(3):
        for viewer in viewers:
            for room in rooms:
                await stage.give(viewer, room=room)
        await asyncio.gather(*(stage.settler.settle_once(shard) for shard in range(stage.settings.wallet_shards)))
    assert await stage.pool.fetchval("SELECT count(*) FROM quarantine") == 0
    assert await stage.pool.fetchval("SELECT count(*) FROM gifts") == 3 * len(viewers) * len(rooms)
