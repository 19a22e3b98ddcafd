"""Budgets and pauses, judged in the same call as the debit: a promise a test, and any order of everything at last."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from redis import Redis
from redis.exceptions import ResponseError

from server.domain.controls import Budget, Controls, Period, microseconds
from server.stores.held_controls import controls_arguments
from tests.wallet.held import HEAD_BYTES
from tests.wallet.model import KEY, LIBRARY, Gift, Ledger, Limits, Shard, Snapshot, Told
from tests.wallet.shifted import SHIFT_KEY, now_us, shifted
from tests.wallet.test_interleavings import STORIES

RICH = 10**9
DAY_S = 86_400
DAY, WEEK, MONTH = Period
Limited = dict[Period, int]


def controls_at(at_us: int, limits: Limited, *, version: int = 1, spent: Limited | None = None) -> Controls:
    """Controls with what was spent (nothing, if not given) in the periods of a moment."""
    return Controls(
        version,
        0,
        {
            period: Budget(limits.get(period), (spent or {}).get(period, 0), period.bounds_us(at_us)[1])
            for period in Period
        },
    )


def rose(request: str, cost: int = 1, **more: object) -> Gift:
    return Gift("ana", request, cost, **more)  # type: ignore[arg-type]


@pytest.fixture
def shard(redis: Redis) -> Shard:
    """A shard whose clock can be set; it stands at noon of a Wednesday in the middle of a month."""
    shard = Shard(redis, shifted())
    shard.begin()
    set_clock(redis, datetime(2031, 1, 15, 12, tzinfo=UTC))
    return shard


def set_clock(redis: Redis, moment: datetime) -> None:
    redis.set(SHIFT_KEY, 0)
    redis.set(SHIFT_KEY, (microseconds(moment) - now_us(redis)) // 1_000_000)


def load(shard: Shard, limits: Limited, coins: int = RICH) -> None:
    snapshot = Snapshot(1, int(shard.state()["settled"]), coins, 1)
    assert shard.load("ana", snapshot, controls_at(now_us(shard.redis), limits)) == "loaded"


def test_a_gift_over_a_budget_is_refused_for_now_and_says_which_and_until_when(shard: Shard) -> None:
    load(shard, {DAY: 100})
    midnight = microseconds(datetime(2031, 1, 16, tzinfo=UTC))
    accepted, refused = shard.send(rose("a", 60), rose("b", 41))
    assert accepted.kind == "A"
    assert refused == Told("T", "limit_exceeded", limit="day", until_us=midnight)
    assert shard.wallet("ana") == (RICH - 60, 60, 1)
    assert shard.send(rose("c", 40))[0].kind == "A", "a budget can be spent to the last coin"
    assert shard.send(rose("d", 0))[0].kind == "A"


def test_what_was_refused_is_judged_anew_when_the_budget_was_raised(shard: Shard) -> None:
    load(shard, {DAY: 100})
    shard.send(rose("a", 60))
    assert shard.send(rose("b", 60))[0].code == "limit_exceeded"
    shard.control("ana", 0, 0, controls_at(now_us(shard.redis), {DAY: 120}, version=2))
    assert shard.send(rose("b", 60))[0].kind == "A"


def test_of_several_budgets_the_one_that_lasts_longest_is_named(shard: Shard) -> None:
    load(shard, {DAY: 10, WEEK: 10, MONTH: 100})
    (refused,) = shard.send(rose("a", 11))
    assert (refused.limit, refused.until_us) == ("week", microseconds(datetime(2031, 1, 20, tzinfo=UTC)))


def test_an_answered_request_keeps_its_answer_whatever_the_budgets_say_now(shard: Shard) -> None:
    load(shard, {DAY: 10})
    (first,) = shard.send(rose("a", 9))
    assert shard.send(rose("a", 9)) == [first]


def test_a_gift_that_is_refused_for_another_reason_spends_nothing_of_a_budget(shard: Shard) -> None:
    load(shard, {DAY: 100}, coins=50)
    answers = shard.send(rose("a", 60), rose("b", 60, refusal="!room_ended"), rose("c", 60, refusal="not_joined"))
    assert [answer.code for answer in answers] == ["insufficient_coins", "room_ended", "not_joined"]
    assert shard.send(rose("d"), limits=Limits(backlog_max=1, gift_interval_us=10**12))[0].kind == "A"
    assert shard.send(rose("e"), limits=Limits(backlog_max=1))[0].code == "busy"
    held = shard.controls("ana")
    assert held is not None
    assert {budget.spent for budget in held.budgets.values()} == {1}


def test_the_gift_that_brings_a_budget_near_its_limit_says_so_once(shard: Shard) -> None:
    load(shard, {DAY: 100, WEEK: 125, MONTH: 1000})
    answers = shard.send(rose("a", 79), rose("b", 1), rose("c", 10), rose("d", 10))
    assert [answer.near for answer in answers] == [(), ("day",), (), ("week",)]
    assert shard.send(rose("b", 1)) == [answers[1]]


def test_a_pause_refuses_everything_until_it_is_over(shard: Shard) -> None:
    tomorrow = microseconds(datetime(2031, 1, 16, 12, tzinfo=UTC))
    load(shard, {})
    paused = Controls(2, tomorrow, controls_at(now_us(shard.redis), {}).budgets)
    assert shard.control("ana", 0, 0, paused) == "ok"
    assert shard.send(rose("a")) == [Told("T", "wallet_blocked", limit=None, until_us=tomorrow)]
    set_clock(shard.redis, datetime(2031, 1, 16, 12, 0, 1, tzinfo=UTC))
    assert shard.send(rose("a"))[0].kind == "A"


@pytest.mark.parametrize(
    ("last_us", "period"),
    [
        (datetime(2031, 1, 15, 23, 59, tzinfo=UTC), DAY),
        (datetime(2031, 1, 19, 23, 59, tzinfo=UTC), WEEK),
        (datetime(2032, 2, 29, 23, 59, tzinfo=UTC), MONTH),
        (datetime(2031, 12, 31, 23, 59, tzinfo=UTC), MONTH),
    ],
)
def test_a_budget_begins_anew_with_its_period_and_not_before(shard: Shard, last_us: datetime, period: Period) -> None:
    set_clock(shard.redis, last_us)
    load(shard, {period: 10})
    assert [answer.kind for answer in shard.send(rose("a", 10), rose("b", 1))] == ["A", "T"]
    set_clock(shard.redis, last_us + timedelta(minutes=1, seconds=2))
    assert [answer.kind for answer in shard.send(rose("b", 10), rose("c", 1))] == ["A", "T"]


def test_controls_stay_with_a_wallet_through_whatever_else_happens_to_it(shard: Shard) -> None:
    load(shard, {DAY: 100})
    shard.send(rose("a", 10), rose("b", 10, combo_key="r_2:rose"), rose("c", 10, combo_key=""))
    shard.credit("ana", 2, 5)
    shard.redis.fcall("gs_block", 1, KEY, "ana", 1)
    assert shard.send(rose("d"))[0].code == "wallet_blocked"
    shard.redis.fcall("gs_block", 1, KEY, "ana", 0)
    shard.settled(1, 0, 2, {"ana": 20})
    (answer,) = shard.send(rose("d", 10))
    assert (answer.kind, answer.combo) == ("A", 2), "its combos stay too"
    held = shard.controls("ana")
    assert held is not None
    assert held.budgets[DAY] == Budget(100, 40, DAY.bounds_us(now_us(shard.redis))[1])
    assert shard.wallet("ana") == (RICH + 5 - 40, 20, 2)


def test_a_wallet_without_controls_takes_no_room_for_them(shard: Shard) -> None:
    shard.load("ana", Snapshot(1, 0, 5, 1))
    assert len(shard.redis.get("{w00}:1:w:ana")) == HEAD_BYTES  # type: ignore[arg-type]
    assert shard.controls("ana") is None


def test_a_wallet_takes_over_what_was_spent_only_if_nothing_was_since(shard: Shard) -> None:
    shard.load("ana", Snapshot(1, 0, RICH, 1))
    shard.send(rose("a", 10))
    made_up = controls_at(now_us(shard.redis), {DAY: 15}, spent={DAY: 10})
    shard.send(rose("b", 5))
    assert shard.control("ana", RICH - 10, 1, made_up) == "changed"
    assert shard.controls("ana") is None
    assert shard.control("ana", RICH - 15, 1, made_up) == "ok"


def test_controls_for_periods_that_do_not_run_are_refused(shard: Shard) -> None:
    """What was spent in the running ones is not known then: yesterday's would be forgotten, or today's."""
    shard.load("ana", Snapshot(1, 0, RICH, 1))
    for moment in (datetime(2031, 1, 14, 23, tzinfo=UTC), datetime(2031, 1, 16, 1, tzinfo=UTC)):
        other = controls_at(microseconds(moment), {DAY: 15})
        assert shard.control("ana", RICH, 1, other) == "another_time"
        assert shard.load("bob", Snapshot(1, 0, RICH, 1), other) == "another_time"
    assert shard.controls("ana") is None
    assert shard.wallet("bob") is None


def test_an_older_version_of_controls_changes_nothing(shard: Shard) -> None:
    load(shard, {DAY: 10})
    now = now_us(shard.redis)
    assert shard.control("ana", 0, 0, controls_at(now, {DAY: 5}, version=3)) == "ok"
    assert shard.control("ana", 0, 0, controls_at(now, {DAY: 1000}, version=2)) == "already"
    assert shard.send(rose("a", 6))[0].code == "limit_exceeded"
    assert shard.control("bob", 0, 0, controls_at(now, {DAY: 5})) == "absent"


@pytest.mark.parametrize("place", range(3, 14))
@pytest.mark.parametrize("value", ["", "x", "-2", "1.5", "9007199254740993"])
def test_an_argument_that_is_no_number_in_range_changes_nothing(shard: Shard, place: int, value: str) -> None:
    shard.load("ana", Snapshot(1, 0, RICH, 1))
    arguments = ["ana", RICH, 1, *controls_arguments(controls_at(now_us(shard.redis), {DAY: 5}))]
    arguments[place] = value
    with pytest.raises(ResponseError):
        shard.redis.fcall("gs_controls", 1, KEY, *arguments)  # type: ignore[arg-type]
    assert shard.controls("ana") is None


@given(day=st.integers(0, 60_000))
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_both_calendars_agree(shard: Shard, day: int) -> None:
    """The functions reckon when periods end, Python when they began."""
    moment = datetime(1970, 1, 2, 12, tzinfo=UTC) + timedelta(days=day)
    set_clock(shard.redis, moment)
    shard.redis.delete("{w00}:1:w:ana")
    load(shard, {})


class ControlledMachine(RuleBasedStateMachine):
    """One viewer, a ledger of plain dictionaries, and a sum over all gifts that were ever accepted."""

    redis: Redis
    library = shifted()

    @initialize()
    def start(self) -> None:
        self.redis.flushall()
        self.shard = Shard(self.redis, self.library)
        self.shard.begin()
        set_clock(self.redis, datetime(2031, 1, 30, 18, tzinfo=UTC))
        self.ledger = Ledger(balances={"ana": RICH}, credits={"ana": [RICH]})
        self.version, self.limits = 0, Limited()
        self.debits: list[tuple[int, int]] = []
        self.returns: dict[int, tuple[int, int]] = {}
        """By the number of the credit: when the coins were spent that it brings back, and how many."""
        self.in_force: Limited = {}
        self.requests = 0
        self.load()

    def spent(self, period: Period, at_us: int) -> int:
        """What came back does not count from the moment on that the wallet has it."""
        begins, ends = period.bounds_us(at_us)
        held = self.shard.wallet("ana")
        back = [debit for number, debit in self.returns.items() if held and number <= held[2]]
        return sum(coins for when, coins in self.debits if begins <= when < ends) - sum(
            coins for when, coins in back if begins <= when < ends
        )

    def made_up(self) -> tuple[Snapshot, Controls | None]:
        """A snapshot of the ledger: what is settled, and nothing else."""
        at_us, controls = now_us(self.redis), None
        if self.version:
            settled = [(int(str(row[1])), int(str(row[13]))) for _, row in self.ledger.settled]
            back = [(when, -coins) for when, coins in self.returns.values()]
            controls = controls_at(at_us, self.limits, version=self.version).counting(settled + back)
        return self.ledger.snapshot("ana"), controls

    @rule(costs=st.lists(st.sampled_from([0, 1, 3, 10, 40, 90]), min_size=1, max_size=4))
    def send(self, costs: list[int]) -> None:
        gifts = [rose(f"q{self.requests + n}", cost) for n, cost in enumerate(costs)]
        self.requests += len(gifts)
        for gift, answer in zip(gifts, self.shard.send(*gifts), strict=True):
            at_us = answer.at_us or now_us(self.redis)
            over = [
                period
                for period, limit in self.in_force.items()
                if gift.cost and self.spent(period, at_us) + gift.cost > limit
            ]
            if answer.kind == "A":
                assert not over, "a budget was overspent"
                near = [
                    period
                    for period, limit in self.in_force.items()
                    if gift.cost and self.spent(period, at_us) < 0.8 * limit <= self.spent(period, at_us) + gift.cost
                ]
                assert sorted(answer.near) == sorted(near)
                self.debits.append((at_us, gift.cost))
            elif answer.kind == "T":
                assert answer.limit in over, "a budget was not spent"
            else:
                assert answer.kind == "L"

    @rule(
        limits=st.dictionaries(st.sampled_from(list(Period)), st.sampled_from([0, 5, 30, 100, 300])),
        meanwhile=st.lists(st.sampled_from([3, 10]), max_size=2),
        tell=st.booleans(),
    )
    def change(self, limits: Limited, meanwhile: list[int], tell: bool) -> None:
        """meanwhile: gifts between what is made up and its arrival."""
        self.version, self.limits = self.version + 1, limits
        if tell:
            self.tell(meanwhile)

    @rule(meanwhile=st.lists(st.sampled_from([3, 10]), max_size=2))
    def tell(self, meanwhile: list[int]) -> None:
        """As `Wallets.refresh` does."""
        held = self.shard.wallet("ana")
        if held is None or not self.version:
            return
        waiting = self.shard.log()
        snapshot, controls = self.made_up()
        assert controls is not None
        if snapshot.credit != held[2]:
            return
        past = [(int(str(row[1])), int(str(row[13]))) for row in waiting if int(str(row[0])) > snapshot.number]
        controls = controls.counting(past)
        limits = dict(self.limits)
        if meanwhile:
            self.send(meanwhile)
        if self.shard.control("ana", held[0], held[2], controls) == "ok":
            self.in_force = limits

    @rule()
    def load(self) -> None:
        snapshot, controls = self.made_up()
        if self.shard.load("ana", snapshot, controls) == "loaded":
            self.in_force = dict(self.limits) if controls else {}

    @rule(most=st.integers(1, 9), told=st.booleans())
    def settle(self, most: int, told: bool) -> None:
        unsettled = [row for row in self.shard.log() if int(str(row[0])) > self.ledger.number]
        for record in unsettled[:most]:
            self.ledger.settle(record)
        if told:
            mark = self.shard.state()["settled"]
            rows = [row for row in self.shard.log() if mark < int(str(row[0])) <= self.ledger.number]
            coins = sum(int(str(row[13])) for row in rows)
            self.shard.settled(1, mark, self.ledger.number, {"ana": coins} if coins else {})
            self.shard.applied(1, self.shard.state()["number"])

    @rule(which=st.integers(0, 9))
    def comes_back(self, which: int) -> None:
        """What a ticket does whose room is cancelled: a credit of coins that were spent then."""
        rows = [(int(str(row[1])), int(str(row[13]))) for _, row in self.ledger.settled]
        left = [debit for debit in rows if debit[1] and rows.count(debit) > list(self.returns.values()).count(debit)]
        if left:
            debit = left[which % len(left)]
            self.returns[self.ledger.credit("ana", debit[1])] = debit

    @rule()
    def apply_credits(self) -> None:
        held = self.shard.wallet("ana")
        for number in range(held[2] + 1, len(self.ledger.credits["ana"]) + 1) if held else ():
            spent_at_us, coins = self.returns[number]
            assert self.shard.credit("ana", number, coins, spent_at_us).startswith("applied")

    @rule()
    def evict_and_load(self) -> None:
        self.shard.evict("ana", 1)
        self.load()

    @rule(hours=st.sampled_from([1, 7, 30, 200]))
    def time_passes(self, hours: int) -> None:
        self.redis.incrby(SHIFT_KEY, hours * 3600)

    @invariant()
    def what_is_counted_is_what_was_spent(self) -> None:
        held = self.shard.controls("ana")
        if held is not None:
            at_us = now_us(self.redis)
            counted = {period: budget.spent for period, budget in held.budgets.items()}
            assert counted == {period: self.spent(period, at_us) for period in Period}


def test_no_order_of_anything_spends_more_than_a_budget(redis: Redis) -> None:
    ControlledMachine.redis = redis
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        ControlledMachine,
        settings=STORIES,
    )


def more_than_a_budget(machine: ControlledMachine) -> None:
    machine.change({DAY: 100}, [], tell=True)
    machine.send([90, 40])


def a_gift_while_controls_are_made_up(machine: ControlledMachine) -> None:
    machine.change({DAY: 100}, [10, 10], tell=True)
    machine.send([90])


def a_change_of_a_spent_budget(machine: ControlledMachine) -> None:
    machine.change({DAY: 100}, [], tell=True)
    machine.send([90])
    machine.settle(9, told=False)
    machine.ledger.settled.clear()
    machine.change({DAY: 100}, [], tell=True)


def a_change_that_comes_late(machine: ControlledMachine) -> None:
    machine.change({DAY: 300}, [], tell=True)
    late = machine.made_up()[1]
    assert late is not None
    machine.change({DAY: 30}, [], tell=True)
    machine.shard.control("ana", 0, 0, late)
    machine.send([40])


def a_return_of_yesterday(machine: ControlledMachine) -> None:
    machine.change({WEEK: 300}, [], tell=True)
    machine.send([40])
    machine.settle(9, told=True)
    machine.time_passes(7)
    machine.send([90])
    machine.comes_back(0)
    machine.apply_credits()


def a_snapshot_of_yesterday(machine: ControlledMachine) -> None:
    machine.change({DAY: 100}, [], tell=True)
    snapshot, yesterday = machine.made_up()
    machine.time_passes(7)
    machine.send([90])
    machine.settle(9, told=True)
    machine.shard.evict("ana", 1)
    assert yesterday is not None
    snapshot = machine.ledger.snapshot("ana")
    machine.shard.load("ana", snapshot, yesterday)
    machine.what_is_counted_is_what_was_spent()


PROTECTIONS: dict[str, tuple[str, str, Callable[[ControlledMachine], None]]] = {
    "no budget is overspent": ("if spent + cost > limit then over = period end", "", more_than_a_budget),
    "what was spent is taken over if nothing was since": (
        "elseif text(wallet.coins) ~= args[2] or text(wallet.credit) ~= args[3] then",
        "elseif false then",
        a_gift_while_controls_are_made_up,
    ),
    "a wallet keeps what it has counted": (
        "for period = 1, #PERIODS do new[3 * period + 1] = held[3 * period + 1] end",
        "",
        a_change_of_a_spent_budget,
    ),
    "only a newer version counts": ("if new[1] <= held[1] then return 'already' end", "", a_change_that_comes_late),
    "what comes back does not count": (
        "if spent_at and wallet.controlled then unspend(wallet, amount, spent_at, now_us()) end",
        "",
        a_return_of_yesterday,
    ),
    "what comes back counts in the periods that it was spent in": (
        "if period_end(period, spent_at) == controls[ends] then controls[spent]",
        "do controls[spent]",
        a_return_of_yesterday,
    ),
    "what was spent is of the periods that run": (
        "if ends ~= period_end(period, now) then return nil end",
        "",
        a_snapshot_of_yesterday,
    ),
}


@pytest.mark.parametrize("name", PROTECTIONS)
def test_budgets_are_overspent_without(redis: Redis, name: str) -> None:
    line, without, story = PROTECTIONS[name]
    assert LIBRARY.decode().count(line) == 1, "this protection stands elsewhere now"
    tell_story(redis, shifted(), story)
    with pytest.raises(AssertionError):
        tell_story(redis, shifted().replace(line.encode(), without.encode()), story)


def tell_story(redis: Redis, library: bytes, story: Callable[[ControlledMachine], None]) -> None:
    machine = ControlledMachine()
    machine.redis, machine.library = redis, library
    machine.start()
    story(machine)
    machine.what_is_counted_is_what_was_spent()
