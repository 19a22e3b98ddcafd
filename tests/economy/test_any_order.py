"""Any order and repetition of what providers say, of gifts, settlements, looks and crashes keeps every promise."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.economy.recharge.applying import apply
from server.economy.recharge.payment import Fact, PaymentEvent
from server.ledger.recharge.purchases import Purchase
from server.settings import Settings
from tests.economy.facts import Payment
from tests.economy.till import AMOUNT, COINS, Till
from tests.ledger.stage import StageRoom, stage_on

SAID = {
    "paid": (Fact.PAID, None, None),
    "declined": (Fact.DECLINED, None, None),
    "expired": (Fact.EXPIRED, None, None),
    "refunded a third": (Fact.REFUNDED, "r", AMOUNT // 3),
    "refund failed": (Fact.RETURNED, "r", AMOUNT // 3),
    "disputed": (Fact.DISPUTED, "d", AMOUNT),
    "won": (Fact.RETURNED, "d", AMOUNT),
    "lost": (Fact.LOST, "d", AMOUNT),
}
SAY = st.tuples(st.just("say"), st.sampled_from([0, 1]), st.sampled_from(sorted(SAID)), st.booleans())
STEP = st.one_of(
    SAY,
    SAY,
    st.tuples(st.just("give"), st.sampled_from([1, 150, 700, 2000])),
    st.sampled_from([("settle",), ("look",), ("again",), ("forget",)]),
)


_viewers = count()


@pytest.fixture
async def till(settings: Settings) -> AsyncIterator[Till]:
    async with stage_on(settings) as stage:
        await stage.room()
        yield Till.on(stage)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=st.lists(STEP, min_size=4, max_size=24))
async def test_whatever_is_said_in_whatever_order(till: Till, steps: list[tuple]) -> None:  # type: ignore[type-arg]
    stage, viewer = till.stage, f"viewer{next(_viewers)}"
    bought: list[Purchase] = [await till.begin(viewer) for _ in range(2)]
    models = [Payment(viewer, COINS, AMOUNT) for _ in range(2)]
    heard, asked = list[PaymentEvent](), count()
    for step in steps:
        match step:
            case ("say", which, said, crashes):
                fact, claim, amount = SAID[said]
                purchase = bought[which]
                named = None if claim is None else f"{purchase.id}-{claim}"
                event = till.event(purchase, fact, claim=named, amount=amount, event=f"{viewer}-{len(heard)}")
                heard.append(event)
                models[which].hear(fact, claim, amount)
                await _hear(till, event, crashes=crashes)
            case ("again",):
                for event in reversed(heard):
                    assert (await till.cashier.hear(event)).again
            case ("give", pieces):
                await stage.send(viewer, "rose", pieces, StageRoom(), f"{viewer}-{next(asked)}")
            case ("settle",):
                await stage.settle()
            case ("look",):
                await till.cashier.look_at_debt(viewer)
            case ("forget",):
                await stage.settle()
                shard = stage.shard(viewer)
                epoch, _ = await stage.log_end(shard)
                await stage.redis.delete(f"{{w{shard:02d}}}:{epoch}:w:{viewer}")
    await stage.settle()
    await till.cashier.look_at_debt(viewer)

    credited = sum(model.granted for model in models)
    back = sum(model.back for model in models)
    spent = await stage.pool.fetchval("SELECT coalesce(sum(coins), 0)::bigint FROM gifts WHERE viewer_id = $1", viewer)
    coins = await till.coins(viewer)
    assert coins == await stage.balance(viewer) == credited - back - spent
    covered = await stage.pool.fetchval(
        """
        SELECT coalesce(sum(coins), 0)::bigint FROM holds JOIN recoveries USING (purchase_id)
        WHERE viewer_id = $1 AND cleared_at IS NULL AND state <> 'released'
        """,
        viewer,
    )
    held = await stage.pool.fetchval("SELECT count(*) FROM holds WHERE viewer_id = $1 AND state = 'held'", viewer)
    if coins >= 0:
        assert held == 0
    else:
        assert min(-coins, back) <= covered <= back
    await till.sound()


async def _hear(till: Till, event: PaymentEvent, *, crashes: bool) -> None:
    """Hears an event; one that crashes dies between its commit and whatever should have followed it."""
    if not crashes:
        await till.cashier.hear(event)
        return
    async with till.stage.pool.acquire() as conn, conn.transaction():
        await apply(conn, event, 0.0)
