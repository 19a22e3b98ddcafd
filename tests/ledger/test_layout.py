"""A Redis whose wallets another version has written: begun anew when all is settled, and refused until then."""

import pytest

from server.ledger.settle import Settler
from server.stores import keys
from server.stores.redis import StoreUnfit
from tests.ledger.stage import CREATOR, Stage, StageRoom
from tests.ledger.test_failover import forget_openings
from tests.wallet.held import wallet_fields


async def write_in_the_first_way(stage: Stage) -> None:
    """As the first layout had them: a hash for each wallet and for each viewer's answers, and no word of a layout."""
    for shard in range(stage.settings.wallet_shards):
        await stage.redis.hdel(keys.shard(shard), "layout")
    for key in await stage.redis.keys("{w*}:*:w:*"):
        fields = wallet_fields(await stage.redis.get(key))
        await stage.redis.delete(key)
        await stage.redis.hset(key, mapping=fields)
    for key in await stage.redis.keys("{w*}:*:q:*"):
        await stage.redis.rename(key, key + b":ann")
    await forget_openings(stage.redis)


async def test_a_settled_shard_of_another_layout_begins_anew_from_the_ledger(stage: Stage) -> None:
    await stage.viewer("ann", 1_000)
    first, *_ = await stage.give("ann", times=3)
    await stage.settle()
    await write_in_the_first_way(stage)
    assert (await stage.audit()).ok, "what is settled needs nothing of Redis"
    await stage.opener.open_all()
    assert await stage.send("ann", "rose", 1, StageRoom(), "q1") == first, "a retry is answered as before"
    (answer,) = await stage.give("ann", times=1)
    assert (answer.gift_id.epoch, answer.gift_id.number, answer.coins) == (2, 1, 996)
    await stage.settle()
    await stage.reader.drain()
    assert await stage.balance(CREATOR, "diamonds_available") == 4
    assert await stage.pool.fetchval("SELECT count(*) FROM incidents") == 0
    report = await stage.audit()
    assert report.ok, report.render()


async def test_unsettled_gifts_of_another_layout_are_not_touched_but_can_be_settled(stage: Stage) -> None:
    await stage.viewer("ann", 1_000)
    await stage.give("ann", times=3)
    await write_in_the_first_way(stage)
    shard = stage.shard("ann")
    with pytest.raises(StoreUnfit, match="3 unsettled gifts"):
        await stage.opener.open(shard)
    assert "unsettled gifts wait" in (await stage.audit()).render()
    assert await stage.log_end(shard) == (1, 3)
    assert await stage.redis.xlen(keys.shard_log(shard)) == 1
    # What the other version would do: settle them.
    await Settles(stage.redis, stage.pool, stage.settings).settle_once(shard)
    await stage.opener.open(shard)
    assert (await stage.wallets.balance("ann")).coins == 997


class Settles(Settler):
    """Settles, and Redis hears nothing of it."""

    async def _mark(self, stretch: object) -> None:
        pass
