"""Telling Redis what is settled, when somebody else tells it at the same time."""

from __future__ import annotations

import pytest

from server.ledger.settle import Settler
from server.stores import keys
from server.stores.columns import column
from tests.ledger.stage import Stage


class DiesBeforeRedisHears(Settler):
    """Commits, and dies."""

    async def _mark(self, stretch: object) -> None:
        raise ConnectionError


class IsOvertaken(Settler):
    """Finds that Redis has not heard of all, and somebody else tells it a part before this one reads the log again."""

    async def _mark_again(self, shard: int, epoch: int, after: int, to: int) -> None:
        opening = await self._redis.hget(keys.shard(shard), "opening")
        await self._redis.fcall("gs_applied", 1, keys.shard(shard), epoch, to, opening)
        await self._redis.fcall("gs_settled", 1, keys.shard(shard), epoch, after, 3, 60, column(["ann"]), column([3]))
        await super()._mark_again(shard, epoch, after, to)


async def test_a_log_that_others_trimmed_meanwhile_has_no_gap_and_the_rest_is_told(stage: Stage) -> None:
    await stage.viewer("ann", 100)
    shard = stage.shard("ann")
    await stage.give("ann", times=3)
    await stage.give("ann", times=3)
    with pytest.raises(ConnectionError):
        await DiesBeforeRedisHears(stage.redis, stage.pool, stage.settings).settle_once(shard)
    await IsOvertaken(stage.redis, stage.pool, stage.settings).settle_once(shard)
    await stage.settler.settle_once(shard)
    assert (await stage.wallets.balance("ann")).pending == 0
    assert await stage.redis.hget(keys.shard(shard), "settled") == b"6"
