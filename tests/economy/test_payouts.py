"""Diamonds become money once: whoever asks at once, whatever fails on the way, and whoever dies between two steps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import orjson
import pytest

from server.domain.errors import Code, Refusal
from server.economy.payouts import destinations
from server.economy.payouts.provider import ProviderAwayError, Transfer, TransferOrder
from server.economy.payouts.sandbox import SandboxProvider
from server.economy.payouts.terms import Terms
from server.economy.resealing import reseal
from server.economy.sealing import Sealer
from server.ledger.accounts import post
from server.ledger.creators import payouts
from server.ledger.creators.balances import balances
from server.ledger.creators.rollup import Rollup
from server.ledger.partitions import DAY_US
from server.settings import Settings
from server.stores import postgres
from tests.economy.creators import Till, till_on
from tests.ledger.stage import CREATOR


@pytest.fixture
async def till(settings: Settings) -> AsyncIterator[Till]:
    async with till_on(settings) as till:
        yield till


async def all_is_well(till: Till) -> None:
    report = await till.stage.audit()
    assert report.ok, report.render()


async def refusal_of(asked: object) -> Code:
    with pytest.raises(Refusal) as refused:
        await asked  # type: ignore[misc]
    return refused.value.code


async def test_of_many_requests_for_the_same_diamonds_only_so_many_are_taken_as_there_are(till: Till) -> None:
    """Thirty at once, on two pools as of two gateways."""
    await till.earn(100_000)
    async with await postgres.connect(till.stage.settings.database_url, size_max=8) as other:
        elsewhere = replace(till, stage=replace(till.stage, pool=other))
        asked = [(till, elsewhere)[number % 2].request(30_000) for number in range(30)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [answer.code for answer in answers if isinstance(answer, Refusal)]
    assert refused == [Code.CONFLICT] * 27
    assert await till.diamonds() == (10_000, 90_000, 0)
    await asyncio.gather(*(till.driver().drive() for _ in range(4)))
    await all_is_well(till)


async def test_a_days_maximum_holds_for_all_requests_together_and_a_failed_one_counts_no_more(till: Till) -> None:
    till.terms = replace(till.terms, daily_max=25_000)
    await till.earn(100_000)
    answers = await asyncio.gather(*(till.request(20_000) for _ in range(8)), return_exceptions=True)
    made = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert len(made) == 2
    assert {answer.code for answer in answers if isinstance(answer, Refusal)} == {Code.LIMIT_EXCEEDED}
    await till.driver().drive()
    await till.refuse(made[0].id)
    assert await refusal_of(till.request(30_002)) is Code.LIMIT_EXCEEDED
    assert (await till.request(30_000)).amount == 15_000


async def test_a_request_waits_for_a_dispute_that_takes_its_diamonds(till: Till) -> None:
    await till.earn(10_000)
    pool = till.stage.pool
    async with pool.acquire() as conn:
        dispute = conn.transaction()
        await dispute.start()
        own = (await balances(conn, CREATOR, lock=True)).accounts
        moved = {own["diamonds_available"]: -9_000, own["diamonds_held"]: 9_000}
        await post(conn, "hold", "dispute", diamonds=moved)
        asked = asyncio.create_task(till.request(8_000))
        while not await pool.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ):
            await asyncio.sleep(0)
        await dispute.commit()
    assert await refusal_of(asked) is Code.CONFLICT
    assert await till.diamonds() == (1_000, 9_000, 0)


async def test_what_is_asked_for_must_be_enough_and_go_to_ones_own_account(till: Till) -> None:
    await till.earn(10_000)
    other = await till.add_method(creator="other")
    assert await refusal_of(till.request(1_999)) is Code.LIMIT_EXCEEDED
    assert await refusal_of(till.request(10_002)) is Code.CONFLICT
    assert await refusal_of(till.request(2_000, method=other)) is Code.NOT_FOUND
    assert await refusal_of(till.request(2_000, method="pm_none")) is Code.NOT_FOUND
    await till.stage.pool.execute("UPDATE payout_methods SET removed_at = now() WHERE id = $1", till.method)
    assert await refusal_of(till.request(2_000)) is Code.NOT_FOUND
    assert await till.diamonds() == (10_000, 0, 0)
    till.terms = replace(till.terms, provider=None)
    assert await refusal_of(till.request(2_000)) is Code.NOT_FOUND


async def test_only_the_diamonds_that_make_whole_cents_are_taken(till: Till) -> None:
    await till.earn(5_001)
    payout = await till.request(5_001)
    assert (payout.amount, payout.diamonds, payout.rate) == (2_500, 5_000, "1/2")
    assert await till.diamonds() == (1, 5_000, 0)


async def test_a_first_payout_waits_for_a_person_and_the_next_goes_by_itself(till: Till) -> None:
    await till.earn(20_000)
    first = await till.request(4_000)
    await till.driver().drive()
    held = await till.get(first.id)
    assert (held.state, held.flags, held.approved_by) == ("review", ["first_payout"], None)
    await till.driver().drive()
    assert await till.transfers() == 0, "nobody approved it"
    assert await refusal_of(till.approve(first.id, by=CREATOR)) is Code.FORBIDDEN
    paid = await till.driven_to(first.id, "paid")
    assert await till.story(first.id) == ["requested", "held", "review", "sent", "paid"]
    assert paid.approved_by == "ada"
    assert paid.expected_from < paid.expected_to
    assert await till.diamonds() == (16_000, 0, 4_000)
    second = await till.request(4_000)
    await till.driver().drive()
    assert (await till.get(second.id)).approved_by == "rules"
    await till.driven_to(second.id, "paid")
    told = [row["message"] for row in await till.stage.pool.fetch("SELECT message FROM notices ORDER BY id")]
    assert told[:3] == [
        "Your cash-out of 20.00 USD was requested.",
        "Your cash-out of 20.00 USD is on its way; it takes 3 to 5 business days.",
        "Your cash-out of 20.00 USD was paid.",
    ]
    await all_is_well(till)


async def test_what_the_rules_find_is_put_before_a_person(till: Till) -> None:
    till.terms = replace(till.terms, review_from=10_000)
    await till.earn(100_000)
    await till.driven_to((await till.request(2_000)).id, "paid")
    await till.add_method(creator="other")
    elsewhere = await till.add_method("ann@example.org", kind="paypal")
    large = await till.request(20_000)
    new = await till.request(2_000, method=elsewhere)
    await till.driver().drive()
    assert (await till.get(large.id)).flags == ["shared_destination", "large_amount"]
    assert (await till.get(new.id)).flags == ["new_destination", "suspected_fraud"], "the shared one is a case by now"
    assert await till.stage.pool.fetchval("SELECT pattern FROM review_flags WHERE user_id = $1", CREATOR) == (
        "shared_payout_account"
    )
    assert [payout.id for payout in (await payouts.waiting(till.stage.pool, 10, None))[0]] == [large.id, new.id]


async def test_a_refused_a_failed_and_a_bounced_payout_give_their_diamonds_back(till: Till) -> None:
    await till.earn(20_000)
    refused = await till.request(4_000)
    await till.driver().drive()
    await till.refuse(refused.id)
    assert await refusal_of(till.approve(refused.id)) is Code.CONFLICT
    assert (await till.driven_to(refused.id, "returned")).reason == "Not like this."
    stories = {
        "sandbox-refuse": ["requested", "held", "review", "failed", "returned"],
        "sandbox-fail": ["requested", "held", "review", "sent", "failed", "returned"],
        "sandbox-return": ["requested", "held", "review", "sent", "paid", "returned"],
    }
    for wish, story in stories.items():
        method = await till.add_method(f"{wish}@example.org", kind="paypal")
        payout = await till.request(4_000, method=method)
        await till.driven_to(payout.id, "returned")
        assert await till.story(payout.id) == story
        assert await till.diamonds() == (20_000, 0, 0), wish
        assert (await till.get(payout.id)).reason
    await all_is_well(till)


class Unlucky(SandboxProvider):
    """Takes orders, and something happens before its answer is kept."""

    def __init__(self, till: Till, error: type[BaseException], times: int) -> None:
        super().__init__(till.stage.pool, till.terms.day_s)
        self.error, self.times = error, times

    async def send(self, order: TransferOrder) -> Transfer:
        transfer = await super().send(order)
        if self.times:
            self.times -= 1
            raise self.error("after the provider took it")
        return transfer


class DiedError(BaseException):
    """The worker is gone."""


@pytest.mark.parametrize("error", [DiedError, ProviderAwayError])
async def test_an_order_whose_answer_was_never_kept_is_sent_again_and_paid_once(
    till: Till, error: type[BaseException]
) -> None:
    await till.earn(10_000)
    payout = await till.request(4_000)
    await till.driver().drive()
    await till.approve(payout.id)
    unlucky = Unlucky(till, error, times=1)
    try:
        await till.driver(unlucky).drive()
    except DiedError:
        assert error is DiedError
    assert (await till.get(payout.id)).state == "review"
    assert await till.transfers() == 1
    assert await refusal_of(till.refuse(payout.id)) is Code.CONFLICT, "the money may be on its way"
    await till.driven_to(payout.id, "paid")
    assert await till.transfers() == 1
    assert await till.diamonds() == (6_000, 0, 4_000)
    await all_is_well(till)


async def test_workers_that_drive_at_once_take_each_step_once(till: Till) -> None:
    await till.earn(40_000)
    made = [await till.request(2_000) for _ in range(12)]
    workers = [till.driver() for _ in range(4)]
    for _ in range(40):
        for payout in made:
            if (await till.get(payout.id)).state == "review":
                await till.stage.pool.execute(
                    "UPDATE payouts SET approved_by = 'ada', approved_at = now()"
                    " WHERE state = 'review' AND approved_at IS NULL"
                )
        await till.stage.pool.execute("UPDATE payouts SET ask_at = now() WHERE ask_at IS NOT NULL")
        await asyncio.gather(*(worker.drive() for worker in workers))
        if {(await till.get(payout.id)).state for payout in made} == {"paid"}:
            break
    assert [await till.story(payout.id) for payout in made] == [["requested", "held", "review", "sent", "paid"]] * 12
    assert await till.diamonds() == (16_000, 0, 24_000)
    assert await till.transfers() == 12
    await all_is_well(till)


async def test_a_blocked_or_banned_creators_payout_is_not_sent_and_can_be_refused(till: Till) -> None:
    await till.earn(10_000)
    payout = await till.request(4_000)
    await till.driver().drive()
    await till.approve(payout.id)
    for bar, lift in (
        ("UPDATE users SET blocked = true WHERE id = 'creator'", "UPDATE users SET blocked = false"),
        ("INSERT INTO banned_users (user_id, reason, by_id) VALUES ('creator', '', 'ada')", "DELETE FROM banned_users"),
    ):
        await till.stage.pool.execute(bar)
        await till.driver().drive()
        assert (await till.get(payout.id)).state == "review"
        assert await refusal_of(till.request(4_000)) is Code.WALLET_BLOCKED
        await till.stage.pool.execute(lift)
    await till.refuse(payout.id)
    await till.driven_to(payout.id, "returned")
    assert await till.transfers() == 0
    deeds = await till.stage.pool.fetch("SELECT admin, action, subject FROM admin_log ORDER BY id")
    assert [tuple(deed.values()) for deed in deeds] == [
        ("ada", "payout_approved", payout.id),
        ("ada", "payout_refused", payout.id),
    ]


async def test_diamonds_of_young_gifts_are_not_payable_nor_those_that_nobody_added_up_yet(till: Till) -> None:
    till.terms = replace(till.terms, hold_days=7)
    stage, now_us = till.stage, time.time_ns() // 1000
    await stage.viewer("ann", 100_000)
    for age_days in (9, 8, 6, 0):
        await stage.forge("ann", count=4_000, coins=4_000, diamonds=4_000, at_us=now_us - age_days * DAY_US)
    await stage.settle()
    assert await refusal_of(till.request(2_000)) is Code.CONFLICT, "their age is not known yet"
    await Rollup(stage.pool, stage.settings.wallet_shards).add_up()
    assert await refusal_of(till.request(8_002)) is Code.CONFLICT
    await till.request(8_000)
    assert await refusal_of(till.request(2_000)) is Code.CONFLICT
    till.terms = replace(till.terms, hold_days=5)
    await till.request(4_000)
    assert await till.diamonds() == (4_000, 12_000, 0)


async def test_a_destination_is_sealed_and_what_cannot_be_opened_is_given_back(
    till: Till, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await till.earn(10_000)
    lost = await till.request(2_000)
    known = await till.request(2_000)
    await till.driver().drive()
    for payout in (lost, known):
        await till.approve(payout.id)
    with pytest.raises(DiedError):
        await till.driver(Unlucky(till, DiedError, times=1)).drive()
    changed = replace(settings, token_secret="k" * 40)
    till.sealer = Sealer(changed, destinations.SEALED_AS)
    story = {lost.id: "paid", known.id: "returned"}
    if (await till.stage.pool.fetchval("SELECT reference FROM sandbox_transfers")) == known.id:
        story = {lost.id: "returned", known.id: "paid"}
    for payout_id, state in story.items():
        await till.driven_to(payout_id, state)
    tables = await till.stage.pool.fetch(
        "SELECT to_jsonb(payout_methods)::text AS row FROM payout_methods"
        " UNION ALL SELECT to_jsonb(sandbox_transfers)::text FROM sandbox_transfers"
        " UNION ALL SELECT to_jsonb(notices)::text FROM notices"
    )
    written = orjson.dumps([row["row"] for row in tables]).decode() + "".join(capsys.readouterr())
    assert "DE…3000" in written
    assert "0532013000" not in written
    await all_is_well(till)


async def test_a_new_key_of_the_server_is_used_for_what_former_ones_sealed(till: Till, settings: Settings) -> None:
    await till.earn(10_000)
    changed = replace(settings, token_secret="k" * 40, token_secrets_former=(settings.token_secret,))
    assert await reseal(till.stage.pool, settings) == 0
    assert await reseal(till.stage.pool, changed) == 1
    assert await reseal(till.stage.pool, changed) == 0
    till.sealer = Sealer(replace(changed, token_secrets_former=()), destinations.SEALED_AS)
    await till.add_method(creator="other")
    payout = await till.request(2_000)
    await till.driver().drive()
    assert "shared_destination" in (await till.get(payout.id)).flags, "fingerprints follow the key"
    await till.driven_to(payout.id, "paid")


async def test_the_audit_compares_payouts_postings_balances_and_the_providers_books(till: Till) -> None:
    await till.earn(10_000)
    paid = await till.driven_to((await till.request(4_000)).id, "paid")
    await till.request(2_000)
    await all_is_well(till)
    mine = f"id = '{paid.id}'"
    for table, where, change, undo in (
        ("payouts", "true", "diamonds = diamonds + 1", "diamonds = diamonds - 1"),
        ("payouts", mine, "amount = amount + 1", "amount = amount - 1"),
        ("payouts", mine, "state = 'held'", "state = 'paid'"),
        ("payout_events", "number = 3", "state = 'held'", "state = 'review'"),
        ("postings", "kind = 'payout'", "reference = 'x' || reference", "reference = substr(reference, 2)"),
        ("sandbox_transfers", "true", "reference = 'x' || reference", "reference = substr(reference, 2)"),
        ("sandbox_transfers", "true", "outcome = 'fails'", "outcome = 'pays'"),
    ):
        await till.stage.execute(f"UPDATE {table} SET {change} WHERE {where}")
        failed = [check.name for check in (await till.stage.audit()).checks if not check.ok]
        assert failed == ["payouts"], (table, change)
        await till.stage.execute(f"UPDATE {table} SET {undo} WHERE {where}")
    await all_is_well(till)


def test_the_terms_of_a_server_that_says_nothing_are_the_documented_ones() -> None:
    plain, demo = Terms.of(Settings()), Terms.of(Settings(demo=True))
    assert (plain.provider, plain.followers_min, plain.hold_days, plain.day_s) == (None, 1_000, 7, 86_400)
    assert (demo.provider, demo.followers_min, demo.hold_days, demo.day_s) == ("sandbox", 0, 0, 10)
    assert (plain.rate.numerator, plain.rate.denominator, plain.rate.currency) == (1, 2, "USD")
    assert (plain.amount_min, plain.daily_max, plain.review_from) == (1_000, 100_000, 50_000)
