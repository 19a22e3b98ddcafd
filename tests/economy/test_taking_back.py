"""Payments and what is taken back of them: in any order, heard any number of times, while gifts are sent."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import pytest

from server.domain.errors import Code
from server.domain.gift import Accepted, Refused
from server.economy.recharge.applying import apply
from server.economy.recharge.payment import Fact
from server.economy.recharge.taking_back import share
from server.ledger.accounts import account_ids, post
from server.ledger.recharge.claims import share_of
from server.settings import Settings
from tests.economy.till import COINS, Till
from tests.ledger.stage import Stage, StageRoom, stage_on


@pytest.fixture
async def stage(settings: Settings) -> AsyncIterator[Stage]:
    async with stage_on(settings) as made:
        await made.room()
        yield made


@pytest.fixture
def till(stage: Stage) -> Till:
    return Till.on(stage)


async def _time_passes(stage: Stage) -> None:
    """As long as diamonds are held for a refund; and a look is due."""
    await stage.execute("UPDATE claims SET final_at = now() WHERE final_at > now()")
    await stage.execute("UPDATE recoveries SET looked_at = NULL")


async def test_a_payment_is_credited_once_however_often_it_is_told(till: Till) -> None:
    purchase = await till.begin()
    first, second = till.event(purchase, Fact.PAID), till.event(purchase, Fact.PAID)
    for event in (first, first, second, second):
        await till.cashier.hear(event)
    assert await till.coins() == COINS
    assert (await till.now(purchase)).status == "credited"
    assert till.told == [{"ann"}]
    await till.sound()


@pytest.mark.parametrize("before", [(), (Fact.PENDING,), (Fact.DECLINED,), (Fact.EXPIRED,)])
async def test_a_payment_counts_whatever_was_said_before_and_nothing_takes_it_away_after(
    till: Till, before: tuple[Fact, ...]
) -> None:
    purchase = await till.begin()
    for fact in (*before, Fact.PAID, Fact.PENDING, Fact.DECLINED, Fact.EXPIRED):
        await till.say(purchase, fact)
    assert (await till.now(purchase)).status == "credited"
    assert await till.coins() == COINS
    await till.sound()


async def test_coins_that_are_still_there_go_back_with_the_payment(till: Till) -> None:
    purchase = await till.bought()
    await till.say(purchase, Fact.REFUNDED, claim="r1")
    assert await till.coins() == 0
    after = await till.now(purchase)
    assert (after.status, after.coins_back) == ("refunded", COINS)
    assert await till.stage.pool.fetchval("SELECT cleared_at IS NOT NULL FROM recoveries")
    await till.sound()


async def test_a_part_of_the_money_takes_a_part_of_the_coins(till: Till) -> None:
    purchase = await till.bought()
    await till.say(purchase, Fact.REFUNDED, claim="r1", amount=333)
    assert await till.coins() == COINS - 334  # 1,000 × 333 / 999, rounded up
    assert (await till.now(purchase)).status == "credited"
    await till.say(purchase, Fact.REFUNDED, claim="r2", amount=666)
    assert await till.coins() == 0
    assert (await till.now(purchase)).status == "refunded"
    await till.sound()


async def test_a_refund_and_a_chargeback_together_take_no_more_than_was_bought(till: Till) -> None:
    purchase = await till.bought()
    await till.say(purchase, Fact.REFUNDED, claim="r1", amount=500)
    await till.say(purchase, Fact.DISPUTED, claim="d1")
    assert await till.coins() == 0
    await till.say(purchase, Fact.RETURNED, claim="d1", chargeback=True)
    assert await till.coins() == COINS - 501
    await till.sound()


async def test_a_claim_that_comes_before_the_payment_says_that_it_was_made(till: Till) -> None:
    purchase = await till.begin()
    await till.say(purchase, Fact.DISPUTED, claim="d1")
    assert await till.coins() == 0
    await till.say(purchase, Fact.PAID)
    assert await till.coins() == 0
    assert (await till.now(purchase)).status == "charged_back"
    await till.say(purchase, Fact.RETURNED, claim="d1")
    assert await till.coins() == COINS
    await till.sound()


async def test_what_is_said_of_a_payment_that_is_not_known_yet_waits_for_it(till: Till) -> None:
    purchase = await till.begin()
    applied = await till.say(purchase, Fact.REFUNDED, claim="r1", purchase_id=None)
    assert applied.outcome == "unmatched"
    assert await till.coins() == 0
    await till.say(purchase, Fact.PAID)
    assert (await till.now(purchase)).status == "refunded"
    assert await till.coins() == 0
    await till.sound()


async def test_a_payment_of_another_amount_credits_nothing(till: Till) -> None:
    purchase = await till.begin()
    for wrong in ({"amount": 998}, {"amount": 999, "currency": "JPY"}):
        assert (await till.say(purchase, Fact.PAID, **wrong)).outcome == "mismatch"
    other = await till.bought("bob")
    assert (await till.say(other, Fact.PAID, transaction="another")).outcome == "mismatch"
    stolen = till.event(purchase, Fact.PAID, transaction=f"t_{other.id}", purchase_id=None, account=None)
    await till.cashier.hear(stolen)
    assert await till.coins() == 0
    assert await till.coins("bob") == COINS
    assert (await till.now(purchase)).status == "created"
    await till.sound()


async def test_spent_coins_leave_a_debt_that_blocks_gifts_and_holds_the_newest_diamonds(till: Till) -> None:
    stage = till.stage
    await stage.viewer("ann", 300)
    purchase = await till.bought()
    await stage.give("ann", "rose", 200)
    await stage.give("ann", "perfume", 30)  # 600 coins
    await stage.settle()
    earned, _ = await till.diamonds()
    await till.say(purchase, Fact.DISPUTED, claim="d1")

    assert await till.coins() == 500 - COINS
    refused = await stage.send("ann", "rose", 1, StageRoom(), "while in debt")
    assert isinstance(refused, Refused)
    assert refused.code is Code.WALLET_BLOCKED
    # 500 coins are owed: of the newest gift, five sixths.
    perfume = await stage.pool.fetchval("SELECT diamonds FROM gifts WHERE gift_id = 'perfume'")
    assert await till.diamonds() == (earned - perfume * 5 // 6, perfume * 5 // 6)
    await till.sound()


async def test_a_debt_that_is_paid_frees_the_wallet_and_the_diamonds(till: Till) -> None:
    stage = till.stage
    purchase = await till.bought()
    await stage.give("ann", "rose", 1000)
    await stage.settle()
    earned, _ = await till.diamonds()
    await till.say(purchase, Fact.REFUNDED, claim="r1")
    assert await till.diamonds() == (0, earned)
    await till.bought(package="web_500")
    assert await till.coins() == -500
    assert await till.diamonds() == (0, earned)
    await till.bought()
    assert await till.coins() == 500
    assert await till.diamonds() == (earned, 0)
    assert isinstance(await stage.send("ann", "rose", 1, StageRoom(), "after it"), Accepted)
    await till.sound()


@pytest.mark.parametrize(("verdict", "held", "taken"), [(Fact.RETURNED, 0, 0), (Fact.LOST, 0, 1000)])
async def test_a_dispute_that_is_decided_releases_the_diamonds_or_takes_them(
    till: Till, verdict: Fact, held: int, taken: int
) -> None:
    stage = till.stage
    purchase = await till.bought()
    await stage.give("ann", "rose", 1000)
    await stage.settle()
    await till.say(purchase, Fact.DISPUTED, claim="d1")
    assert await till.diamonds() == (0, 1000)
    await till.say(purchase, verdict, claim="d1", chargeback=True)
    assert await till.diamonds() == (1000 - taken, held)
    assert await till.coins() == (0 if verdict is Fact.RETURNED else -COINS)
    await till.sound()


async def test_refunded_coins_whose_debt_nobody_pays_cost_the_creator_the_diamonds_in_the_end(stage: Stage) -> None:
    till = Till.on(stage, hold_days=30)
    purchase = await till.bought()
    await stage.give("ann", "rose", 600)
    await stage.settle()
    await till.say(purchase, Fact.REFUNDED, claim="r1")
    await till.sweeper.sweep()
    assert await till.diamonds() == (0, 600)
    await _time_passes(stage)
    await till.sweeper.sweep()
    assert await till.diamonds() == (0, 0)
    await till.bought()
    assert await till.diamonds() == (0, 0)
    assert await till.coins() == COINS - 600
    await till.sound()


async def test_what_is_disputed_stays_held_when_a_refund_beside_it_becomes_final(till: Till) -> None:
    """A third is refunded, and the whole disputed: until that is decided the creator gives back a third and no more."""
    stage = till.stage
    purchase = await till.bought()
    await stage.give("ann", "rose", 1000)
    await stage.settle()
    await till.say(purchase, Fact.REFUNDED, claim="r1", amount=333)
    await till.say(purchase, Fact.DISPUTED, claim="d1")
    await _time_passes(stage)
    await till.sweeper.sweep()
    assert await till.diamonds() == (0, 666)  # 334 are gone
    await till.sound()
    await till.say(purchase, Fact.RETURNED, claim="d1", chargeback=True)
    assert await till.coins() == -334
    assert await till.diamonds() == (666, 0)
    await till.sound()
    await stage.execute("UPDATE holds SET coins = coins + 1 WHERE state = 'reversed'")
    assert "holds_match_postings" in [check.name for check in (await stage.audit()).checks if not check.ok]


async def test_money_that_comes_back_after_a_dispute_was_lost_gives_the_diamonds_back(till: Till) -> None:
    """As if the dispute had never been: the part that is refunded is held for as long as after a refund alone."""
    stage = till.stage
    purchase = await till.bought()
    await stage.give("ann", "rose", 1000)
    await stage.settle()
    await till.say(purchase, Fact.LOST, claim="d1")
    assert await till.diamonds() == (0, 0)
    await till.say(purchase, Fact.REFUNDED, claim="r1", amount=333)
    await till.say(purchase, Fact.RETURNED, claim="d1", chargeback=True)
    assert await till.coins() == -334
    assert await till.diamonds() == (666, 334)
    await till.sound()
    await _time_passes(stage)
    await till.sweeper.sweep()
    assert await till.diamonds() == (666, 0)
    await till.sound()
    await till.say(purchase, Fact.RETURNED, claim="r1")
    assert await till.diamonds() == (1000, 0)
    await till.sound()


@pytest.mark.parametrize(
    ("verdict", "days_pass", "left"),
    [(Fact.DISPUTED, False, (666, 334)), (Fact.LOST, False, (666, 334)), (Fact.LOST, True, (666, 0))],
)
async def test_what_still_stands_cannot_be_paid_out_when_the_rest_comes_back(
    till: Till, verdict: Fact, days_pass: bool, left: tuple[int, int]
) -> None:
    """Not even if whoever hears of it dies right after the commit: what is let go may be gone a moment later."""
    stage = till.stage
    purchase = await till.bought()
    await stage.give("ann", "rose", 400, times=2)
    await stage.give("ann", "rose", 200)
    await stage.settle()
    await till.say(purchase, Fact.REFUNDED, claim="r1", amount=333)
    if days_pass:
        await _time_passes(stage)
    await till.say(purchase, verdict, claim="d1")
    async with stage.pool.acquire() as conn, conn.transaction():
        await apply(conn, till.event(purchase, Fact.RETURNED, claim="d1", chargeback=True), hold_s=1e6)
    assert await till.diamonds() == left
    await till.sweeper.sweep()
    assert await till.diamonds() == left
    await till.sound()


async def test_coins_that_come_back_let_go_of_what_the_wallet_lacks_no_more(till: Till) -> None:
    """A third stays refunded, and other coins pay for all of it but 34."""
    stage = till.stage
    await stage.viewer("ann", 300)
    purchase = await till.bought()
    await stage.give("ann", "rose", 1300)
    await stage.settle()
    await till.say(purchase, Fact.REFUNDED, claim="r1", amount=333)
    await till.say(purchase, Fact.DISPUTED, claim="d1")
    await stage.viewer("ann", 300)
    assert await till.diamonds() == (300, 1000)
    async with stage.pool.acquire() as conn, conn.transaction():
        await apply(conn, till.event(purchase, Fact.RETURNED, claim="d1", chargeback=True), hold_s=1e6)
    assert await till.diamonds() == (1300 - 34, 34)
    await stage.wallets.refresh("ann")
    assert await till.coins() == -34
    await till.sound()


@pytest.mark.parametrize("amount", [1, 199, 200, 201, 299, 300])
async def test_a_part_of_a_custom_amount_takes_its_coins_exactly(till: Till, amount: int) -> None:
    """A coin for a cent: no coin more goes back than cents did, whatever their quotient looks like as a decimal."""
    stage = till.stage
    purchase = await till.begin()
    await stage.execute("UPDATE purchases SET coins = 300, amount = 300 WHERE id = $1", purchase.id)
    await till.say(purchase, Fact.PAID)
    await stage.give("ann", "rose", 300)
    await stage.settle()
    await till.say(purchase, Fact.REFUNDED, claim="r1", amount=amount)
    await till.say(purchase, Fact.DISPUTED, claim="d1")
    await _time_passes(stage)
    await till.sweeper.sweep()
    assert await till.diamonds() == (0, 300 - amount)
    await till.say(purchase, Fact.RETURNED, claim="d1")
    assert await till.diamonds() == (300 - amount, 0)
    assert await till.coins() == -amount
    await till.sound()


async def test_the_ledger_counts_coins_for_money_as_the_server_does(till: Till) -> None:
    chance = random.Random(7)
    big = [10**9, 10**9 - 1, 2**53 - 1, 10**12 + 39]
    asked = [(coins, taken, amount) for coins in big for taken in big for amount in big if coins <= 10**9]
    asked += [(chance.randint(1, top), chance.randint(0, top), chance.randint(1, top)) for top in (9, 999, 10**9) * 300]
    found = await till.stage.pool.fetch(
        f"SELECT {share_of('coins')} FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])"
        " AS purchases (coins, taken, amount)",
        *map(list, zip(*asked, strict=True)),
    )
    assert [row[0] for row in found] == [share(*each) for each in asked]


async def test_gifts_that_were_accepted_before_the_refund_settle_after_it(till: Till) -> None:
    """The race: the refund is in Postgres while the gifts that its coins paid for are only in the log."""
    stage = till.stage
    purchase = await till.bought()
    answers = await stage.give("ann", "rose", 400)
    await till.say(purchase, Fact.DISPUTED, claim="d1")
    assert await till.coins() == -400
    assert await stage.balance("ann") == 0
    assert await stage.settle() == len(answers)
    assert await stage.balance("ann") == -400
    assert await stage.pool.fetchval("SELECT count(*) FROM quarantine") == 0
    await stage.execute("UPDATE recoveries SET looked_at = NULL")
    await till.sweeper.sweep()
    assert await till.diamonds() == (0, 400)
    await till.sound()


async def test_only_diamonds_that_are_still_there_are_held(till: Till) -> None:
    """Nobody takes back what a creator was paid already."""
    stage = till.stage
    purchase = await till.bought()
    await stage.give("ann", "rose", 1000)
    await stage.settle()
    async with stage.pool.acquire() as conn, conn.transaction():
        (available,) = (await account_ids(conn, "diamonds_available", ["creator"])).values()
        (paid,) = (await account_ids(conn, "diamonds_paid", ["creator"])).values()
        await post(conn, "payout", "of no row", diamonds={available: -700, paid: 700})
    await till.say(purchase, Fact.DISPUTED, claim="d1")
    assert await till.diamonds() == (0, 300)
    await till.say(purchase, Fact.RETURNED, claim="d1")
    assert await till.diamonds() == (300, 0)
    assert [check.name for check in (await stage.audit()).checks if not check.ok] == ["payouts"]
