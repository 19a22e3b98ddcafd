"""Answers are remembered by a clock that never goes back, whatever the server's own clock does."""

import pytest
from redis import Redis

from tests.wallet.model import DEDUPE_S, Gift, Shard, Snapshot
from tests.wallet.shifted import SHIFT_KEY, shifted

AHEAD_S = 3600


@pytest.fixture
def shard(redis: Redis) -> Shard:
    """A shard whose clock can be set, with a viewer who has coins."""
    shard = Shard(redis, shifted())
    shard.begin()
    shard.load("ana", Snapshot(1, 0, 100, 1))
    return shard


def gone_at_s(redis: Redis) -> list[int]:
    """When the keys with remembered answers are dropped, in seconds since the epoch."""
    return [redis.expiretime(key) for key in redis.keys("{w00}:*:q:*")]  # type: ignore[union-attr,misc]


def test_answers_from_before_the_clock_was_set_back_are_kept_until_it_has_caught_up(redis: Redis, shard: Shard) -> None:
    """Else they would be gone at once when the clock is set right again, and a retry would be charged."""
    redis.set(SHIFT_KEY, AHEAD_S)
    (before,) = shard.send(Gift("ana", "a", 10))
    asked_at_s = before.at_us // 1_000_000
    redis.set(SHIFT_KEY, 0)
    shard.send(Gift("ana", "b", 10))
    assert min(gone_at_s(redis)) >= asked_at_s + DEDUPE_S
    redis.set(SHIFT_KEY, AHEAD_S)
    assert shard.send(Gift("ana", "a", 10)) == [before]


def test_answers_brought_back_after_a_reset_are_kept_by_the_same_clock(redis: Redis, shard: Shard) -> None:
    redis.set(SHIFT_KEY, AHEAD_S)
    (before,) = shard.send(Gift("ana", "a", 10))
    asked_at_s = before.at_us // 1_000_000
    redis.set(SHIFT_KEY, 0)
    shard.reset(2, "anew")
    redis.delete(*redis.keys("{w00}:1:q:*"))  # type: ignore[misc]
    shard.remember(2, "ana", "a", before)
    assert min(gone_at_s(redis)) >= asked_at_s + DEDUPE_S


def test_answers_brought_back_are_found_when_the_clock_is_set_back_before_the_first_gift(
    redis: Redis, shard: Shard
) -> None:
    """Redis came back empty: the answers that the ledger knows are all that tells which window it is."""
    redis.set(SHIFT_KEY, AHEAD_S)
    (before,) = shard.send(Gift("ana", "a", 10))
    redis.delete(*(key for key in redis.keys("{w00}:*") if key != SHIFT_KEY.encode()))  # type: ignore[union-attr]
    shard.reset(2, "anew")
    shard.remember(2, "ana", "a", before)
    shard.open_again(2, 0)
    redis.set(SHIFT_KEY, 0)
    shard.load("ana", Snapshot(2, 0, 90, 1))
    assert shard.send(Gift("ana", "a", 10)) == [before]


def test_answers_are_let_go_when_two_windows_have_passed(redis: Redis, shard: Shard) -> None:
    """At once, and not by their time to live alone: they are many, and a server may free them while others wait."""
    shard.send(Gift("ana", "a", 10))
    (answers,) = redis.keys("{w00}:1:q:*")  # type: ignore[misc]
    kept = []
    for windows in (1, 2):
        redis.set(SHIFT_KEY, windows * DEDUPE_S)
        shard.send(Gift("ana", f"b{windows}", 10))
        kept.append(redis.exists(answers))
    assert kept == [1, 0]


def test_a_batch_that_writes_nothing_lets_no_answers_go(redis: Redis, shard: Shard) -> None:
    """Its clock may be wrong: answers go when a later window is on record, not when one was seen."""
    (before,) = shard.send(Gift("ana", "a", 10))
    redis.set(SHIFT_KEY, 2 * DEDUPE_S)
    shard.send(Gift("ana", "b", 10, refusal="not_joined"))
    redis.set(SHIFT_KEY, 0)
    assert shard.send(Gift("ana", "a", 10)) == [before]
