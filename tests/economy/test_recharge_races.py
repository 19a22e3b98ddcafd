"""Two at once: webhooks, the sweeper, refunds and gifts in each other's way; and processes that die between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from server.domain.gift import Accepted
from server.economy.earning import on_purchase
from server.economy.recharge import crediting
from server.economy.recharge.applying import apply
from server.economy.recharge.payment import Fact
from server.ledger.recharge import purchases
from server.settings import Settings
from tests.economy.till import COINS, Till
from tests.ledger.stage import Stage, StageRoom, stage_on

ROUNDS = 6


@pytest.fixture
async def stage(settings: Settings) -> AsyncIterator[Stage]:
    async with stage_on(settings) as made:
        await made.room()
        yield made


@pytest.fixture
def till(stage: Stage) -> Till:
    return Till.on(stage)


async def test_webhooks_that_arrive_at_once_credit_once(till: Till) -> None:
    for round_ in range(ROUNDS):
        purchase = await till.begin(f"ann{round_}")
        same = till.event(purchase, Fact.PAID)
        others = [till.event(purchase, Fact.PAID) for _ in range(3)]
        await asyncio.gather(*(till.cashier.hear(event) for event in (same, same, same, *others)))
        assert await till.coins(f"ann{round_}") == COINS
    await till.sound()


async def test_a_webhook_and_the_sweeper_credit_once(till: Till) -> None:
    for round_ in range(ROUNDS):
        purchase = await till.begin(f"ann{round_}")
        async with till.stage.pool.acquire() as conn:
            await purchases.set_status(conn, purchase.id, "paid")
        event = till.event(purchase, Fact.PAID)
        await asyncio.gather(
            till.cashier.credit(purchase.id), till.cashier.hear(event), till.cashier.credit(purchase.id)
        )
        assert await till.coins(f"ann{round_}") == COINS
    await till.sound()


@pytest.mark.parametrize("first", [Fact.PAID, Fact.REFUNDED])
async def test_a_payment_and_its_refund_at_once_find_each_other(till: Till, first: Fact) -> None:
    """The refund names only the payment, which nobody knows before the webhook that tells of it is through."""
    pool = till.stage.pool
    purchase = await till.begin()
    said = {
        Fact.PAID: till.event(purchase, Fact.PAID),
        Fact.REFUNDED: till.event(purchase, Fact.REFUNDED, claim="r", purchase_id=None),
    }
    async with pool.acquire() as conn, conn.transaction():
        await apply(conn, said.pop(first), 0.0)
        (event,) = said.values()
        second = asyncio.create_task(till.cashier.hear(event))
        # The second one has looked, or waits until it can.
        while not second.done() and not await pool.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
            await asyncio.sleep(0)
    await second
    await till.stage.wallets.refresh("ann")
    assert (await till.now(purchase)).status == "refunded"
    assert await till.coins() == 0
    await till.sound()


async def test_gifts_a_refund_and_settlement_at_once_leave_exactly_the_debt(till: Till) -> None:
    stage = till.stage
    for round_ in range(ROUNDS):
        viewer = f"ann{round_}"
        purchase = await till.bought(viewer)

        async def give(viewer: str = viewer) -> int:
            asked = range(20)
            answers = [await stage.send(viewer, "rose", 50, StageRoom(), f"{viewer}-{number}") for number in asked]
            return sum(50 for answer in answers if isinstance(answer, Accepted))

        spent, *_ = await asyncio.gather(
            give(), till.say(purchase, Fact.DISPUTED, claim=f"d{round_}"), stage.settle(), stage.settle()
        )
        await stage.settle()
        await till.cashier.look_at_debt(viewer)
        assert await till.coins(viewer) == await stage.balance(viewer) == -spent
        held = await stage.pool.fetchval(
            "SELECT coalesce(sum(diamonds), 0)::bigint FROM holds WHERE viewer_id = $1 AND state = 'held'", viewer
        )
        assert held == spent
    assert await stage.pool.fetchval("SELECT count(*) FROM quarantine") == 0
    await till.sound()


async def test_what_a_crash_after_the_commit_left_out_is_made_up_for(till: Till) -> None:
    """Neither Redis nor anybody else heard of the credit, and then not of the refund."""
    stage = till.stage
    purchase = await till.begin()
    async with stage.pool.acquire() as conn, conn.transaction():
        await apply(conn, till.event(purchase, Fact.PAID), 0.0)
    await stage.wallets.refresh("ann")  # as the sweeper of credits does
    await stage.give("ann", "rose", 1000)
    await stage.settle()
    async with stage.pool.acquire() as conn, conn.transaction():
        await apply(conn, till.event(purchase, Fact.DISPUTED, claim="d1"), 0.0)
    await till.sound()
    await till.sweeper.sweep()
    assert await till.coins() == -COINS
    assert await till.diamonds() == (0, 1000)
    await till.sound()


async def test_a_credit_that_fails_leaves_the_purchase_paid_and_is_tried_again(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> list[str]:
        raise RuntimeError("a promotion that is wrong")

    purchase = await till.begin()
    monkeypatch.setattr(crediting, "on_purchase", broken)
    await till.say(purchase, Fact.PAID)
    assert (await till.now(purchase)).status == "paid"
    await till.sound()
    monkeypatch.setattr(crediting, "on_purchase", on_purchase.on_purchase)
    await till.stage.execute("UPDATE purchases SET paid_at = now() - interval '1 minute'")
    await till.sweeper.sweep()
    assert (await till.now(purchase)).status == "credited"
    assert await till.coins() == COINS
    assert till.told == [{"ann"}]
    await till.sound()
