"""A Redis that came back older: screens begin anew, and no position ever names two deltas."""

from importlib.resources import files

import pytest
from redis.asyncio import Redis

from server.domain.ids import RoomId, UserId, shard_of
from server.ledger import rooms as ledger_rooms
from server.settings import Settings
from server.stores import keys
from server.stores.postgres import Pool
from server.stores.redis import load_functions
from tests.rooms.readers import one_pass, reader_of_all, until_drained
from tests.rooms.room_calls import gift, join, load, tick
from tests.rooms.shop import Shop
from tests.rooms.sockets import Sockets
from tests.rooms.test_hub import Stage, StartHub, enter


async def go_back(redis: Redis, state: dict[bytes, bytes], *, restarted: bool = True) -> None:
    """Put a room back as it was, its log with it. restarted: the library's memory is that of a new process."""
    entries = await redis.xrange(keys.room_log("r1"))
    await redis.delete(keys.room("r1"), keys.room_log("r1"))
    await redis.hset(keys.room("r1"), mapping=state)  # type: ignore[misc]
    for entry_id, fields in entries:
        if int(entry_id.partition(b"-")[2]) <= int(state[b"n"]):
            await redis.xadd(keys.room_log("r1"), fields, id=entry_id)
    if restarted:
        await redis.function_flush()
        await load_functions(redis)


@pytest.mark.parametrize("restarted", [True, False])
async def test_a_room_that_went_back_twice_to_the_same_place_gives_new_positions_each_time(
    redis: Redis, *, restarted: bool
) -> None:
    await load(redis, "r1")
    await tick(redis, "r1", gift(7, shard=1))
    given: list[str] = []
    for number in (1, 2):
        state = await redis.hgetall(keys.room("r1"))  # type: ignore[misc]
        for _ in range(2):
            await tick(redis, "r1", gift(8, shard=1), old="1-7")
            given.append((await join(redis, "r1"))["position"])
            await go_back(redis, state, restarted=restarted)
            await tick(redis, "r1", gift(number, room="r1"), old=f"1-{number - 1}" if number > 1 else "0-0")
            given.append((await join(redis, "r1"))["position"])
    assert len({position.partition("-")[0] for position in given}) == 1, "the same loading of the room"
    assert len(set(given)) == 8


async def test_a_room_loaded_again_is_another_one_also_while_the_clock_stands_still_or_goes_back(redis: Redis) -> None:
    """Else who comes back with a position of the one before would add deltas to totals that are gone."""
    library = files("server.rooms").joinpath("room.lua").read_text()
    asked = "redis.call('TIME')"
    assert library.count(asked) == 1
    library = library.replace(asked, "redis.call('MGET', 'test:s', 'test:us')")
    incarnations: list[str] = []
    for now_s in (2_000_000_000, 2_000_000_000, 1_999_996_400, 1_999_990_000):
        await redis.mset({"test:s": now_s, "test:us": 0})
        if len(incarnations) in {0, 3}:
            await redis.function_load(library, replace=True)  # another server process
        for former in incarnations[-1:]:
            await redis.fcall("gs_room_unload", 1, keys.room("r1"), former)
        incarnations.append(await load(redis, "r1"))
        assert not any([(await join(redis, "r1", f"{former}-0"))["recovered"] for former in incarnations[:-1]])
    # Gateways take what is not newer for late news of the one before.
    assert incarnations == sorted(set(incarnations))


async def test_servers_that_come_back_from_the_same_data_load_its_rooms_as_different_ones(redis: Redis) -> None:
    """With a clock that was set back, so that the time tells nothing."""
    library = files("server.rooms").joinpath("room.lua").read_text()
    library = library.replace("redis.call('TIME')", "redis.call('MGET', 'test:s', 'test:us')")
    incarnations: list[str] = []
    for us in range(3):
        await redis.delete(keys.room("r1"))
        await redis.hset(keys.room("r1"), "incarnation", "2000000000000000")  # type: ignore[misc]
        await redis.mset({"test:s": 1_999_990_000, "test:us": us})
        await redis.function_load(library, replace=True)
        await redis.fcall("gs_room_unload", 1, keys.room("r1"), "2000000000000000")
        incarnations.append(await load(redis, "r1"))
    assert len(set(incarnations)) == 3
    assert all(int(incarnation) > 2_000_000_000_000_000 for incarnation in incarnations)


async def test_who_joins_a_room_that_went_back_is_not_shown_what_was_lost(
    redis: Redis, start_hub: StartHub, sockets: Sockets
) -> None:
    stage = Stage(redis)
    stage.incarnation = await load(redis, "r1")
    hub = await start_hub(tick_ms=20)
    kept = await stage.deltas(2)
    state = await redis.hgetall(keys.room("r1"))  # type: ignore[misc]
    _, first = await enter(hub, sockets)
    lost = await stage.deltas(2)
    await first.until(lost)
    await go_back(redis, state)
    _, second = await enter(hub, sockets, since=lost)
    assert (second.frames[0]["recovered"], second.frames[0]["position"]) == (False, kept)
    await first.until(kept)
    assert first.frames[-1]["type"] == "joined", "whoever saw what was lost begins anew as well"
    stage.number = 2
    following = await stage.deltas()
    await second.until(following)
    assert [frame["position"] for frame in second.frames[1:]] == [following]


async def test_gifts_read_from_the_server_before_a_failover_are_not_counted_on_the_one_after(redis: Redis) -> None:
    """They may be lost, and their numbers given to other gifts."""
    await load(redis, "r1")
    before = await redis.fcall("gs_run", 1, keys.room("r1"))
    assert (await tick(redis, "r1", gift(1), read_from=before))[0] == b"ok"
    await redis.function_flush()
    await load_functions(redis)
    assert await tick(redis, "r1", gift(2), old="1-1", read_from=before) == [b"moved"]
    after = await redis.fcall("gs_run", 1, keys.room("r1"))
    assert (await tick(redis, "r1", gift(2), old="1-1", read_from=after))[0] == b"ok"


async def test_a_room_of_a_lost_epoch_is_loaded_again_also_while_nobody_gives(
    redis: Redis, pool: Pool, settings: Settings
) -> None:
    """The shard was begun anew before its reader looked, and no gift followed that would show it."""
    await ledger_rooms.create(pool, RoomId("r1"), UserId("creator"), "Creator", "A room")
    shop = Shop(redis, settings.wallet_shards)
    await shop.give("ann", "r1")
    reader = reader_of_all(redis, pool, settings)
    await until_drained(reader)
    shard = shard_of("ann", settings.wallet_shards)
    await redis.function_flush()
    await load_functions(redis)
    await shop.open(shard, epoch=2)
    for _ in range(2):  # the first one finds that it is another server
        await one_pass(reader)
    assert not await redis.exists(keys.room("r1"))
