"""Each protection of the wallet functions is needed: with its line taken out, the checker finds the money wrong.

Every protection has a short story in which it matters. The story runs clean against the library as it is, and the
checker of `test_interleavings` fails on it when the protection is taken out of a copy that only this test loads.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from tests.wallet.model import KEY, LIBRARY, Gift
from tests.wallet.test_interleavings import WalletMachine

Story = Callable[[WalletMachine], Iterator[None]]


class Protection(NamedTuple):
    """A line of the library, what stands there when it is taken out, and the story in which it matters."""

    line: str
    without: str
    story: Story


def funded(machine: WalletMachine) -> None:
    machine.credit("ana", 500)
    machine.load_now("ana")


def a_retry(machine: WalletMachine) -> Iterator[None]:
    funded(machine)
    machine.send([Gift("ana", "q1", 30)])
    yield
    machine.send([Gift("ana", "q1", 30)])


def a_retry_in_one_batch(machine: WalletMachine) -> Iterator[None]:
    funded(machine)
    machine.send([Gift("ana", "q1", 30), Gift("ana", "q1", 30)])
    yield


def a_refusal_asked_again(machine: WalletMachine) -> Iterator[None]:
    funded(machine)
    machine.send([Gift("ana", "q1", 30, refusal="!room_ended")])
    yield
    machine.send([Gift("ana", "q1", 30)])


def more_than_there_is(machine: WalletMachine) -> Iterator[None]:
    funded(machine)
    machine.send([Gift("ana", "q1", 400), Gift("ana", "q2", 400)])
    yield


def data_replaced_by_older_ones(machine: WalletMachine) -> Iterator[None]:
    """As a promoted replica that lags: the process runs on, with another past under it."""
    funded(machine)
    machine.send([Gift("ana", "q1", 30)])
    older = machine.photograph()
    machine.send([Gift("ana", "q2", 30)])
    machine.settle(9, reply_is_lost=False)
    yield
    for key in list(machine.redis.scan_iter()):
        machine.redis.delete(key)
    for key, value in older.items():
        machine.redis.restore(key, 0, value)
    try:
        machine.send([Gift("ana", "q3", 30)])
    except ResponseError:
        machine.reopen()


def an_old_snapshot(machine: WalletMachine) -> Iterator[None]:
    funded(machine)
    old = machine.ledger.snapshot("ana")
    machine.send([Gift("ana", "q1", 30)])
    machine.settle(9, reply_is_lost=False)
    assert machine.shard.evict("ana", 1)
    yield
    machine.shard.load("ana", old)


def a_snapshot_of_an_old_epoch(machine: WalletMachine) -> Iterator[None]:
    funded(machine)
    machine.send([Gift("ana", "q1", 30)])
    machine.settle(9, reply_is_lost=False)
    old = machine.ledger.snapshot("ana")
    machine.send([Gift("ana", "q2", 30)])
    machine.settle(9, reply_is_lost=False)
    machine.redis.flushall()
    machine.shard.restart()
    machine.reopen()
    yield
    machine.shard.load("ana", old)


def a_late_load(machine: WalletMachine) -> Iterator[None]:
    funded(machine)
    late = machine.ledger.snapshot("ana")
    machine.send([Gift("ana", "q1", 30)])
    yield
    machine.shard.load("ana", late)


def credits_out_of_order(machine: WalletMachine) -> Iterator[None]:
    funded(machine)
    machine.credit("ana", 50)
    machine.credit("ana", 1)
    machine.apply_credit("ana", 3)
    yield


def settled_told_twice(machine: WalletMachine) -> Iterator[None]:
    funded(machine)
    machine.send([Gift("ana", "q1", 30)])
    machine.send([Gift("ana", "q2", 30)])
    machine.settle(1, reply_is_lost=False)
    yield
    machine.shard.settled(1, 0, 1, {"ana": 30})


def rooms_slower_than_the_ledger(machine: WalletMachine) -> Iterator[None]:
    funded(machine)
    machine.send([Gift("ana", "q1", 30)])
    machine.send([Gift("ana", "q2", 30)])
    machine.apply(0)
    machine.settle(1, reply_is_lost=False)
    yield


def a_wallet_at_rest_too_early(machine: WalletMachine) -> Iterator[None]:
    funded(machine)
    machine.send([Gift("ana", "q1", 30)])
    machine.send([Gift("ana", "q2", 30)])
    machine.settle(1, reply_is_lost=False)
    yield
    machine.evict("ana")


def a_wallet_that_wakes_up(machine: WalletMachine) -> Iterator[None]:
    funded(machine)
    machine.send([Gift("ana", "q1", 30)])
    yield
    machine.evict("ana")


def an_epoch_that_inherits(machine: WalletMachine) -> Iterator[None]:
    funded(machine)
    older = machine.photograph()
    machine.send([Gift("ana", "q1", 30)])
    machine.settle(9, reply_is_lost=False)
    yield
    machine.come_back_older(older)


def a_retry_after_a_new_epoch(machine: WalletMachine) -> Iterator[None]:
    funded(machine)
    machine.send([Gift("ana", "q1", 30)])
    machine.settle(9, reply_is_lost=False)
    machine.redis.flushall()
    machine.shard.restart()
    machine.reopen()
    yield
    machine.load_now("ana")
    machine.send([Gift("ana", "q1", 30)])


PROTECTIONS = {
    "a request is answered once": Protection(
        "answered[request] or lately[i] or before[i]",
        "nil",
        a_retry,
    ),
    "a request is answered once within a batch": Protection(
        "answered[request] or lately[i]",
        "lately[i]",
        a_retry_in_one_batch,
    ),
    "final refusals are remembered": Protection(
        "if final then\n",
        "if string.sub(answer, 3, 3) == 'A' then\n",
        a_refusal_asked_again,
    ),
    "no wallet is overdrawn": Protection("elseif coins < cost then", "elseif false then", more_than_there_is),
    "the fence": Protection(
        "return mine ~= nil and mine.epoch == epoch and mine.number == number and mine.opening == opening",
        "return mine ~= nil",
        data_replaced_by_older_ones,
    ),
    "a snapshot is no older than what was settled": Protection(
        "or number < tonumber(held[2]) then", "then", an_old_snapshot
    ),
    "a snapshot is of the shard's epoch": Protection(
        "if held[1] ~= args[1] or number < tonumber(held[2]) then",
        "if number < tonumber(held[2]) then",
        a_snapshot_of_an_old_epoch,
    ),
    "a loaded wallet is not loaded over": Protection("if present then\n", "if false then\n", a_late_load),
    "credits are applied once and in order": Protection(
        "if number ~= wallet.credit + 1 then", "if false then", credits_out_of_order
    ),
    "settled moves from where it stands": Protection(
        "if held[1] ~= args[1] or tonumber(held[2]) ~= from then", "if held[1] ~= args[1] then", settled_told_twice
    ),
    "the log is trimmed behind the slower reader": Protection(
        "math.min(tonumber(held[2]), tonumber(held[3]))",
        "math.max(tonumber(held[2]), tonumber(held[3]))",
        rooms_slower_than_the_ledger,
    ),
    "a wallet with unsettled gifts stays": Protection(
        "if left == 0 then\n", "if true then\n", a_wallet_at_rest_too_early
    ),
    "a resting wallet that sends again stays": Protection(
        "if has_unsettled then\n",
        "if false then\n",
        a_wallet_that_wakes_up,
    ),
    "a new epoch reaches nothing of the old one": Protection(
        "return tag .. epoch .. ':w:' .. viewer", "return tag .. 'w:' .. viewer", an_epoch_that_inherits
    ),
    "a new epoch remembers what the ledger knows": Protection(
        "redis.call('HSET', answers_at, unpack(args, 5))", "", a_retry_after_a_new_epoch
    ),
}


def tell(redis: Redis, library: bytes, story: Story) -> None:
    """Runs a story, the checker looking after each part of it."""
    machine = WalletMachine()
    machine.redis, machine.library = redis, library
    machine.start()
    parts = story(machine)
    while True:
        ended = next(parts, "ended") == "ended"
        machine.numbers_have_no_gap()
        machine.every_coin_is_where_it_belongs()
        machine.no_request_is_settled_twice()
        machine.nothing_acknowledged_is_lost()
        if ended:
            return


@pytest.mark.parametrize("name", PROTECTIONS)
def test_money_goes_wrong_without(redis: Redis, name: str) -> None:
    protection = PROTECTIONS[name]
    library = LIBRARY.decode()
    assert library.count(protection.line) == 1, "this protection stands elsewhere now"
    tell(redis, LIBRARY, protection.story)
    with pytest.raises(AssertionError):
        tell(redis, library.replace(protection.line, protection.without).encode(), protection.story)


def test_a_closed_shard_is_refused_by_the_fence_alone(redis: Redis) -> None:
    """The one protection whose absence shows at once: a restarted server that serves."""
    machine = WalletMachine()
    machine.redis = redis
    machine.start()
    machine.shard.restart()
    with pytest.raises(ResponseError, match="FENCED"):
        machine.redis.fcall("gs_wallet", 1, KEY, "ana")
