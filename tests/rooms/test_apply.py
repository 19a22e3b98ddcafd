"""Log → rooms, with the ledger beside it: loading, catching up, outages, and logs that hold what they should not."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from server.domain.ids import RoomId, UserId, shard_of
from server.ledger import openings
from server.ledger import rooms as ledger_rooms
from server.ledger import shards as ledger_shards
from server.ledger import wallets as ledger_wallets
from server.ledger.settle import Settler
from server.rooms.apply import RoomsReader
from server.rooms.leases import Leases
from server.rooms.loading import RoomStaleError, load_room
from server.rooms.lost_epochs import LOST_WALLET_TTL_S
from server.rooms.rooms import Rooms
from server.settings import Settings
from server.stores import keys, postgres
from server.stores.embedded_valkey import EmbeddedValkey
from server.stores.postgres import Pool
from server.stores.redis import connect, load_functions
from tests.rooms.readers import assert_rooms_hold, lossy, one_pass, reader_of_all, until_drained
from tests.rooms.room_calls import frames, load
from tests.rooms.shop import OPENING, Shop
from tests.rooms.waiting import eventually


@pytest.fixture
async def reader(redis: Redis, pool: Pool, settings: Settings) -> RoomsReader:
    return reader_of_all(redis, pool, settings)


async def a_room(pool: Pool, room: str = "r1") -> None:
    await ledger_rooms.create(pool, RoomId(room), UserId("creator"), "Creator", "A room")


async def settle_all(redis: Redis, pool: Pool, settings: Settings) -> None:
    settler = Settler(redis, pool, settings)
    for shard in range(settings.wallet_shards):
        while await settler.settle_once(shard):
            pass


async def open_in_both(pool: Pool, shop: Shop, viewer: str, epoch: int = 1) -> int:
    """Opens the viewer's shard in the ledger as well, and gives it a wallet there."""
    shard = shard_of(viewer, shop.wallet_shards)
    await ledger_wallets.grant(pool, UserId(viewer), 10_000, "promotion", f"{viewer}-{epoch}", "welcome")
    async with pool.acquire() as connection, connection.transaction():
        await ledger_shards.begin_epoch(connection, shard, epoch)
        await openings.confirm(connection, shard, OPENING)
    await shop.open(shard, epoch)
    return shard


async def gifts_of(redis: Redis, room: str) -> int:
    return int(await redis.hget(keys.room(room), "gifts") or 0)


async def test_a_room_that_is_not_there_is_loaded_and_its_gifts_counted(
    redis: Redis, pool: Pool, shop: Shop, reader: RoomsReader
) -> None:
    await a_room(pool)
    await shop.give("ann", "r1", count=2, times=3)
    await shop.give("bob", "r1", times=4)
    await until_drained(reader)
    await assert_rooms_hold(redis, {"r1": Counter(ann=6, bob=4)})


async def test_settled_gifts_come_from_the_ledger_and_the_others_from_the_log(
    redis: Redis, pool: Pool, settings: Settings, shop: Shop, reader: RoomsReader
) -> None:
    await a_room(pool)
    shard = await open_in_both(pool, shop, "ann")
    await shop.give("ann", "r1", count=5, times=3)
    await until_drained(reader)
    await settle_all(redis, pool, settings)
    assert await redis.xlen(keys.shard_log(shard)) == 0, "settled and applied: trimmed"
    await shop.give("ann", "r1", count=1, times=2)
    await until_drained(reader)
    await redis.delete(keys.room("r1"))
    again = reader_of_all(redis, pool, settings)
    await Rooms(redis, pool, settings).info("r1")
    await until_drained(again)
    assert await gifts_of(redis, "r1") == 17, "the gateway loaded it; the gifts after the cursor came from the log"
    assert await redis.zscore(keys.room_top("r1"), "ann") == 17
    assert await redis.hget(keys.room("r1"), "caught_up") == b"1"
    assert (await frames(redis, "r1"))[-1]["gifts_total"] == 17


async def test_gifts_for_a_room_that_the_ledger_does_not_have_hold_nothing_up(
    redis: Redis, pool: Pool, shop: Shop, reader: RoomsReader
) -> None:
    await a_room(pool)
    await load(redis, "r1")
    await shop.give("ann", "nowhere", times=2)
    await shop.give("ann", "r1", times=2)
    await shop.give("ann", "nowhere")
    await until_drained(reader)
    await assert_rooms_hold(redis, {"r1": Counter(ann=2)})
    assert reader._waiting.missing_count == 1
    assert await redis.hget(keys.shard(shard_of("ann", shop.wallet_shards)), "applied") == b"5"


@pytest.mark.parametrize(
    "bad",
    [
        b"not json",
        b"[[1,2,3]]",
        b'{"a":1}',
        b"7",
        b'[[6,1,1,1,6,"q","ann","Ann","r1","c","rose",1,-5,-5,-5]]',
        b'[[6,1,1,1,6,"q","ann","Ann","r1","c","rose",1,1.5,1,1]]',
        b'[[6,1,1,1,6,"q","ann","Ann","../r1","c","rose",1,1,1,1]]',
        b'[[6,1,1,1,6,"q",7,"Ann","r1","c","rose",1,1,1,1]]',
        b'[[600,1,1,1,6,"q","ann","Ann","r1","c","rose",1,1,1,1]]',
        b'[[6,1,1,1,6,"q","ann","Ann","r1","c","rose",1,1,99999999999999999999,1]]',
    ],
)
async def test_a_malformed_record_is_passed_over_and_counted_once(
    redis: Redis, shop: Shop, reader: RoomsReader, bad: bytes
) -> None:
    await load(redis, "r1")
    await shop.give("ann", "r1", times=5)
    shard = shard_of("ann", shop.wallet_shards)
    await redis.xadd(keys.shard_log(shard), {"g": bad}, id="1-6")
    good = b'[7,1,1,1,7,"q","ann","Ann","r1","c","rose",1,1,1,1]'
    await redis.xadd(keys.shard_log(shard), {"g": b"[[7]," + good + b"]"}, id="1-7")
    await until_drained(reader)
    await reader.start_over(OSError())
    await until_drained(reader)
    await assert_rooms_hold(redis, {"r1": Counter(ann=6)})
    assert reader.counts.malformed >= 2
    before = reader.counts.malformed
    await reader.start_over(OSError())
    await until_drained(reader)
    assert reader.counts.malformed == before


async def test_a_log_that_holds_more_than_its_shard_says_is_read_once(
    redis: Redis, shop: Shop, reader: RoomsReader
) -> None:
    """Trimming is refused then, and nothing else."""
    await load(redis, "r1")
    await shop.give("ann", "r1")
    record = b'[[2,1,1,1,2,"q","ann","Ann","r1","c","rose",1,1,1,1]]'
    await redis.xadd(keys.shard_log(shard_of("ann", shop.wallet_shards)), {"g": record}, id="1-2")
    for _ in range(3):
        assert not await reader.apply_once()
    assert reader.idle
    await assert_rooms_hold(redis, {"r1": Counter(ann=2)})


async def test_a_redis_whose_libraries_are_gone_gets_them_back_and_nobody_is_alarmed(
    redis: Redis, pool: Pool, settings: Settings, shop: Shop
) -> None:
    await load(redis, "r1")
    await shop.give("ann", "r1")
    shard = keys.shard(shard_of("ann", shop.wallet_shards))
    client = lossy(redis)
    client.wipe_before = "gs_applied"
    reader = reader_of_all(client, pool, settings)
    with capture_logs() as logs:
        await one_pass(reader)
        assert client.wipe_before is None
        await redis.fcall("gs_open", 1, shard, "1", "1", OPENING, OPENING)
        await until_drained(reader)
    assert [line for line in logs if line["log_level"] == "error"] == []
    assert await redis.hget(shard, "applied") == b"1"
    await assert_rooms_hold(redis, {"r1": Counter(ann=1)})


async def test_a_room_that_refuses_its_delta_does_not_hold_the_others_up(
    redis: Redis, shop: Shop, reader: RoomsReader
) -> None:
    await load(redis, "r1")
    await redis.set(keys.room("r2"), "not a room")
    await shop.give("ann", "r2")
    await shop.give("ann", "r1", times=2)
    await until_drained(reader)
    await assert_rooms_hold(redis, {"r1": Counter(ann=2)})
    assert await redis.hget(keys.shard(shard_of("ann", shop.wallet_shards)), "applied") == b"3"


async def test_without_postgres_loaded_rooms_go_on_and_the_others_wait(
    redis: Redis, pool: Pool, settings: Settings, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.rooms.waiting_rooms.LOAD_RETRY_S", 0.05)
    for room in ("r1", "r2"):
        await a_room(pool, room)
    await load(redis, "r1")
    await open_in_both(pool, shop, "ann")
    gone = await postgres.connect(settings.database_url, size_max=1)
    await gone.close()
    reader = reader_of_all(redis, gone, settings)
    for _ in range(3):
        await shop.give("ann", "r1")
        await shop.give("ann", "r2")
        await one_pass(reader)
        await reader._waiting.settled()
    assert await gifts_of(redis, "r1") == 3
    shard = shard_of("ann", shop.wallet_shards)
    assert await redis.hget(keys.shard(shard), "applied") == b"1", "the log keeps what r2 still needs"
    await settle_all(redis, pool, settings)
    await shop.give("ann", "r2")
    reader._waiting._pool = pool
    await until_drained(reader)
    assert [await gifts_of(redis, room) for room in ("r1", "r2")] == [3, 4]
    assert await redis.hget(keys.shard(shard), "applied") == b"7"


async def test_a_snapshot_older_than_the_trim_is_not_used(
    redis: Redis, pool: Pool, shop: Shop, reader: RoomsReader
) -> None:
    """Marks say that the ledger has settled what it does not know: such a room must never be shown."""
    await a_room(pool)
    await load(redis, "r2")
    await shop.give("ann", "r2", times=3)
    await until_drained(reader)
    await shop.settled_to_the_end()
    with pytest.raises(RoomStaleError):
        await load_room(redis, pool, "r1")
    assert not await redis.exists(keys.room("r1"))


async def test_a_room_whose_gifts_were_trimmed_before_it_caught_up_is_loaded_again(
    redis: Redis, pool: Pool, settings: Settings, shop: Shop, reader: RoomsReader
) -> None:
    await a_room(pool)
    await open_in_both(pool, shop, "ann")
    await shop.give("ann", "r1", times=3)
    await until_drained(reader)
    await redis.delete(keys.room("r1"))
    await Rooms(redis, pool, settings).info("r1")
    first = await redis.hget(keys.room("r1"), "incarnation")
    await settle_all(redis, pool, settings)
    await until_drained(reader)
    assert await redis.hget(keys.room("r1"), "incarnation") != first
    assert await gifts_of(redis, "r1") == 3


async def test_after_a_new_epoch_rooms_have_what_the_ledger_has_and_go_on(
    redis: Redis, pool: Pool, settings: Settings, shop: Shop, reader: RoomsReader
) -> None:
    await a_room(pool)
    shard = await open_in_both(pool, shop, "ann")
    await shop.give("ann", "r1", times=4)
    await until_drained(reader)
    await settle_all(redis, pool, settings)
    # Redis came back without the last gift of the room and of the log.
    await redis.hset(keys.room("r1"), mapping={"gifts": "3", "diamonds": "3", "coins": "3", f"m:{shard}": "1-3"})
    await open_in_both(pool, shop, "ann", epoch=2)
    await shop.give("ann", "r1", times=2)
    await until_drained(reader)
    assert await gifts_of(redis, "r1") == 6
    assert await redis.hget(keys.room("r1"), f"m:{shard}") == b"2-2"
    quiet = reader_of_all(redis, pool, settings)
    await until_drained(quiet)
    assert await gifts_of(redis, "r1") == 6


async def test_rooms_without_new_gifts_also_leave_an_epoch_that_is_over(
    redis: Redis, pool: Pool, settings: Settings, shop: Shop
) -> None:
    await load(redis, "old", marks={0: "1-9"})
    await load(redis, "new", marks={0: "2-1"})
    await load(redis, "nothing", marks={0: "0-0"})
    await shop.open(0, epoch=2)
    await one_pass(reader_of_all(redis, pool, settings))
    there = [name for name in ("old", "new", "nothing") if await redis.exists(keys.room(name))]
    assert there == ["new"], "what the ledger has of the lost epoch is in no log any more"


@pytest.mark.parametrize("pipelines", range(0, 12, 2))
async def test_a_worker_that_is_told_to_stop_drains_though_a_connection_breaks(
    redis: Redis, pool: Pool, settings: Settings, shop: Shop, pipelines: int
) -> None:
    await a_room(pool)
    await shop.give("ann", "r1", times=3)
    breaking = lossy(redis)
    reader = RoomsReader(breaking, pool, settings, "w1")
    breaking.lose_after = pipelines
    await reader.drain()
    assert await gifts_of(redis, "r1") == 3


async def test_a_worker_that_is_told_to_stop_loads_a_room_all_the_same(
    redis: Redis, pool: Pool, settings: Settings, shop: Shop
) -> None:
    """A load that was given up before its first step is begun again, at once."""
    await a_room(pool)
    await open_in_both(pool, shop, "ann")
    await shop.give("ann", "r1", times=2)
    reader = reader_of_all(redis, pool, replace(settings, drain_timeout_s=20.0))
    reader._waiting.wait("r1")
    reader._waiting.load_some(set())
    await reader._waiting.close()
    await reader.drain()
    assert await gifts_of(redis, "r1") == 2


async def test_wallets_of_an_epoch_that_is_over_get_a_time_to_live(
    redis: Redis, pool: Pool, settings: Settings, shop: Shop
) -> None:
    """Those that rest have one; what waited for a settlement would stay for ever."""
    shard = shard_of("ann", settings.wallet_shards)
    await shop.give("ann", "r1")
    await shop.open(shard, epoch=2)
    await shop.give("ann", "r1")
    await one_pass(reader_of_all(redis, pool, settings))
    lifetimes = [await redis.ttl(keys.wallet(shard, epoch, "ann")) for epoch in (1, 2)]
    assert 0 < lifetimes[0] <= LOST_WALLET_TTL_S
    assert lifetimes[1] == -1


async def test_a_room_in_an_older_redis_than_its_shards_is_loaded_again(
    redis: Redis, pool: Pool, settings: Settings, shop: Shop, reader: RoomsReader
) -> None:
    await a_room(pool)
    shard = await open_in_both(pool, shop, "ann")
    await shop.give("ann", "r1", times=4)
    await until_drained(reader)
    await settle_all(redis, pool, settings)
    await redis.hset(keys.room("r1"), mapping={"gifts": "3", "diamonds": "3", "coins": "3", f"m:{shard}": "1-3"})
    await shop.give("ann", "r1")
    await until_drained(reader)
    assert await gifts_of(redis, "r1") == 5


async def test_a_redis_that_was_killed_is_waited_for_and_nothing_counts_twice(
    stores_folder, pool: Pool, settings: Settings
) -> None:
    valkey = EmbeddedValkey(stores_folder / "killed", memory_mb=64)
    await valkey.start()
    redis = await connect(valkey.url)
    await load_functions(redis)
    shop = Shop(redis, settings.wallet_shards)
    await load(redis, "r1")
    stop = asyncio.Event()
    running = asyncio.create_task(RoomsReader(redis, pool, settings, "w1").run(stop))
    try:
        for total in (3, 6):
            await shop.give("ann", "r1", times=3)
            await eventually(lambda total=total: _has(redis, total))
            await valkey.stop()
            await valkey.start()
            number = await redis.hget(keys.shard(shard_of("ann", 4)), "number")
            await redis.fcall("gs_open", 1, keys.shard(shard_of("ann", 4)), "1", number, OPENING, OPENING)
        await shop.give("ann", "r1")
        await eventually(lambda: _has(redis, 7))
        await assert_rooms_hold(redis, {"r1": Counter(ann=7)})
    finally:
        stop.set()
        await running
        await redis.aclose()
        await valkey.stop()


async def _has(redis: Redis, total: int) -> bool:
    return await gifts_of(redis, "r1") == total


async def test_chat_likes_and_viewers_come_with_the_next_pass(
    redis: Redis, pool: Pool, settings: Settings, reader: RoomsReader
) -> None:
    await a_room(pool)
    rooms = Rooms(redis, pool, settings)
    await rooms.say("r1", "ann", "Ann", "hello")
    await rooms.like("r1", 3)
    await rooms.like("r1", 4)

    async def liked() -> bool:
        return await redis.hget(keys.room("r1"), "likes") == b"7"

    await eventually(liked)
    await until_drained(reader)
    (delta,) = await frames(redis, "r1")
    assert ([line["text"] for line in delta["chat"]], delta["likes"]) == (["hello"], 7)


async def test_a_viewer_count_that_waits_for_its_second_is_told_without_being_asked_again(
    redis: Redis, reader: RoomsReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.rooms.apply.VIEWERS_EVERY_S", 0.0)
    await load(redis, "r1")
    for members in (1, 2):
        await redis.fcall("gs_room_members", 1, keys.room("r1"), "g1", str(members), "15")
        await redis.sadd(keys.DIRTY_ROOMS, "r1")
        await reader.apply_once()
    assert [frame["viewers"] for frame in await frames(redis, "r1")] == [1]
    await redis.hset(keys.room("r1"), "viewers_at", "0")
    await reader.apply_once()
    assert [frame["viewers"] for frame in await frames(redis, "r1")] == [1, 2]


async def test_more_chat_than_a_delta_holds_comes_with_the_following_passes(redis: Redis, reader: RoomsReader) -> None:
    await load(redis, "r1")
    for n in range(120):
        await redis.fcall("gs_room_say", 1, keys.room("r1"), f"v{n}", "{}", f'"{n}"', "1", "1")
    await redis.sadd(keys.DIRTY_ROOMS, "r1")
    await until_drained(reader)
    assert [line["text"] for frame in await frames(redis, "r1") for line in frame["chat"]] == [
        str(n) for n in range(120)
    ]


async def test_many_gifts_are_brought_in_bounded_calls(redis: Redis, shop: Shop, reader: RoomsReader) -> None:
    await load(redis, "r1")
    await asyncio.gather(*(shop.give(viewer, "r1", times=750) for viewer in ("ann", "bob", "cid") * 2))
    await until_drained(reader)
    assert len(await frames(redis, "r1")) >= 3
    await assert_rooms_hold(redis, {"r1": Counter(ann=1500, bob=1500, cid=1500)})


async def test_workers_share_the_shards_and_one_alone_has_all(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.rooms.leases.RENEW_EVERY_S", 0.0)
    one, two = Leases(redis, 7, "one"), Leases(redis, 7, "two")
    await one.renew()
    assert one.held == set(range(7))
    for _ in range(2):
        await two.renew()
        await one.renew()
    await two.renew()
    assert one.held | two.held == set(range(7))
    assert (one.held & two.held, len(one.held)) == (set(), 4)
    await one.give_up()
    await two.renew()
    assert two.held == set(range(7))


async def test_the_shards_of_a_worker_that_died_are_taken_over(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.rooms.leases.RENEW_EVERY_S", 0.0)
    monkeypatch.setattr("server.rooms.leases.LEASE_MS", 50)
    monkeypatch.setattr("server.rooms.leases.WORKER_ALIVE_S", 0.05)
    await Leases(redis, 4, "dead").renew()
    survivor = Leases(redis, 4, "survivor")

    async def has_all() -> bool:
        await survivor.renew()
        return survivor.held == {0, 1, 2, 3}

    await eventually(has_all)


async def test_draining_brings_all_and_gives_the_leases_up(
    redis: Redis, pool: Pool, settings: Settings, shop: Shop
) -> None:
    await a_room(pool)
    reader = RoomsReader(redis, pool, settings, "w1")
    await shop.give("ann", "r1", times=3)
    stop = asyncio.Event()
    stop.set()
    await reader.run(stop)
    await reader.drain()
    await assert_rooms_hold(redis, {"r1": Counter(ann=3)})
    assert await redis.mget([keys.shard_lease(shard) for shard in range(settings.wallet_shards)]) == [None] * 4


async def test_a_drain_that_cannot_end_is_given_up(redis: Redis, pool: Pool, settings: Settings, shop: Shop) -> None:
    gone = await postgres.connect(settings.database_url, size_max=1)
    await gone.close()
    reader = RoomsReader(redis, gone, replace(settings, drain_timeout_s=0.3), "w1")
    await shop.give("ann", "r1")
    with pytest.raises(TimeoutError):
        await reader.drain()
