"""Coins that were bought reach the wallet, whatever became of the Redis that had them already."""

from structlog.testing import capture_logs

from server.stores import keys
from server.stores.redis import load_functions
from server.wallet.credit_sweeper import CreditSweeper
from tests.ledger.stage import Stage


def sweeper(stage: Stage) -> CreditSweeper:
    return CreditSweeper(stage.redis, stage.pool, stage.wallets, stage.settings)


async def older_wallet(stage: Stage, dump: bytes) -> None:
    """Redis restarts with the wallet as it was: nothing of it was settled since, so the shard goes on."""
    key = keys.wallet(stage.shard("ann"), 1, "ann")
    await stage.redis.delete(key)
    await stage.redis.restore(key, 0, dump)
    await stage.redis.function_flush()
    await load_functions(stage.redis)
    await stage.opener.open_all()


async def test_a_credit_that_redis_lost_is_applied_again(stage: Stage) -> None:
    await stage.viewer("ann", 10)
    await stage.viewer("bob", 10)
    dump = await stage.redis.dump(keys.wallet(stage.shard("ann"), 1, "ann"))
    await stage.viewer("ann", 5)
    sweeping = sweeper(stage)
    await sweeping.sweep()
    await older_wallet(stage, dump)
    assert (await stage.wallets.balance("ann")).coins == 10
    with capture_logs() as logs:
        await sweeping.sweep()
    assert (await stage.wallets.balance("ann")).coins == 15
    assert [
        line["wallets"] for line in logs if line["event"].startswith("credits, blocks or controls were applied again")
    ] == [1]


async def test_a_block_that_redis_lost_holds_again(stage: Stage) -> None:
    await stage.viewer("ann", 10)
    dump = await stage.redis.dump(keys.wallet(stage.shard("ann"), 1, "ann"))
    await stage.wallets.block("ann", True)
    await older_wallet(stage, dump)
    assert not (await stage.wallets.balance("ann")).blocked
    await sweeper(stage).sweep()
    assert (await stage.wallets.balance("ann")).blocked


async def test_a_worker_that_starts_finds_what_was_lost_before_it_came(stage: Stage) -> None:
    await stage.viewer("ann", 10)
    dump = await stage.redis.dump(keys.wallet(stage.shard("ann"), 1, "ann"))
    await stage.viewer("ann", 5)
    await older_wallet(stage, dump)
    await sweeper(stage).sweep()
    assert (await stage.wallets.balance("ann")).coins == 15
