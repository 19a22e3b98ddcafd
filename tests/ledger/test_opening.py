"""A shard is opened on whatever Redis is there: row by row, does it go on, or begin anew from the ledger?"""

from collections.abc import Awaitable, Callable

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from server.stores import keys
from server.stores.redis import load_functions
from tests.ledger.stage import Stage

Photograph = dict[bytes, bytes]
Replace = Callable[[Stage], Awaitable[None]]
BEHIND, LEFT = "redis_behind_ledger", "redis_left_behind"


async def photograph(stage: Stage) -> Photograph:
    return {key: await stage.redis.dump(key) async for key in stage.redis.scan_iter()}


async def put_back(stage: Stage, photo: Photograph) -> None:
    await stage.redis.flushall()
    for key, dump in photo.items():
        await stage.redis.restore(key, 0, dump)


async def all_settled(stage: Stage) -> None:
    await stage.settle()


async def some_settled(_: Stage) -> None:
    """As it is."""


async def older_by_one_settled_gift(stage: Stage) -> None:
    photo = await photograph(stage)
    await stage.give("ann")
    await stage.settle()
    await put_back(stage, photo)


async def empty(stage: Stage) -> None:
    await stage.redis.flushall()


async def of_an_earlier_epoch_though_further_on(stage: Stage) -> None:
    photo = await photograph(stage)
    await stage.redis.flushall()
    await stage.give("ann")
    await stage.settle()
    await put_back(stage, photo)


async def of_a_later_epoch(stage: Stage) -> None:
    await stage.redis.hset(keys.shard(stage.shard("ann")), "epoch", 7)


async def as_far_but_of_an_earlier_opening(stage: Stage) -> None:
    photo = await photograph(stage)
    await restart(stage)
    await stage.opener.open(stage.shard("ann"))
    await put_back(stage, photo)


async def restart(stage: Stage) -> None:
    """Another server process: its libraries remember nothing."""
    await stage.redis.function_flush()
    await load_functions(stage.redis)


def incidents_counted(kind: str) -> float:
    return REGISTRY.get_sample_value("giftstream_incidents_total", {"kind": kind}) or 0.0


@pytest.mark.parametrize(
    ("replace", "next_place", "incidents"),
    [
        pytest.param(all_settled, (1, 6), [], id="at the cursor"),
        pytest.param(some_settled, (1, 6), [], id="past it"),
        pytest.param(older_by_one_settled_gift, (2, 1), [BEHIND], id="behind it"),
        pytest.param(empty, (2, 1), [BEHIND], id="empty"),
        pytest.param(of_an_earlier_epoch_though_further_on, (3, 1), [BEHIND, BEHIND], id="of an earlier epoch"),
        pytest.param(of_a_later_epoch, (8, 1), [BEHIND], id="of a later epoch"),
        pytest.param(as_far_but_of_an_earlier_opening, (2, 1), [LEFT], id="of an opening that is over"),
    ],
)
async def test_a_shard_goes_on_or_begins_anew(
    stage: Stage, replace: Replace, next_place: tuple[int, int], incidents: list[str]
) -> None:
    """Three gifts of a coin are settled and two are not; whatever is lost then is lost on both sides."""
    await stage.viewer("ann", 100)
    await stage.give("ann", times=3)
    await stage.settle()
    await stage.give("ann", times=2)
    counted = [incidents_counted(kind) for kind in (BEHIND, LEFT)]
    with capture_logs() as logs:
        await replace(stage)
        await restart(stage)
        (answer,) = await stage.give("ann")
    assert (answer.gift_id.epoch, answer.gift_id.number) == next_place
    await stage.settle()
    given = await stage.pool.fetchval("SELECT count(*) FROM gifts")
    assert (await stage.wallets.balance("ann")).coins == answer.coins == await stage.balance("ann") == 100 - given
    assert (await stage.audit()).ok
    found = [
        row["kind"]
        for row in await stage.pool.fetch("SELECT kind FROM incidents WHERE shard = $1 ORDER BY id", stage.shard("ann"))
    ]
    assert found == incidents
    told = [
        line["why"]
        for line in logs
        if line["event"] == "shard began a new epoch" and line["shard"] == stage.shard("ann")
    ]
    assert told == incidents
    others = [incidents_counted(kind) - before for kind, before in zip((BEHIND, LEFT), counted, strict=True)]
    assert [min(1, times) for times in others] == [int(kind in incidents) for kind in (BEHIND, LEFT)]
