"""Any interleaving of two readers, lost replies, restarts and trims counts each gift once, and each delta sums exactly."""

import asyncio
from collections import Counter, defaultdict

from hypothesis import HealthCheck, given, settings as examples
from hypothesis import strategies as st
from redis.asyncio import Redis

from server.rooms.apply import RoomsReader
from server.settings import Settings
from server.stores.postgres import Pool
from tests.rooms.readers import assert_rooms_hold, lossy, one_pass, reader_of_all, until_drained
from tests.rooms.room_calls import load
from tests.rooms.shop import Shop

ROOMS = ("r1", "r2")

give = st.tuples(
    st.just("give"),
    st.sampled_from(["ann", "bob", "cid", "dee"]),
    st.sampled_from(ROOMS),
    st.integers(1, 5),
    st.integers(1, 70),
)
reader = st.integers(0, 1)
steps = st.lists(
    st.one_of(
        give,
        st.tuples(st.just("pass"), reader),
        st.tuples(st.just("both")),
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
