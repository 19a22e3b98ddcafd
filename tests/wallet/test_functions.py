"""The wallet functions, one promise a test."""

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from server.stores.columns import column
from tests.wallet.held import change_wallet
from tests.wallet.model import KEY, LOG, Gift, Ledger, Limits, Shard, Snapshot, Told, columns


@pytest.fixture
def shard(redis: Redis) -> Shard:
    shard = Shard(redis)
    shard.begin()
    return shard


@pytest.fixture
def ana(shard: Shard) -> Shard:
    """A shard where `ana` holds 100 coins."""
    shard.load("ana", Snapshot(1, 0, 100, 1))
    return shard


def rose(request: str, cost: int = 1, **more: object) -> Gift:
    return Gift("ana", request, cost, **more)  # type: ignore[arg-type]


def test_a_gift_takes_its_price_and_is_logged_under_the_next_number(ana: Shard) -> None:
    answers = ana.send(rose("a", 30), rose("b", 20))
    assert [(answer.epoch, answer.number, answer.coins) for answer in answers] == [(1, 1, 70), (1, 2, 50)]
    assert ana.wallet("ana") == (50, 50, 1)
    assert [(row[0], row[2], row[5], row[13]) for row in ana.log()] == [(1, 70, "a", 30), (2, 50, "b", 20)]
    assert ana.redis.xrange(LOG)[0][0] == b"1-2"  # type: ignore[index]


def test_a_batch_is_one_entry_of_the_log(ana: Shard) -> None:
    ana.send(rose("a"), rose("b"), rose("c"))
    assert ana.redis.xlen(LOG) == 1


def test_a_wallet_cannot_be_overdrawn_within_a_batch(ana: Shard) -> None:
    answers = ana.send(*(rose(f"q{number}", 40) for number in range(4)))
    assert [answer.kind for answer in answers] == ["A", "A", "R", "R"]
    assert answers[3] == Told("R", "insufficient_coins", coins=20)
    assert ana.wallet("ana") == (20, 80, 1)


@pytest.mark.parametrize("same_batch", [True, False])
def test_the_same_request_gets_the_same_answer_and_is_charged_once(ana: Shard, same_batch: bool) -> None:
    again = rose("a", 99)
    answers = ana.send(rose("a", 30), again) if same_batch else ana.send(rose("a", 30)) + ana.send(again)
    assert answers[0] == answers[1]
    assert ana.wallet("ana") == (70, 30, 1)


def test_the_same_id_of_another_viewer_is_another_request(ana: Shard) -> None:
    ana.load("bob", Snapshot(1, 0, 100, 1))
    first, second = ana.send(rose("a", 30), Gift("bob", "a", 30))
    assert first != second
    assert ana.wallet("bob") == (70, 30, 1)


def test_a_final_refusal_is_given_again_even_when_the_coins_have_come(ana: Shard) -> None:
    (refused,) = ana.send(rose("a", 101))
    assert ana.credit("ana", 2, 1000) == "applied 1100"
    assert ana.send(rose("a", 101)) == [refused]
    assert ana.send(rose("b", 101))[0].coins == 999


def test_an_answered_request_keeps_its_answer_whatever_is_wrong_with_it_now(ana: Shard) -> None:
    (accepted,) = ana.send(rose("a", 30))
    assert ana.send(rose("a", 30, refusal="!room_ended")) == [accepted]
    assert ana.send(rose("a", 30, refusal="not_joined")) == [accepted]


def test_only_a_final_verdict_of_the_caller_is_remembered(ana: Shard) -> None:
    refused = ana.send(rose("a", refusal="!self_gift"), rose("b", refusal="not_joined"))
    assert refused == [Told("R", "self_gift"), Told("T", "not_joined")]
    assert ana.send(rose("a"), rose("b"))[0] == Told("R", "self_gift")
    assert ana.send(rose("b"))[0].kind == "A"


def test_a_wallet_that_is_not_loaded_is_asked_for(ana: Shard) -> None:
    assert ana.send(Gift("bob", "a", 1), rose("a")) == [Told("L"), ana.send(rose("a"))[0]]


def test_combos_run_on_per_viewer_room_and_gift(ana: Shard) -> None:
    others = rose("c", combo_key="r_2:rose"), rose("d", combo_key="")
    answers = ana.send(rose("a", count=3), rose("b", count=2), *others)
    answers += ana.send(rose("e"))
    assert [(answer.combo, answer.first) for answer in answers] == [(3, 1), (5, 1), (1, 3), (1, 4), (6, 1)]


def test_a_pause_ends_a_combo(ana: Shard) -> None:
    limits = Limits(combo_gap_us=0)
    (first,) = ana.send(rose("a"), limits=limits)
    second = first
    for number in range(200):  # until the server's clock has moved between two calls
        (second,) = ana.send(rose(f"b{number}", 0), limits=limits)
        if second.at_us != first.at_us:
            break
    assert (second.combo, second.first) == (1, second.number)


def test_combos_alternate_between_a_few_gifts(ana: Shard) -> None:
    """A viewer may keep some combos going at once; the one longest untouched gives way."""
    gifts = ["rose", "heart", "cap", "star"]
    for turn in range(2):
        answers = ana.send(*(rose(f"{turn}{gift}", combo_key=f"r_1:{gift}") for gift in gifts))
        assert [answer.combo for answer in answers] == [turn + 1] * 4
    ana.send(rose("fifth", combo_key="r_1:fifth"))
    assert ana.send(rose("again", combo_key="r_1:star"))[0].combo == 3
    assert ana.send(rose("late", combo_key="r_1:rose"))[0].combo == 1


@pytest.mark.parametrize("windows_later", [0, 1])
def test_an_answer_is_kept_for_a_whole_window_after_its_own(ana: Shard, windows_later: int) -> None:
    """The window is moved on as time would: the answer of the one before is still found, also after a reload."""
    (first,) = ana.send(rose("a", 30))
    ana.redis.hincrby(KEY, "window", windows_later)
    assert ana.send(rose("b", 1))[0].number == 2
    assert ana.send(rose("a", 30)) == [first]
    ana.settled(1, 0, 2, {"ana": 31})
    ana.evict("ana", 1)
    ana.load("ana", Snapshot(1, 2, 69, 1))
    assert ana.send(rose("a", 30)) == [first]


def test_a_viewer_who_is_too_fast_is_told_when_to_come_back_and_pays_nothing(ana: Shard) -> None:
    limits = Limits(gift_interval_us=3_600_000_000, gift_burst=2)
    answers = ana.send(rose("a"), rose("b"), rose("c"), limits=limits)
    assert [(answer.kind, answer.code) for answer in answers] == [("A", ""), ("A", ""), ("T", "rate_limited")]
    assert answers[2].retry_ms > 3_000_000
    assert ana.wallet("ana") == (98, 2, 1)
    assert ana.send(rose("c"))[0].kind == "A", "not now is no final answer"


def test_a_pace_from_the_future_is_forgotten(ana: Shard) -> None:
    """A clock that goes back must not lock viewers out for as long as it went back."""
    change_wallet(ana.redis, "{w00}:1:w:ana", tat=9 * 10**15 - 1)
    assert ana.send(rose("a"), limits=Limits(gift_interval_us=1_000_000, gift_burst=5))[0].kind == "A"


def test_the_log_takes_no_more_than_its_bound(ana: Shard) -> None:
    limits = Limits(backlog_max=3)
    answers = ana.send(*(rose(f"q{number}") for number in range(5)), limits=limits)
    assert [answer.code for answer in answers[3:]] == ["busy", "busy"]
    assert ana.wallet("ana") == (97, 3, 1)
    ana.settled(1, 0, 3, {"ana": 3})
    assert ana.send(rose("q3"), limits=limits)[0].code == "busy", "the rooms have not seen them"
    ana.applied(1, 3)
    assert ana.send(rose("q3"), limits=limits)[0].number == 4


def test_a_refusal_that_is_remembered_counts_for_the_pace(ana: Shard) -> None:
    """Each takes memory for a while: whoever is refused on purpose is no faster than whoever pays."""
    limits = Limits(gift_interval_us=60_000_000, gift_burst=2)
    answers = ana.send(*(rose(f"q{number}", refusal="!self_gift") for number in range(3)), limits=limits)
    assert [answer.code for answer in answers] == ["self_gift", "self_gift", "rate_limited"]


def test_a_blocked_wallet_and_one_in_debt_send_nothing(ana: Shard) -> None:
    ana.redis.fcall("gs_block", 1, KEY, "ana", 1)
    assert ana.send(rose("a")) == [Told("T", "wallet_blocked")]
    ana.redis.fcall("gs_block", 1, KEY, "ana", 0)
    assert ana.credit("ana", 2, -500) == "applied -400"
    assert ana.send(rose("a")) == [Told("T", "wallet_blocked")]
    ana.credit("ana", 3, 401)
    assert ana.send(rose("a"))[0].kind == "A"


@pytest.mark.parametrize("position", range(5))
@pytest.mark.parametrize("value", ["", "x", "-1", "1.5", "9007199254740993", "nan", "inf"])
def test_an_argument_that_is_not_a_number_in_range_changes_nothing(ana: Shard, position: int, value: str) -> None:
    arguments: list[object] = [*Limits().arguments(), *columns(rose("a"))]
    arguments[position] = value
    with pytest.raises(ResponseError):
        ana.redis.fcall("gs_gifts", 1, KEY, *arguments)  # type: ignore[arg-type]
    assert ana.wallet("ana") == (100, 0, 1)
    assert ana.state()["number"] == 0


def test_a_gift_that_lacks_an_argument_changes_nothing(ana: Shard) -> None:
    for place in range(1, 8):
        batch = columns(rose("a"), rose("b"))
        batch[place] = columns(rose("a"))[place]
        with pytest.raises(ResponseError, match="missing"):
            ana.redis.fcall("gs_gifts", 1, KEY, *Limits().arguments(), *batch)
    assert ana.wallet("ana") == (100, 0, 1)


@pytest.mark.parametrize("place", [4, 5])
@pytest.mark.parametrize("value", ["", "x", None, True, -1, 1.5, 2**53, float("nan"), float("inf"), {}])
def test_a_gift_whose_count_or_price_is_no_number_in_range_changes_nothing(
    ana: Shard, place: int, value: object
) -> None:
    batch = columns(rose("a"), rose("b"))
    batch[place] = column([1, value])  # type: ignore[list-item]
    with pytest.raises(ResponseError):
        ana.redis.fcall("gs_gifts", 1, KEY, *Limits().arguments(), *batch)
    assert ana.wallet("ana") == (100, 0, 1)
    assert ana.state()["number"] == 0


def test_more_gifts_than_one_call_may_have_change_nothing(ana: Shard) -> None:
    with pytest.raises(ResponseError, match="too many"):
        ana.send(*(rose(f"q{number}", 0) for number in range(1025)))
    assert ana.state()["number"] == 0
    assert len(ana.send(*(rose(f"q{number}", 0) for number in range(1024)))) == 1024


def test_credits_apply_once_and_in_order(ana: Shard) -> None:
    assert ana.credit("ana", 3, 50) == "gap 1"
    assert ana.credit("ana", 2, 50) == "applied 150"
    assert ana.credit("ana", 2, 50) == "already 150"
    assert ana.credit("bob", 1, 50) == "absent"


def test_a_snapshot_older_than_what_was_settled_is_refused(ana: Shard) -> None:
    """Otherwise coins that were spent, settled and trimmed would be handed back."""
    before = Snapshot(1, 0, 100, 1)
    ana.send(rose("a", 60))
    ana.settled(1, 0, 1, {"ana": 60})
    assert ana.evict("ana", 1)
    assert ana.load("ana", before) == "stale"
    assert ana.load("ana", Snapshot(1, 1, 40, 1)) == "loaded"
    assert ana.wallet("ana") == (40, 0, 1)


def test_a_snapshot_of_another_epoch_is_refused(ana: Shard) -> None:
    assert ana.load("bob", Snapshot(2, 5, 100, 1)) == "stale"


def test_a_loaded_wallet_is_not_loaded_over(ana: Shard) -> None:
    ana.send(rose("a", 60))
    assert ana.load("ana", Snapshot(1, 0, 100, 1)) == "present"
    assert ana.wallet("ana") == (40, 60, 1)


def test_a_wallet_leaves_only_when_nothing_of_it_is_unsettled(ana: Shard) -> None:
    assert ana.redis.ttl("{w00}:1:w:ana") > 0  # type: ignore[operator]
    ana.send(rose("a", 1), rose("b", 2))
    assert ana.redis.ttl("{w00}:1:w:ana") == -1
    ana.send(rose("c", 3))
    ana.settled(1, 0, 2, {"ana": 3})
    assert ana.redis.ttl("{w00}:1:w:ana") == -1
    ana.settled(1, 2, 3, {"ana": 3})
    assert ana.redis.ttl("{w00}:1:w:ana") > 0  # type: ignore[operator]


def test_settled_counts_once_and_only_from_where_it_stands(ana: Shard) -> None:
    ana.send(rose("a", 5), rose("b", 5))
    ana.send(rose("c", 5))
    assert ana.settled(1, 0, 2, {"ana": 10}) == "ok"
    assert ana.settled(1, 0, 2, {"ana": 10}) == "no 1 2"
    assert ana.settled(2, 2, 3, {"ana": 5}) == "no 1 2"
    assert ana.wallet("ana") == (85, 5, 1)


def test_every_remembered_answer_has_a_time_to_live(ana: Shard) -> None:
    """Also the first one after the wallet was loaded, in the middle of a window or after the answers of a window."""
    ana.send(rose("a", 30))
    ana.send(rose("b", 30, refusal="!room_ended"))
    ana.settled(1, 0, 1, {"ana": 30})
    ana.evict("ana", 1)
    ana.load("ana", Snapshot(1, 1, 70, 1))
    ana.send(rose("c", 1))
    ana.redis.hincrby(KEY, "window", 1)
    ana.send(rose("d", 1))
    remembered = list(ana.redis.scan_iter(match="*:q:*"))
    assert len(remembered) == 2
    assert all(ana.redis.ttl(key) > 0 for key in remembered)  # type: ignore[operator]


def test_the_log_is_trimmed_behind_the_slower_reader(ana: Shard) -> None:
    for request in "abc":
        ana.send(rose(request))
    ana.settled(1, 0, 3, {"ana": 3})
    assert len(ana.log()) == 3, "the rooms have not seen them"
    ana.applied(1, 2)
    assert [row[0] for row in ana.log()] == [3]
    ana.applied(1, 3)
    assert ana.log() == []


def test_a_log_that_was_read_before_the_shard_was_opened_last_is_not_trimmed(ana: Shard) -> None:
    ana.send(rose("a"))
    ana.settled(1, 0, 1, {"ana": 1})
    assert ana.applied(1, 1, opening="another") == "other"
    assert len(ana.log()) == 1
    assert ana.applied(1, 1) == "ok"
    assert ana.log() == []


@pytest.mark.parametrize("call", ["settled", "applied"])
def test_no_mark_moves_past_the_log(ana: Shard, call: str) -> None:
    with pytest.raises(ResponseError, match="past the log"):
        ana.settled(1, 0, 9, {}) if call == "settled" else ana.applied(1, 9)


@pytest.mark.parametrize("call", ["send", "load", "credit", "wallet", "settled", "applied"])
def test_a_restarted_server_serves_nothing_before_it_is_opened(ana: Shard, call: str) -> None:
    ana.send(rose("a", 10))
    ana.restart()
    calls = {
        "send": lambda: ana.send(rose("b")),
        "load": lambda: ana.load("bob", Snapshot(1, 0, 5, 0)),
        "credit": lambda: ana.credit("ana", 2, 5),
        "wallet": lambda: ana.wallet("ana"),
        "settled": lambda: ana.settled(1, 0, 1, {"ana": 10}),
        "applied": lambda: ana.applied(1, 1),
    }
    with pytest.raises(ResponseError, match="FENCED"):
        calls[call]()
    ana.open_again(1, 1)
    calls[call]()


@pytest.mark.parametrize("field", ["number", "epoch", "opening"])
def test_data_that_were_replaced_under_the_server_close_the_shard(ana: Shard, field: str) -> None:
    """A full resynchronisation leaves the process running with another server's past."""
    ana.send(rose("a"))
    ana.redis.hset(KEY, field, "7")
    with pytest.raises(ResponseError, match="FENCED"):
        ana.send(rose("b"))


def test_a_shard_is_opened_only_as_it_was_seen(ana: Shard) -> None:
    ana.send(rose("a"))
    ana.restart()
    with pytest.raises(ResponseError, match="FENCED"):
        ana.open_again(1, 0)


def test_an_epoch_is_begun_only_on_what_was_seen(ana: Shard) -> None:
    """A reset that was long on its way must not empty a shard that was opened and took gifts meanwhile."""
    seen = ana.redis.fcall("gs_state", 1, KEY)[:3]  # type: ignore[index]
    ana.send(rose("a"))
    with pytest.raises(ResponseError, match="FENCED"):
        ana.redis.fcall("gs_reset", 1, KEY, *seen, 2, 16, "late")
    assert len(ana.log()) == 1
    assert ana.send(rose("b"))[0].number == 2


def test_data_that_lack_some_of_the_answers_carry_another_opening_than_the_last(ana: Shard) -> None:
    """A replica that was promoted in between must not pass for the shard that the ledger began anew."""
    ana.reset(2, "anew")
    ana.remember(2, "ana", "one", Told("A", epoch=1, number=1))
    with pytest.raises(ResponseError, match="FENCED"):
        ana.redis.fcall("gs_remember", 1, KEY, 2, "anew", "other", 600, "ana:two", '["A",1,2,2,8,1,2,""]')
    assert ana.redis.hget(KEY, "opening") == b"anew+"


def test_a_new_epoch_knows_nothing_of_the_old_one_but_what_the_ledger_gives_back(ana: Shard) -> None:
    ledger = Ledger(balances={"ana": 100})
    lost, kept = ana.send(rose("lost", 10), rose("kept", 20))
    ledger.epoch = 2
    ana.reset(2, "anew")
    ana.remember(2, "ana", "kept", kept)
    ana.open_again(2, 0)
    assert ana.log() == []
    assert ana.send(rose("lost", 10), rose("kept", 20)) == [Told("L"), kept]
    ana.load("ana", Snapshot(2, 0, 80, 1))
    (again,) = ana.send(rose("lost", 10))
    assert (again.epoch, again.number, again.coins) == (2, 1, 70)
    assert again != lost


def test_a_full_memory_refuses_gifts_and_still_lets_settlement_free_it(ana: Shard) -> None:
    ana.send(rose("a", 10))
    ana.redis.config_set("maxmemory", 1)
    try:
        with pytest.raises(ResponseError, match=r"OOM|maxmemory"):
            ana.send(rose("b"))
        assert ana.settled(1, 0, 1, {"ana": 10}) == "ok"
        assert ana.credit("ana", 2, 5) == "applied 95"
        assert ana.load("bob", Snapshot(1, 1, 5, 0)) == "loaded"
    finally:
        ana.redis.config_set("maxmemory", 0)
