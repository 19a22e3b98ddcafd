"""Each protection of the room functions is needed: with its line taken out, the room's gifts are counted wrong.

A short story runs clean against the library as it is, and breaks the promise against a copy without the line.
"""

from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import NamedTuple

import pytest
from redis.asyncio import Redis

from server.stores import keys
from tests.rooms.room_calls import frames, gift, load, tick

LIBRARY = files("server.rooms").joinpath("room.lua").read_text()


class Protection(NamedTuple):
    """A line of room.lua, what stands there when it is taken out, and the story in which it matters."""

    line: str
    without: str
    story: Callable[[Redis, str], Awaitable[int]]


async def a_tick_sent_twice(redis: Redis, library: str) -> int:
    for _ in range(2):  # the first reply was lost, or another worker does the same work
        await tick(redis, "r1", gift(1))
    return 1


async def an_old_worker_that_wakes_up(redis: Redis, library: str) -> int:
    await tick(redis, "r1", gift(1), gift(2))
    await tick(redis, "r1", gift(3), old="1-2")
    await tick(redis, "r1", gift(2), old="1-1")
    return 3


async def a_failover_between_reading_and_counting(redis: Redis, library: str) -> int:
    """Gift 1 was read from a server that is gone, and lost with it; another gift has its number now."""
    before = await redis.fcall("gs_run", 1, keys.room("r1"))
    await redis.function_load(library, replace=True)
    after = await redis.fcall("gs_run", 1, keys.room("r1"))
    await tick(redis, "r1", gift(1, count=5), read_from=before)
    await tick(redis, "r1", gift(1), read_from=after)
    return 1


MARK = "if (held[#TICKED + i] or '0-0') ~= expected[i] then"
PROTECTIONS = {
    "a gift is counted once": Protection(MARK, "if false then", a_tick_sent_twice),
    "a mark never goes back": Protection(MARK, "if false then", an_old_worker_that_wakes_up),
    "what was read before a failover is not counted after it": Protection(
        "if read_from ~= '' and read_from ~= this_run() then",
        "if false then",
        a_failover_between_reading_and_counting,
    ),
}


async def tell(redis: Redis, protection: Protection, library: str) -> None:
    """Runs the story; the room and its deltas must have as many gifts as were given."""
    await redis.flushall()
    await redis.function_load(library, replace=True)
    await load(redis, "r1")
    given = await protection.story(redis, library)
    assert int(await redis.hget(keys.room("r1"), "gifts") or 0) == given
    assert int(await redis.zscore(keys.room_top("r1"), "ann") or 0) == given
    shown = [entry["count"] for frame in await frames(redis, "r1") for entry in frame.get("gifts", [])]
    assert sum(shown) == given


@pytest.mark.parametrize("name", PROTECTIONS)
async def test_rooms_go_wrong_without(redis: Redis, name: str) -> None:
    protection = PROTECTIONS[name]
    assert LIBRARY.count(protection.line) == 1, "this protection stands elsewhere now"
    await tell(redis, protection, LIBRARY)
    with pytest.raises(AssertionError):
        await tell(redis, protection, LIBRARY.replace(protection.line, protection.without))
