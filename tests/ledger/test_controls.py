"""Budgets and pauses from the ledger to the wallet, on real stores."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest

from server.domain.controls import Budget, Period
from server.domain.errors import Code
from server.domain.gift import Accepted, Answer, Refused
from server.domain.ids import UserId
from server.ledger import controls
from server.ledger.auditing import budgets
from server.ledger.wallets import book_credit, grant
from server.stores import keys
from server.stores.redis import load_functions
from server.wallet.credit_sweeper import CreditSweeper
from tests.ledger.stage import Stage, StageRoom

ANN = UserId("ann")
DAY, WEEK, MONTH = Period


async def limit(stage: Stage, period: Period, coins: int | None, *, tell: bool = True) -> bool:
    async with stage.pool.acquire() as conn, conn.transaction():
        at_once = await controls.change_limit(conn, ANN, period, coins)
    if tell:
        await stage.wallets.refresh(ANN)
    return at_once


async def send(stage: Stage, request: str, coins: int = 1) -> Answer:
    return await stage.send(ANN, "rose", coins, StageRoom(), request)


async def spent(stage: Stage, period: Period = DAY) -> int:
    held = (await stage.wallets.balance(ANN)).controls
    assert held is not None
    return held.budgets[period].spent


async def leave(stage: Stage) -> None:
    """What the wallet's time to live does, at once."""
    key = keys.wallet(stage.shard(ANN), 1, ANN)
    assert await stage.redis.ttl(key) > 0
    await stage.redis.delete(key)


async def days_pass(stage: Stage) -> None:
    """For raises that wait."""
    await stage.pool.execute("UPDATE control_raises SET effective_at = effective_at - interval '25 hours'")


def sweeper(stage: Stage) -> CreditSweeper:
    return CreditSweeper(stage.redis, stage.pool, stage.wallets, stage.settings)


async def test_a_budget_counts_what_was_spent_before_it_was_set_settled_or_not(stage: Stage) -> None:
    await stage.viewer(ANN, 1_000)
    await stage.give(ANN, count=10)
    await stage.settle()
    await stage.give(ANN, count=20)
    assert await limit(stage, DAY, 50)
    refused = await send(stage, "over", 21)
    assert isinstance(refused, Refused)
    assert refused.code == Code.LIMIT_EXCEEDED
    assert refused.restraint is not None
    now = datetime.now(UTC)
    assert refused.restraint.limit is DAY
    assert refused.restraint.until_us > now.timestamp() * 1e6
    accepted = await send(stage, "to the last coin", 20)
    assert isinstance(accepted, Accepted)
    assert accepted.near == (DAY,)
    assert await spent(stage) == 50


async def test_a_wallet_that_left_comes_back_with_what_it_had_spent(stage: Stage) -> None:
    await stage.viewer(ANN, 1_000)
    await limit(stage, WEEK, 50)
    await stage.give(ANN, count=30)
    await stage.settle()
    await leave(stage)
    assert (await send(stage, "a", 21)).code == Code.LIMIT_EXCEEDED  # type: ignore[union-attr]
    assert await spent(stage, WEEK) == 30
    assert await spent(stage, MONTH) == 30


async def test_what_is_in_quarantine_is_spent(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "CLOCK_SLACK_S", 0)
    await stage.viewer(ANN, 1_000)
    await limit(stage, DAY, 50)
    await stage.give(ANN, count=30)
    await stage.pool.execute("DELETE FROM catalogue WHERE gift_id = 'rose'")
    await stage.settle()
    await leave(stage)
    assert await spent(stage) == 30
    report = await stage.audit()
    assert "1 wallets with budgets" in report.render()
    assert next(check.ok for check in report.checks if check.name == "budgets_match"), report.render()


async def test_what_comes_back_does_not_count_any_more(stage: Stage) -> None:
    """In a wallet that counts by itself, in one that is loaded, and in one that gets its first budget."""
    await stage.viewer(ANN, 1_000)
    [before] = await stage.give(ANN, count=30)
    await stage.settle()
    await _comes_back(stage, 10, before.at_us)
    await limit(stage, DAY, 50)
    assert await spent(stage) == 20
    await stage.give(ANN, count=30)
    await stage.settle()
    await _comes_back(stage, 15, before.at_us)
    await stage.wallets.refresh(ANN)
    assert await spent(stage) == await spent(stage, MONTH) == 35
    await leave(stage)
    assert await spent(stage) == 35
    await _comes_back(stage, 5, before.at_us - 40 * 86_400_000_000)
    await stage.wallets.refresh(ANN)
    assert await spent(stage, MONTH) == 35, "it was spent in another month"
    assert (await send(stage, "over", 16)).code == Code.LIMIT_EXCEEDED  # type: ignore[union-attr]
    assert isinstance(await send(stage, "to the last coin", 15), Accepted)
    report = await stage.audit()
    assert next(check.ok for check in report.checks if check.name == "budgets_match"), report.render()


async def _comes_back(stage: Stage, coins: int, spent_at_us: int) -> None:
    async with stage.pool.acquire() as conn, conn.transaction():
        reference = f"{coins} back"
        await book_credit(conn, ANN, coins, "return", reference, "", spent_at_us=spent_at_us)


async def test_gifts_that_go_on_meanwhile_are_counted(stage: Stage) -> None:
    """A busy wallet: what was added up is out of date when it arrives, and is added up again."""
    await stage.viewer(ANN, 1_000)

    async def keep_giving() -> int:
        answers = [await send(stage, f"q{number}", 2) for number in range(60)]
        return sum(2 for answer in answers if isinstance(answer, Accepted))

    giving = asyncio.create_task(keep_giving())
    await asyncio.sleep(0)
    assert await limit(stage, DAY, 300)
    coins = await giving
    assert await spent(stage) == coins == 120


async def test_lower_counts_at_once_and_higher_after_a_day(stage: Stage) -> None:
    await stage.viewer(ANN, 1_000)
    assert await limit(stage, DAY, 100)
    assert await limit(stage, DAY, 10)
    assert not await limit(stage, DAY, 500)
    assert not await limit(stage, DAY, None), "the later wish takes the place of the earlier one"
    sweeping = sweeper(stage)
    await sweeping.sweep()
    assert (await send(stage, "a", 11)).code == Code.LIMIT_EXCEEDED  # type: ignore[union-attr]
    async with stage.pool.acquire() as conn:
        wishes = await controls.wishes_of(conn, ANN)
        assert await controls.wishes_of(conn, UserId("nobody")) is None
    assert wishes is not None
    assert wishes.limits == {DAY: 10}
    assert wishes.raises[DAY].coins is None
    assert wishes.raises[DAY].effective_at - datetime.now(UTC) > timedelta(hours=23)
    await days_pass(stage)
    await sweeping.sweep()
    assert isinstance(await send(stage, "a", 11), Accepted)
    told = await stage.pool.fetchval("SELECT message FROM notices WHERE user_id = $1", ANN)
    assert told == "Your budget for each day is lifted now, as you wished a day ago."


async def test_a_wish_for_what_holds_already_takes_a_waiting_raise_back(stage: Stage) -> None:
    await stage.viewer(ANN, 1_000)
    await limit(stage, MONTH, 10)
    assert not await limit(stage, MONTH, 20)
    assert await limit(stage, MONTH, 10)
    await days_pass(stage)
    await sweeper(stage).sweep()
    await stage.wallets.refresh(ANN)
    assert (await send(stage, "a", 11)).code == Code.LIMIT_EXCEEDED  # type: ignore[union-attr]


@pytest.mark.parametrize("coins", [-1, 2**53])
async def test_a_limit_that_is_no_amount_is_refused(stage: Stage, coins: int) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        await limit(stage, DAY, coins)


async def test_a_pause_holds_until_it_ends_and_is_never_shortened(stage: Stage) -> None:
    await stage.viewer(ANN, 1_000)
    long, short = (datetime.now(UTC) + timedelta(hours=hours) for hours in (48, 1))
    async with stage.pool.acquire() as conn, conn.transaction():
        assert await controls.exclude(conn, ANN, long) == long
        assert await controls.exclude(conn, ANN, short) == long
    await stage.wallets.refresh(ANN)
    answer = await send(stage, "a")
    assert isinstance(answer, Refused)
    assert (answer.code, answer.restraint and answer.restraint.limit) == (Code.WALLET_BLOCKED, None)
    await stage.settle()
    await leave(stage)
    assert (await send(stage, "a")).code == Code.WALLET_BLOCKED  # type: ignore[union-attr]


async def test_a_change_that_nobody_told_of_is_told_by_the_sweeper(stage: Stage) -> None:
    await stage.viewer(ANN, 1_000)
    await limit(stage, DAY, 10, tell=False)
    assert isinstance(await send(stage, "a", 5), Accepted)
    await stage.pool.execute("UPDATE controls SET changed_at = changed_at - interval '1 minute'")
    await sweeper(stage).sweep()
    assert (await send(stage, "b", 6)).code == Code.LIMIT_EXCEEDED  # type: ignore[union-attr]
    assert await controls.untold(stage.pool, 0, 10) == []


async def test_controls_that_an_older_redis_has_lost_come_back(stage: Stage) -> None:
    await stage.viewer(ANN, 1_000)
    await stage.give(ANN, count=5)
    key = keys.wallet(stage.shard(ANN), 1, ANN)
    older = await stage.redis.dump(key)
    sweeping = sweeper(stage)
    await sweeping.sweep()
    await limit(stage, DAY, 10)
    await stage.redis.delete(key)
    await stage.redis.restore(key, 0, older)
    await stage.redis.function_flush()
    await load_functions(stage.redis)
    await stage.opener.open_all()
    await sweeping.sweep()
    assert (await stage.wallets.balance(ANN)).controls is not None
    assert await spent(stage) == 5


@pytest.mark.parametrize("seed", range(3))
async def test_no_order_of_gifts_settlements_departures_and_changes_overspends(stage: Stage, seed: int) -> None:
    """The rules of the functions are tested in tests/wallet; here it is that SQL, Python and Lua agree."""
    chance = random.Random(seed)
    await stage.viewer(ANN, 10_000)
    limits: dict[Period, int] = {}
    total, requests = 0, 0
    for _ in range(40):
        step = chance.choice(["give", "give", "give", "settle", "leave", "lower", "raise", "credit"])
        if step == "give":
            counts = [chance.choice([1, 5, 20, 60]) for _ in range(chance.randint(1, 4))]
            answers = await asyncio.gather(*(send(stage, f"q{requests + n}", c) for n, c in enumerate(counts)))
            requests += len(counts)
            for count, answer in zip(counts, answers, strict=True):
                over = [period for period, coins in limits.items() if total + count > coins]
                if isinstance(answer, Accepted):
                    assert not over
                    total += count
                else:
                    assert answer.restraint is not None
                    assert answer.restraint.limit in over
        elif step == "settle":
            await stage.settle()
        elif step == "leave":
            await stage.settle()
            await leave(stage)
        elif step == "credit":
            await grant(stage.pool, ANN, 10, "promotion", f"more-{requests}-{chance.random()}", "")
            await stage.wallets.refresh(ANN)
        else:
            period = chance.choice(list(Period))
            held = limits.get(period, total + 200)
            limits[period] = max(0, held - chance.randint(0, 50)) if step == "lower" else held + chance.randint(1, 100)
            if not await limit(stage, period, limits[period]):
                await days_pass(stage)
                assert await controls.take_up_raises(stage.pool, 10) == [ANN]
                await stage.wallets.refresh(ANN)
        if limits:
            held_controls = (await stage.wallets.balance(ANN)).controls
            assert held_controls is not None
            for period in Period:
                budget = held_controls.budgets[period]
                assert budget == Budget(limits.get(period), total, budget.ends_us)
    await stage.settle()
    report = await stage.audit()
    assert report.ok, report.render()
