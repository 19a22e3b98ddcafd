"""Each protection of settlement is needed: with its line taken out, a promise is broken that holds with it.

A function is compiled anew without the line, for the one story in which it matters; the code itself has no switch.
"""

import asyncio
import inspect
import textwrap
from collections.abc import Callable
from types import ModuleType
from typing import Any

import asyncpg
import pytest

from server.ledger import log, settle, shards
from server.ledger.log import LogGapError
from server.stores import keys
from tests.ledger.stage import Stage


def without(module: ModuleType, name: str, line: str, instead: str) -> Callable[..., Any]:
    """A function of a module with a line replaced; everything else that it uses is the module's own."""
    source = textwrap.dedent(inspect.getsource(getattr(module, name)))
    assert source.count(line) == 1, "this protection stands elsewhere now"
    names = dict(vars(module))
    exec(compile(source.replace(line, instead), f"{name} without a line", "exec"), names)
    function: Callable[..., Any] = names[name]
    return function


async def numbers(stage: Stage) -> list[int]:
    return [row["number"] for row in await stage.pool.fetch("SELECT number FROM gifts ORDER BY number")]


async def two_settle_at_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Each asks for the cursor before either has moved it."""
    await stage.viewer("ann", 1000)
    await stage.give("ann", times=20)
    both, claim = asyncio.Barrier(2), settle.claim_shard

    async def claim_at_once(*arguments: Any) -> Any:
        claimed = await claim(*arguments)
        await both.wait()
        return claimed

    monkeypatch.setattr(settle, "claim_shard", claim_at_once)
    again = settle.Settler(stage.redis, stage.pool, stage.settings)
    settlers = [settler.settle_once(stage.shard("ann")) for settler in (stage.settler, again)]
    return await asyncio.gather(*settlers, return_exceptions=True)


async def test_the_cursor_lock_keeps_two_settlers_apart(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sorted(await two_settle_at_once(stage, monkeypatch)) == [0, 20]  # type: ignore[type-var]
    assert await numbers(stage) == list(range(1, 21))


async def test_without_the_cursor_lock_both_book_the_same_gifts(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the guard behind it, that no number is there twice, still holds: one of them fails instead of waiting."""
    unlocked = without(shards, "claim_shard", 'f"{_HOLD} SKIP LOCKED"', 'f"{_HOLD}".replace("FOR UPDATE", "")')
    monkeypatch.setattr(settle, "claim_shard", unlocked)
    answers = await two_settle_at_once(stage, monkeypatch)
    assert any(isinstance(answer, asyncpg.UniqueViolationError) for answer in answers), answers


async def lose_an_entry(stage: Stage) -> None:
    """The log lacks a number, as if it had been trimmed too early."""
    await stage.viewer("ann", 1000)
    await stage.give("ann")
    await stage.give("ann")
    log_key = keys.shard_log(stage.shard("ann"))
    first = (await stage.redis.xrange(log_key))[0][0]
    await stage.redis.xdel(log_key, first)


async def test_the_number_check_settles_nothing_past_a_gap(stage: Stage) -> None:
    await lose_an_entry(stage)
    with pytest.raises(LogGapError):
        await stage.settle()
    assert await numbers(stage) == []


async def test_without_the_number_check_a_lost_gift_goes_unnoticed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_take", without(log, "_take", "if gifts and gifts[0].number > first:", "if False:"))
    await lose_an_entry(stage)
    await stage.settle()
    assert await numbers(stage) == [2]
