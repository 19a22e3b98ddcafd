"""Any interleaving of two readers, lost replies, restarts, trims and loads counts each gift once."""

import asyncio
from collections import Counter, defaultdict

from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from redis.asyncio import Redis

from server.domain.ids import RoomId, UserId
from server.ledger import openings
from server.ledger import rooms as ledger_rooms
from server.ledger import shards as ledger_shards
from server.ledger import wallets as ledger_wallets
from server.ledger.settle import Settler
from server.rooms.apply import RoomsReader
from server.rooms.rooms import Rooms
from server.settings import Settings
from server.stores import keys
from server.stores.postgres import Pool
from tests.rooms.readers import assert_rooms_hold, lossy, one_pass, reader_of_all, until_drained
from tests.rooms.room_calls import load
from tests.rooms.shop import OPENING, Shop

ROOMS = ("r1", "r2")
VIEWERS = ("ann", "bob", "cid", "dee")

give = st.tuples(
    st.just("give"),
    st.sampled_from(VIEWERS),
    st.sampled_from(ROOMS),
    st.integers(1, 5),
    st.integers(1, 70),
)
reader = st.integers(0, 1)
busy = st.tuples(st.just("busy"), reader, st.sampled_from(VIEWERS), st.sampled_from(ROOMS))
steps = st.lists(
    st.one_of(
        give,
        st.tuples(st.just("pass"), reader),
        st.tuples(st.just("both")),
        busy,
        st.tuples(st.just("lose"), reader, st.integers(0, 6)),
        st.tuples(st.just("restart"), reader),
        st.tuples(st.just("settle")),
    ),
    min_size=1,
    max_size=14,
)


@examples(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(script=steps)
async def test_each_gift_counts_once_whatever_happens(
    redis: Redis, pool: Pool, settings: Settings, script: list[tuple[object, ...]]
) -> None:
    await redis.flushdb()
    shop = Shop(redis, settings.wallet_shards)
    clients = [lossy(redis), lossy(redis)]
    readers: list[RoomsReader] = [reader_of_all(client, pool, settings) for client in clients]
    expected: dict[str, Counter[str]] = defaultdict(Counter)
    for room in ROOMS:
        await load(redis, room)
        expected[room] = Counter()
    for name, *arguments in script:
        if name == "give":
            viewer, room, count, times = arguments
            await shop.give(viewer, room, count=count, times=times)
            expected[room][viewer] += count * times
        elif name == "pass":
            await one_pass(readers[arguments[0]])
        elif name == "both":
            await asyncio.gather(*map(one_pass, readers))
        elif name == "busy":
            which, viewer, room = arguments
            await asyncio.gather(one_pass(readers[which]), shop.give_singly(viewer, room, 5))
            expected[room][viewer] += 5
        elif name == "lose":
            clients[arguments[0]].lose_after = arguments[1]
            await one_pass(readers[arguments[0]])
        elif name == "restart":
            readers[arguments[0]] = reader_of_all(clients[arguments[0]], pool, settings)
        else:
            await shop.settled_to_the_end()
    for client in clients:
        client.lose_after = None
    await asyncio.gather(*map(until_drained, readers))
    await assert_rooms_hold(redis, expected)


@examples(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    script=st.lists(
        st.one_of(
            give,
            st.tuples(st.just("pass"), reader),
            st.tuples(st.just("both")),
            busy,
            st.tuples(st.just("lose"), reader, st.integers(0, 8)),
            st.tuples(st.just("settle")),
            st.tuples(st.just("forget"), st.sampled_from(ROOMS)),
            st.tuples(st.just("ask"), st.sampled_from(ROOMS)),
        ),
        min_size=1,
        max_size=14,
    )
)
async def test_rooms_that_are_lost_and_loaded_again_hold_every_gift_once(
    redis: Redis, pool: Pool, settings: Settings, script: list[tuple[object, ...]]
) -> None:
    """With the real ledger: gifts are in its snapshot, in the log, or in both, and are counted once."""
    await redis.flushdb()
    shop = Shop(redis, settings.wallet_shards)
    epoch = await begin_anew(pool, shop)
    clients = [lossy(redis), lossy(redis)]
    readers: list[RoomsReader] = [reader_of_all(client, pool, settings) for client in clients]
    settler = Settler(redis, pool, settings)
    names = {room: f"{room}-{epoch}" for room in ROOMS}
    for name in names.values():
        await ledger_rooms.create(pool, RoomId(name), UserId("creator"), "Creator", "A room")
    expected: dict[str, Counter[str]] = defaultdict(Counter)
    for step, *arguments in script:
        if step == "give":
            viewer, room, count, times = arguments
            await shop.give(viewer, names[room], count=count, times=times)
            expected[names[room]][viewer] += count * times
        elif step == "pass":
            await one_pass(readers[arguments[0]])
        elif step == "both":
            await asyncio.gather(*map(one_pass, readers))
        elif step == "busy":
            which, viewer, room = arguments
            await asyncio.gather(one_pass(readers[which]), shop.give_singly(viewer, names[room], 5))
            expected[names[room]][viewer] += 5
        elif step == "lose":
            clients[arguments[0]].lose_after = arguments[1]
            await one_pass(readers[arguments[0]])
        elif step == "settle":
            for shard in range(settings.wallet_shards):
                await settler.settle_once(shard)
        elif step == "forget":
            await redis.delete(keys.room(names[arguments[0]]))
        else:
            await Rooms(redis, pool, settings).info(names[arguments[0]])
    for client in clients:
        client.lose_after = None
    for name in names.values():
        await Rooms(redis, pool, settings).info(name)
    await asyncio.gather(*map(until_drained, readers))
    for name in names.values():
        pieces = sum(expected[name].values())
        assert [int(total) for total in await redis.hmget(keys.room(name), "diamonds", "gifts", "coins")] == [
            pieces
        ] * 3
        gifters = await redis.zrange(keys.room_top(name), 0, -1, withscores=True)
        assert {viewer.decode(): int(coins) for viewer, coins in gifters} == +expected[name]


async def begin_anew(pool: Pool, shop: Shop) -> int:
    """A new epoch of every shard in both stores, and wallets in the ledger; answers the epoch."""
    async with pool.acquire() as connection, connection.transaction():
        epoch = (await ledger_shards.hold_shard(connection, 0)).cursor.epoch + 1
        for shard in range(shop.wallet_shards):
            await ledger_shards.hold_shard(connection, shard)
            await openings.confirm(connection, shard, OPENING)
            await ledger_shards.begin_epoch(connection, shard, epoch)
    for shard in range(shop.wallet_shards):
        await shop.open(shard, epoch)
    if epoch == 1:
        for viewer in VIEWERS:
            await ledger_wallets.grant(pool, UserId(viewer), 10**9, "promotion", viewer, "welcome")
    return epoch
