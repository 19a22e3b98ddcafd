"""Any interleaving of sends, retries, credits, loads, settlements, restarts and older data keeps every coin."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from redis import Redis
from redis.exceptions import ResponseError

from tests.wallet.model import LIBRARY, Gift, Ledger, Shard, Snapshot, Told

VIEWERS = ("ana", "bob", "cy")
gifts = st.builds(
    Gift,
    viewer=st.sampled_from(VIEWERS),
    request=st.sampled_from([f"q{number}" for number in range(12)]),
    cost=st.sampled_from([0, 1, 7, 30, 99, 1000]),
    combo_key=st.sampled_from(["", "r_1:rose"]),
    count=st.integers(1, 3),
    refusal=st.sampled_from(["", "", "", "", "!room_ended", "not_joined"]),
)
viewers = st.sampled_from(VIEWERS)


STORIES = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
"""How many orders of things a machine goes through, and how long they are."""


class WalletMachine(RuleBasedStateMachine):
    """The functions on a real server, beside a ledger of plain dictionaries."""

    redis: Redis
    library = LIBRARY
    snapshots = Bundle("snapshots")
    photographs = Bundle("photographs")

    @initialize()
    def start(self) -> None:
        self.redis.flushall()
        self.shard = Shard(self.redis, self.library)
        self.shard.begin()
        self.ledger = Ledger()
        self.answers: dict[tuple[str, str], Told] = {}

    # What clients do.

    @rule(batch=st.lists(gifts, min_size=1, max_size=6))
    def send(self, batch: list[Gift]) -> None:
        for gift, answer in zip(batch, self.shard.send(*batch), strict=True):
            known = self.answers.get((gift.viewer, gift.request))
            if known is not None:
                assert answer == known, "a request was answered twice, and differently"
            elif answer.kind in "AR":
                assert answer.kind == "R" or (answer.coins or 0) >= 0, "a wallet was overdrawn"
                self.answers[gift.viewer, gift.request] = answer

    # What the ledger does.

    @rule(viewer=viewers, amount=st.sampled_from([1, 50, 500, -20]))
    def credit(self, viewer: str, amount: int) -> None:
        self.ledger.credit(viewer, amount)

    @rule(viewer=viewers, number=st.integers(1, 6))
    def apply_credit(self, viewer: str, number: int) -> None:
        booked = self.ledger.credits.get(viewer, [])
        if number <= len(booked):
            self.shard.credit(viewer, number, booked[number - 1])

    @rule(target=snapshots, viewer=viewers)
    def read_snapshot(self, viewer: str) -> tuple[str, Snapshot]:
        return viewer, self.ledger.snapshot(viewer)

    @rule(snapshot=snapshots)
    def load(self, snapshot: tuple[str, Snapshot]) -> None:
        self.shard.load(*snapshot)

    @rule(viewer=viewers)
    def load_now(self, viewer: str) -> None:
        self.shard.load(viewer, self.ledger.snapshot(viewer))

    @rule(most=st.integers(1, 9), reply_is_lost=st.booleans())
    def settle(self, most: int, reply_is_lost: bool) -> None:
        for record in self.unsettled()[:most]:
            self.ledger.settle(record)
        if not reply_is_lost:
            self.tell_settled()

    @rule()
    def tell_settled(self) -> None:
        held = self.shard.state()
        taken: dict[str, int] = {}
        for record in self.shard.log():
            if held["settled"] < int(str(record[0])) <= self.ledger.number:
                taken[str(record[6])] = taken.get(str(record[6]), 0) + int(str(record[13]))
        for _ in range(2):  # a lost reply is told again
            self.shard.settled(self.ledger.epoch, held["settled"], self.ledger.number, taken)

    @rule(behind=st.integers(0, 3))
    def apply(self, behind: int) -> None:
        self.shard.applied(self.ledger.epoch, max(0, self.shard.state()["number"] - behind))

    # What happens to the server.

    @rule(viewer=viewers)
    def evict(self, viewer: str) -> None:
        self.shard.evict(viewer, self.ledger.epoch)

    @rule()
    def restart(self) -> None:
        self.shard.restart()
        with pytest.raises(ResponseError, match="FENCED"):
            self.shard.send(Gift("ana", "fenced", 1))
        self.reopen()

    @rule(target=photographs)
    def photograph(self) -> dict[bytes, bytes]:
        return {key: self.redis.dump(key) for key in self.redis.scan_iter()}  # type: ignore[union-attr, misc]

    @rule(photograph=photographs)
    def come_back_older(self, photograph: dict[bytes, bytes]) -> None:
        self.redis.flushdb()
        for key, value in photograph.items():
            self.redis.restore(key, 0, value)
        self.restart()

    def reopen(self) -> None:
        """The rule of opening.py: behind the cursor or of another epoch, the ledger is right."""
        held = self.shard.state()
        if (held["epoch"], 1) != (self.ledger.epoch, 1) or held["number"] < self.ledger.number:
            epoch = max(held["epoch"], self.ledger.epoch) + 1
            self.shard.reset(epoch, f"anew{epoch}")
            self.ledger.epoch, self.ledger.number = epoch, 0
            self.answers = {}
            for gift_epoch, row in self.ledger.settled:
                number, at_us, coins, combo, first = map(int, map(str, row[:5]))
                answer = Told("A", "", gift_epoch, number, at_us, coins, combo, first)
                self.answers[str(row[6]), str(row[5])] = answer
                self.shard.remember(epoch, str(row[6]), str(row[5]), answer)
            held = self.shard.state()
        else:
            # What was lost with the older data was never settled: its requests are new again.
            present = {(str(row[6]), str(row[5])) for row in self.shard.log()}
            settled = {(str(row[6]), str(row[5])) for _, row in self.ledger.settled}
            for request, answer in list(self.answers.items()):
                if answer.kind == "R" or request not in present | settled:
                    del self.answers[request]
        self.shard.open_again(held["epoch"], held["number"])

    # What must hold at every moment.

    def unsettled(self) -> list[list[object]]:
        return [row for row in self.shard.log() if int(str(row[0])) > self.ledger.number]

    @invariant()
    def numbers_have_no_gap(self) -> None:
        numbers = [row[0] for row in self.unsettled()]
        last = self.shard.state()["number"]
        assert numbers == list(range(self.ledger.number + 1, last + 1))

    @invariant()
    def every_coin_is_where_it_belongs(self) -> None:
        settled_mark = self.shard.state()["settled"]
        rows = [(int(str(row[0])), str(row[6]), int(str(row[13]))) for row in self.shard.log()]
        for viewer in VIEWERS:
            held = self.shard.wallet(viewer)
            unsettled = sum(coins for number, who, coins in rows if who == viewer and number > self.ledger.number)
            pending = sum(coins for number, who, coins in rows if who == viewer and number > settled_mark)
            if held is None:
                assert unsettled == 0, "a wallet left with gifts that are not settled"
                continue
            coins, held_pending, credit = held
            missing = sum(self.ledger.credits.get(viewer, [])[credit:])
            assert coins == self.ledger.balances.get(viewer, 0) - unsettled - missing
            assert held_pending == pending

    @invariant()
    def nothing_acknowledged_is_lost(self) -> None:
        epoch = self.shard.state()["epoch"]
        kept = {(epoch, row[0], row[6], row[5]) for row in self.unsettled()}
        kept |= {(settled_in, row[0], row[6], row[5]) for settled_in, row in self.ledger.settled}
        for (viewer, request), answer in self.answers.items():
            if answer.kind == "A":
                assert (answer.epoch, answer.number, viewer, request) in kept

    @invariant()
    def no_request_is_settled_twice(self) -> None:
        requests = [(row[6], row[5]) for _, row in self.ledger.settled]
        assert len(requests) == len(set(requests))


def test_any_interleaving_keeps_every_coin(redis: Redis) -> None:
    WalletMachine.redis = redis
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        WalletMachine,
        settings=STORIES,
    )
