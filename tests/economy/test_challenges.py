"""Challenges, contests and events: each settled gift counts once, each reward is given once, no end is too early."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.challenge import Challenge, Given, count_up
from server.domain.errors import Code, Refusal
from server.economy.earning import duty as duty_module
from server.economy.earning.duty import EarningDuty
from server.economy.earning.trial import try_challenge
from server.ledger.auditing.rewards import check_rewards
from server.ledger.earning import challenges, progress
from server.settings import Settings
from server.web import watching
from tests.economy.duties import duty_on
from tests.economy.earning import HOUR, NOW, challenge, contest, make
from tests.ledger.stage import Stage, StageRoom, stage_on
from tests.web.conftest import StartGateway

MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
async def stage(settings: Settings) -> AsyncIterator[Stage]:
    """Two rooms of two creators, and viewers with coins."""
    async with stage_on(replace(settings, gifts_per_second=1_000_000, gifts_burst=1_000_000)) as stage:
        await stage.room()
        await stage.room("r_2", "other")
        for viewer in ("ann", "bob", "cid", "dan"):
            await stage.viewer(viewer, 10_000)
        yield stage


@pytest.fixture
async def duties(settings: Settings, stage: Stage) -> AsyncIterator[list[EarningDuty]]:
    """Three workers."""
    async with (
        duty_on(settings, stage.pool) as one,
        duty_on(settings, stage.pool) as two,
        duty_on(settings, stage.pool) as three,
    ):
        yield [one, two, three]


OTHER_ROOM = StageRoom("r_2", "other")


async def work(duties: list[EarningDuty]) -> None:
    """All workers at once, and often enough to come to the end."""
    for _ in range(2):
        await asyncio.gather(*(duty.work() for duty in duties))


async def outcomes(stage: Stage, challenge_id: str) -> dict[str, tuple[int, str | None]]:
    rows = await stage.pool.fetch(
        "SELECT user_id, amount, outcome FROM challenge_progress WHERE challenge_id = $1", challenge_id
    )
    return {row["user_id"]: (row["amount"], row["outcome"]) for row in rows}


async def rewards(stage: Stage) -> list[tuple[str, str, int]]:
    rows = await stage.pool.fetch("SELECT source, user_id, coins FROM rewards ORDER BY source, reference")
    return [tuple(row) for row in rows]


async def is_over(stage: Stage, challenge_id: str) -> None:
    """Makes now the end of a challenge."""
    now = datetime.now(UTC)
    await stage.execute(
        "UPDATE challenges SET starts_at = $2, ends_at = $3 WHERE id = $1", challenge_id, now - HOUR, now
    )


async def all_is_well(stage: Stage) -> None:
    report = await stage.audit()
    assert report.ok, report.render()


gifts = st.builds(
    Given,
    st.sampled_from(["ann", "bob"]),
    st.sampled_from(["cara", "dora"]),
    st.sampled_from(["r1", "r2"]),
    st.sampled_from(["rose", "lion"]),
    st.integers(1, 99),
    st.integers(1, 9_999),
    st.integers(-3, 3).map(lambda off: challenge().starts_us + off)
    | st.integers(-3, 3).map(lambda off: challenge().ends_us + off),
    st.booleans(),
)


@given(st.lists(gifts, max_size=20))
def test_what_counts_is_what_is_in_the_window_of_its_start_and_before_its_end(found: list[Given]):
    terms = [
        challenge(id="gifts"),
        challenge(id="coins", metric="coins", side="creator"),
        challenge(id="lions", gift_ids=frozenset({"lion"})),
        challenge(id="rooms", metric="rooms_gifted"),
        challenge(id="watched", metric="rooms_watched"),
    ]
    gains = count_up(terms, found)
    in_time = [gift for gift in found if terms[0].starts_us <= gift.at_us < terms[0].ends_us]
    within = [gift for gift in in_time if gift.is_gift]
    for user in ("ann", "bob", "cara", "dora"):
        mine = [gift for gift in within if gift.viewer == user]
        assert gains.amounts.get(("gifts", user), [0])[0] == sum(gift.pieces for gift in mine)
        lions = sum(gift.pieces for gift in in_time if (gift.viewer, gift.gift) == (user, "lion"))
        assert gains.amounts.get(("lions", user), [0])[0] == lions
        earned = sum(gift.coins for gift in within if gift.creator == user)
        assert gains.amounts.get(("coins", user), [0])[0] == earned
        rooms = {room for name, viewer, room in gains.rooms if (name, viewer) == ("rooms", user)}
        assert rooms == {gift.room for gift in mine}
    assert not any(name == "watched" for name, _ in gains.amounts)


async def test_who_reaches_the_goal_is_rewarded_once_however_many_workers_there_are(
    stage: Stage, duties: list[EarningDuty]
) -> None:
    await make(stage.pool, challenge(), challenge(id="coins", metric="coins", goal=20, reward_coins=3))
    await stage.give("ann", times=9)
    await stage.give("bob", count=25)
    await stage.settle()
    await work(duties)
    assert await rewards(stage) == [("challenge", "bob", 3), ("challenge", "bob", 7)]
    await stage.give("ann")
    await stage.settle()
    await work(duties)
    assert await outcomes(stage, "roses") == {"ann": (10, "rewarded"), "bob": (25, "rewarded")}
    assert len(await rewards(stage)) == 3
    assert (await stage.wallets.balance("ann")).coins == 10_000 - 10 + 7
    await all_is_well(stage)


async def test_a_challenge_made_after_its_start_counts_the_gifts_settled_before_and_what_else_it_names(
    stage: Stage, duties: list[EarningDuty], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "GIFTS_AT_ONCE_MAX", 3)
    await stage.give("ann", times=8)
    await stage.give("ann", times=2, room=OTHER_ROOM)
    await stage.give("bob", "finger_heart")
    await stage.settle()
    await work(duties)  # counts them into nothing
    await stage.execute("UPDATE catalogue SET kind = 'sticker' WHERE gift_id = 'finger_heart'")
    await make(
        stage.pool,
        challenge(goal=12),
        challenge(id="rooms", metric="rooms_gifted", goal=2),
        challenge(id="creators", side="creator", goal=11),
        challenge(id="hearts", gift_ids=frozenset({"finger_heart"}), goal=1),
    )
    await stage.give("ann", times=4, room=OTHER_ROOM)
    await stage.give("cid", "finger_heart")
    await asyncio.gather(*(duty.work() for duty in duties), stage.settle())
    await stage.settle()
    await work(duties)
    assert await outcomes(stage, "roses") == {"ann": (14, "rewarded")}
    assert await outcomes(stage, "rooms") == {"ann": (2, "rewarded")}
    assert await outcomes(stage, "creators") == {"creator": (8, None), "other": (6, None)}
    assert await outcomes(stage, "hearts") == {"bob": (1, "rewarded"), "cid": (1, "rewarded")}
    async with stage.pool.acquire() as conn:  # the other checks miss what a real sticker brings along
        assert all(check.ok for check in await check_rewards(conn))


async def test_there_are_no_more_winners_than_rewards(stage: Stage, duties: list[EarningDuty]) -> None:
    await make(stage.pool, challenge(goal=1, winners_max=2))
    await asyncio.gather(*(stage.give(viewer) for viewer in ("ann", "bob", "cid", "dan")))
    await stage.settle()
    await work(duties)
    assert sorted(outcome for _, outcome in (await outcomes(stage, "roses")).values()) == [
        "rewarded",
        "rewarded",
        "too_late",
        "too_late",
    ]
    assert len(await rewards(stage)) == 2
    await all_is_well(stage)


async def test_whose_wallet_is_blocked_gets_nothing(stage: Stage, duties: list[EarningDuty]) -> None:
    await make(stage.pool, challenge(goal=1))
    await stage.give("ann")
    await stage.settle()
    await stage.wallets.block("ann", True)
    await work(duties)
    assert await outcomes(stage, "roses") == {"ann": (1, "blocked")}
    assert await rewards(stage) == []


async def test_a_contest_ends_when_the_last_gift_of_its_time_is_settled_and_pays_each_place_once(
    stage: Stage, duties: list[EarningDuty], monkeypatch: pytest.MonkeyPatch
) -> None:
    await make(stage.pool, contest(100, 50, least=2, id="week"))
    await stage.give("ann", count=5)
    await stage.give("bob", count=5)
    await stage.give("cid", count=1)
    await stage.settle()
    await stage.give("dan", count=9)  # accepted in time, and settled late
    await is_over(stage, "week")
    monkeypatch.setattr(duty_module, "CLOCK_SLACK_S", 0.0)
    await work(duties)
    assert await stage.pool.fetchval("SELECT state FROM challenge_states") == "closing"
    assert await rewards(stage) == []
    await stage.settle()
    await work(duties)
    await work(duties)
    assert await stage.pool.fetchval("SELECT state FROM challenge_states") == "ended"
    assert await rewards(stage) == [("contest", "dan", 100), ("contest", "ann", 50)]  # of equals, the earlier one
    async with stage.pool.acquire() as conn:
        first, second = await challenges.ranking(conn, contest(100, 50, id="week"), 10)
        (seen,) = await challenges.standings(conn, "bob", NOW)
    assert [(one.place, one.user_id, one.amount, one.coins) for one in (first, second)] == [
        (1, "dan", 9, 100),
        (2, "ann", 5, 50),
    ]
    assert (seen.state, seen.amount, seen.place) == ("ended", 5, 3)
    await all_is_well(stage)


async def test_an_event_rewards_all_who_took_part_once_everybody_together_reached_the_goal(
    stage: Stage, duties: list[EarningDuty]
) -> None:
    await make(stage.pool, challenge(id="together", kind="event", goal=20, least=5))
    await stage.give("ann", count=10)
    await stage.give("bob", count=4)
    await stage.settle()
    await work(duties)
    assert await rewards(stage) == []
    await stage.give("cid", count=6)
    await stage.settle()
    await work(duties)
    assert await rewards(stage) == [("event", "ann", 7), ("event", "cid", 7)]
    await stage.give("bob", count=1)
    await stage.settle()
    await work(duties)
    assert await outcomes(stage, "together") == {
        "ann": (10, "rewarded"),
        "bob": (5, "rewarded"),
        "cid": (6, "rewarded"),
    }
    await all_is_well(stage)


async def test_what_is_called_off_gives_nothing_more(stage: Stage, duties: list[EarningDuty]) -> None:
    await make(stage.pool, challenge(goal=1))
    await stage.give("ann")
    await stage.settle()
    await work(duties)
    await stage.give("bob")
    await stage.settle()
    async with stage.pool.acquire() as conn:
        await challenges.cancel(conn, "roses", "ada")
    await work(duties)
    assert await rewards(stage) == [("challenge", "ann", 7)]
    with pytest.raises(Refusal) as refused:
        async with stage.pool.acquire() as conn:
            await challenges.cancel(conn, "roses", "ada")
    assert refused.value.code is Code.CONFLICT


async def test_where_one_has_to_opt_in_only_who_did_is_ranked_and_rewarded_for_all_of_it(
    stage: Stage, duties: list[EarningDuty], monkeypatch: pytest.MonkeyPatch
) -> None:
    await make(stage.pool, challenge(opt_in=True), contest(100, 50, id="week", opt_in=True))
    await stage.give("ann", count=12)
    await stage.give("bob", count=20)
    await stage.settle()
    await work(duties)
    assert await rewards(stage) == []
    async with stage.pool.acquire() as conn:
        for challenge_id in ("roses", "week"):
            await challenges.join(conn, challenge_id, "ann")
            await challenges.join(conn, challenge_id, "cid")
        await challenges.join(conn, "week", "ann")
        ranked = await challenges.ranking(conn, contest(100, id="week"), 10)
        seen = await challenges.standings(conn, "ann", NOW)
    assert [(one.user_id, one.amount) for one in ranked] == [("ann", 12)]
    assert [(one.taking_part, one.place) for one in seen] == [(True, None), (True, 1)]
    await work(duties)
    assert await rewards(stage) == [("challenge", "ann", 7)]
    await is_over(stage, "week")
    monkeypatch.setattr(duty_module, "CLOCK_SLACK_S", 0.0)
    await work(duties)
    await work(duties)
    assert await rewards(stage) == [("challenge", "ann", 7), ("contest", "ann", 100)]
    with pytest.raises(Refusal) as refused:
        async with stage.pool.acquire() as conn:
            await challenges.join(conn, "week", "dan")
    assert refused.value.code is Code.CONFLICT
    await all_is_well(stage)


async def test_terms_change_until_the_start_and_not_after(stage: Stage) -> None:
    later = challenge(starts_at=NOW + HOUR, ends_at=NOW + 2 * HOUR)
    await make(stage.pool, later, replace(later, goal=5))
    assert await stage.pool.fetchval("SELECT count(*) FROM challenges") == 2
    await make(stage.pool, challenge(id="begun"))
    for terms, code in (
        (challenge(id="begun", goal=1), Code.CONFLICT),
        (challenge(id="past", starts_at=NOW - 2 * HOUR, ends_at=NOW - MICROSECOND), Code.BAD_REQUEST),
    ):
        with pytest.raises(Refusal) as refused:
            await make(stage.pool, terms)
        assert refused.value.code is code


@pytest.mark.parametrize(
    ("terms", "wanted"),
    [
        (challenge(goal=4, winners_max=1), (2, 1, 7, 9)),
        (challenge(goal=4), (2, 2, 14, 9)),
        (challenge(kind="event", goal=10), (2, 0, 0, 9)),
        (contest(9, 5, 1, least=5), (2, 1, 9, 9)),
        (challenge(metric="rooms_gifted", goal=1), (2, 2, 14, 2)),
    ],
)
async def test_terms_can_be_tried_on_the_past(
    stage: Stage, duties: list[EarningDuty], terms: Challenge, wanted: tuple[int, ...]
) -> None:
    await stage.give("ann", count=5)
    await stage.give("bob", count=4)
    await stage.settle()
    await work(duties)
    async with stage.pool.acquire() as conn:
        outcome = await try_challenge(conn, terms, datetime.now(UTC))
    assert (outcome.participants, outcome.winners, outcome.coins, outcome.total) == wanted


async def test_the_audit_sees_what_was_given_twice_or_not_at_all(stage: Stage, duties: list[EarningDuty]) -> None:
    await make(stage.pool, challenge(goal=1))
    await stage.give("ann")
    await stage.settle()
    await work(duties)
    for name, change, mend in (
        ("rewards_credited_once", "UPDATE rewards SET coins = coins + 1", "UPDATE rewards SET coins = coins - 1"),
        ("rewards_earned", "UPDATE rewards SET source = 'contest'", "UPDATE rewards SET source = 'challenge'"),
        (
            "challenge_progress",
            "UPDATE challenge_progress SET amount = amount + 1",
            "UPDATE challenge_progress SET amount = amount - 1",
        ),
    ):
        await stage.execute(change)
        assert name in {check.name for check in (await stage.audit()).checks if not check.ok}
        await stage.execute(mend)
    await all_is_well(stage)


async def test_a_room_counts_as_watched_once_for_who_stayed_and_no_creator_in_the_own_room(
    start_gateway: StartGateway, stage: Stage, duties: list[EarningDuty], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "INTERVAL_S", 0.05)
    monkeypatch.setattr(watching, "LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(watching, "WATCHED_S", 3600.0)
    await make(stage.pool, challenge(id="visits", metric="rooms_watched", goal=2))
    await work(duties)
    gateway = await start_gateway()
    async with asyncio.timeout(20):
        while not (await progress.visits_count(stage.pool)):
            await asyncio.sleep(0.05)
        owner = await gateway.enter(gateway.token("creator", "creator"), "r_1")
        for _ in range(2):
            ann = await gateway.enter(gateway.token("ann"), "r_1")
            await gateway.enter(gateway.token("ann"), "r_1", "r_2")
            bob = await gateway.enter(gateway.token("bob"), "r_1", "r_2")
            await bob.send(type="leave", room="r_2")
            await bob.receive("left")
        monkeypatch.setattr(watching, "WATCHED_S", 0.0)
        while len(await outcomes(stage, "visits")) < 2:
            await asyncio.sleep(0.05)
    await work(duties)
    assert await outcomes(stage, "visits") == {"ann": (2, "rewarded"), "bob": (1, None)}
    await owner.close()
    await ann.close()
