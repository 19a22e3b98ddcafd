"""Readers that tests drive pass by pass, and a client that loses replies."""

import asyncio
from collections import Counter
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError

from server.rooms.apply import RoomsReader
from server.settings import Settings
from server.stores import keys
from server.stores.failures import REDIS_AWAY
from server.stores.postgres import Pool
from tests.rooms.room_calls import frames


class LossyRedis(Redis):
    """Carries out every pipeline; `lose_after` pipelines from now the reply to one is lost."""

    lose_after: int | None = None
    wipe_before: str | None = None
    """A function; the libraries are gone just before its first call."""

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> "LossyPipeline":
        return LossyPipeline(self)


class LossyPipeline(Pipeline):
    def __init__(self, client: LossyRedis) -> None:
        super().__init__(client.connection_pool, client.response_callbacks, False, None)
        self._client = client

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        wiped = self._client.wipe_before
        if wiped is not None and any(args[1] == wiped for args, _ in self.command_stack):
            self._client.wipe_before = None
            await self._client.function_flush()
        answers = await super().execute(raise_on_error)
        if self._client.lose_after is not None:
            self._client.lose_after -= 1
            if self._client.lose_after < 0:
                self._client.lose_after = None
                raise RedisConnectionError("the reply was lost")
        return answers


def lossy(redis: Redis) -> LossyRedis:
    """A client of the same server."""
    return LossyRedis(connection_pool=redis.connection_pool)


def reader_of_all(redis: Redis, pool: Pool, settings: Settings, name: str = "w1") -> RoomsReader:
    """A reader that believes that all shards are its own."""
    reader = RoomsReader(redis, pool, settings, name)
    reader.leases.held = set(range(settings.wallet_shards))
    return reader


async def one_pass(reader: RoomsReader) -> None:
    """As `run` does it: after a failure the reader starts over."""
    try:
        await reader.apply_once()
    except REDIS_AWAY as error:
        await reader.start_over(error)


async def until_drained(reader: RoomsReader, deadline_s: float = 20.0) -> None:
    """Passes until all that is in the logs is in the rooms."""
    async with asyncio.timeout(deadline_s):
        while True:
            await one_pass(reader)
            if reader.idle:
                return
            await asyncio.sleep(0.005)


async def assert_rooms_hold(redis: Redis, expected: dict[str, Counter[str]]) -> None:
    """Each room's totals, gifters and the sum over its deltas are what was given: room → viewer → pieces of 1 coin."""
    for room, by_viewer in expected.items():
        pieces = sum(by_viewer.values())
        diamonds, gifts, coins = await redis.hmget(keys.room(room), "diamonds", "gifts", "coins")
        assert (int(diamonds), int(gifts), int(coins)) == (pieces, pieces, pieces), room
        gifters = {
            viewer.decode(): int(sum_)
            for viewer, sum_ in await redis.zrange(keys.room_top(room), 0, -1, withscores=True)
        }
        assert gifters == {viewer: pieces for viewer, pieces in by_viewer.items() if pieces}
        shown, running = 0, 0
        for frame in await frames(redis, room):
            if "gifts" in frame:
                shown += sum(entry["count"] for entry in frame["gifts"]) + frame.get("more", {"count": 0})["count"]
                assert frame["gifts_total"] == shown, "the running total of each delta is the sum of all before it"
                running = frame["gifts_total"]
        assert (shown, running) == (pieces, pieces), room
