"""Promotions: what fits, the best for the buyer, never past a budget or cap, promised once and granted once."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from server.domain.errors import Code, Refusal
from server.domain.promotion import Buying, Promotion, Usage, best_deal
from server.economy.earning.deals import Priced, previews
from server.ledger.auditing.rewards import check_rewards
from server.ledger.earning import promotions
from server.stores.postgres import Pool
from tests.economy.earning import HOUR, NOW, Shop, bonus, discount, make

_runs = itertools.count()
MICROSECOND = timedelta(microseconds=1)
BUYING = Buying(coins=100, amount=500, region="PT", platform="web", package="web.100", first=True, at=NOW)


@pytest.fixture
def shop(pool: Pool) -> Shop:
    return Shop(pool)


async def used(pool: Pool, promotion_id: str) -> tuple[int, int]:
    row = await pool.fetchrow("SELECT coins, uses FROM promotion_usage WHERE promotion_id = $1", promotion_id)
    assert row is not None
    return row["coins"], row["uses"]


async def all_is_well(pool: Pool) -> None:
    async with pool.acquire() as conn:
        wrong = [check for check in await check_rewards(conn) if not check.ok]
    assert not wrong


@pytest.mark.parametrize(
    ("at", "fits"),
    [(NOW - HOUR - MICROSECOND, False), (NOW - HOUR, True), (NOW + HOUR - MICROSECOND, True), (NOW + HOUR, False)],
)
def test_a_window_has_its_start_and_not_its_end(at, fits):
    assert bool(best_deal([bonus()], {}, Buying(**{**_fields(BUYING), "at": at})).applied) is fits


@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        ({"regions": frozenset({"PT", "ES"})}, True),
        ({"regions": frozenset({"ES"})}, False),
        ({"platforms": frozenset({"ios"})}, False),
        ({"packages": frozenset({"web.500"})}, False),
        ({"packages": frozenset({"web.100"})}, True),
        ({"active": False}, False),
        ({"percent": None, "coins": 7}, True),
    ],
)
def test_a_promotion_is_for_what_its_terms_name(changes, fits):
    assert bool(best_deal([bonus(**changes)], {}, BUYING).applied) is fits


def _fields(buying: Buying) -> dict[str, object]:
    return {name: getattr(buying, name) for name in Buying.__slots__}


promotion_terms = st.builds(
    lambda number, kind, size, budget, uses, first: (
        bonus(id=f"b{number}", percent=size, budget_coins=budget, uses_max=uses, first_purchase_only=first)
        if kind
        else discount(id=f"d{number}", percent=min(size, 90), uses_max=uses, first_purchase_only=first)
    ),
    st.integers(0, 5),
    st.booleans(),
    st.integers(1, 500),
    st.integers(1, 1000),
    st.integers(1, 5),
    st.booleans(),
)


@given(
    st.lists(promotion_terms, max_size=6, unique_by=lambda one: one.id),
    st.lists(st.tuples(st.integers(1, 400), st.integers(1, 5_000), st.booleans()), max_size=30),
)
def test_no_sequence_of_purchases_is_given_more_than_a_budget_and_each_gets_the_best_that_is_left(
    live: list[Promotion], purchases: list[tuple[int, int, bool]]
):
    usages: dict[str, Usage] = {}
    for coins, amount, first in purchases:
        buying = Buying(**{**_fields(BUYING), "coins": coins, "amount": amount, "first": first})
        deal = best_deal(live, usages, buying)
        assert len({one.promotion.kind for one in deal.applied}) == len(deal.applied)
        assert 0 <= deal.discount < amount
        for one in live:
            mine = next((got.worth for got in deal.applied if got.promotion.kind == one.kind), 0)
            if one.fits(buying) and usages.get(one.id, Usage()).leaves(one, one.worth(buying)):
                assert mine >= one.worth(buying)
        for got in deal.applied:
            assert first or not got.promotion.first_purchase_only
            before = usages.get(got.promotion.id, Usage())
            usages[got.promotion.id] = Usage(before.coins + got.worth, before.uses + 1)
    for one in live:
        usage = usages.get(one.id, Usage())
        assert usage.uses <= one.uses_max
        assert one.budget_coins is None or usage.coins <= one.budget_coins


async def test_a_purchase_is_promised_what_it_was_shown_and_gets_it_when_it_is_credited(pool: Pool, shop: Shop) -> None:
    await make(pool, bonus(), bonus(id="small", percent=10), discount())
    async with pool.acquire() as conn:
        (shown,) = await previews(
            conn, "ann", [Priced(package="web.100", coins=100, amount=500)], region="PT", platform="web"
        )
    purchase, deal = await shop.order("ann")
    assert deal == shown
    assert (deal.bonus_coins, deal.discount) == (50, 100)
    await make(pool, bonus(percent=500, active=False))  # what was promised stands, whatever comes
    await asyncio.gather(*(shop.credit(purchase) for _ in range(4)))
    assert await shop.coins("ann") == 150
    assert await pool.fetchval("SELECT sum(-balance) FROM accounts WHERE kind = 'coins_promotional'") == 50
    assert await used(pool, "spring") == (50, 1)
    notices = await pool.fetch("SELECT kind, message FROM notices WHERE user_id = 'ann'")
    assert [tuple(row) for row in notices] == [("reward", "Spring bonus")]
    await all_is_well(pool)


async def test_many_who_buy_at_once_never_get_more_than_the_budget(pool: Pool, shop: Shop) -> None:
    await make(pool, bonus(budget_coins=170), bonus(id="second", percent=20, budget_coins=45))
    orders = await asyncio.gather(*(shop.order(f"u{number}") for number in range(8)))
    assert sorted(deal.bonus_coins for _, deal in orders) == [0, 0, 0, 20, 20, 50, 50, 50]
    assert await used(pool, "spring") == (150, 3)
    await asyncio.gather(*(shop.credit(purchase) for purchase, _ in orders))
    assert await pool.fetchval("SELECT sum(coins) FROM rewards") == 190
    await all_is_well(pool)


async def test_one_user_who_buys_several_times_at_once_gets_as_many_as_the_cap_allows(pool: Pool, shop: Shop) -> None:
    await make(pool, bonus(per_user_max=2))
    orders = await asyncio.gather(*(shop.order("ann") for _ in range(5)))
    assert sorted(deal.bonus_coins for _, deal in orders) == [0, 0, 0, 50, 50]


async def test_of_promotions_for_a_first_purchase_one_is_promised_to_one_purchase(pool: Pool, shop: Shop) -> None:
    await make(
        pool,
        bonus(first_purchase_only=True, per_user_max=3),
        bonus(id="other", percent=40, first_purchase_only=True, per_user_max=3),
    )
    orders = await asyncio.gather(*(shop.order("ann") for _ in range(4)))
    assert sorted(deal.bonus_coins for _, deal in orders) == [0, 0, 0, 50]
    await shop.buy("bob")
    _, later = await shop.order("bob")
    assert later.bonus_coins == 0


async def test_what_came_to_nothing_is_given_back_and_taken_up_again_if_there_is_room(pool: Pool, shop: Shop) -> None:
    await make(pool, bonus(budget_coins=50))
    first, _ = await shop.order("ann")
    await shop.fail(first)
    assert await used(pool, "spring") == (0, 0)
    await shop.credit(first)  # paid late: its room was still free
    assert await shop.coins("ann") == 150
    second, deal = await shop.order("bob")
    assert deal.bonus_coins == 0
    await shop.credit(second)
    assert await shop.coins("bob") == 100
    await all_is_well(pool)


async def test_a_late_payment_whose_room_is_gone_has_no_bonus_any_more(pool: Pool, shop: Shop) -> None:
    await make(pool, bonus(budget_coins=50))
    late, _ = await shop.order("ann")
    await shop.fail(late)
    await shop.buy("bob")
    await shop.credit(late)
    assert (await shop.coins("ann"), await shop.coins("bob")) == (100, 150)
    assert await used(pool, "spring") == (50, 1)
    await all_is_well(pool)


@hypothesis_settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_any_order_of_orders_credits_and_failures_keeps_every_budget(pool: Pool, data: st.DataObject) -> None:
    shop, seed = Shop(pool), next(_runs)
    await make(
        pool,
        bonus(id=f"b-{seed}", percent=50, budget_coins=120, per_user_max=2),
        bonus(id=f"f-{seed}", percent=80, budget_coins=100, uses_max=2, first_purchase_only=True),
    )
    made: list[str] = []
    for step in range(data.draw(st.integers(1, 14))):
        what = data.draw(st.sampled_from(["order", "credit", "fail", "credit twice"]))
        if what == "order" or not made:
            user = f"{data.draw(st.sampled_from(['ann', 'bob']))}-{seed}"
            purchase, _ = await shop.order(user, purchase_id=f"{seed}-{step}", coins=data.draw(st.integers(1, 150)))
            made.append(purchase)
        elif what == "fail":
            await shop.fail(data.draw(st.sampled_from(made)))
        else:
            purchase = data.draw(st.sampled_from(made))
            await asyncio.gather(*(shop.credit(purchase) for _ in range(1 + (what == "credit twice"))))
        await all_is_well(pool)


async def test_a_promotion_that_begins_is_told_once(pool: Pool) -> None:
    await make(pool, bonus(regions=frozenset({"PT"})), bonus(id="later", starts_at=NOW + HOUR / 2))
    told = await asyncio.gather(*(promotions.announce_begun(pool) for _ in range(3)))
    assert sorted(told) == [[], [], ["spring"]]
    rows = await pool.fetch("SELECT user_id, kind, message, regions FROM notices")
    assert [tuple(row) for row in rows] == [("*", "promotion", "Spring bonus", ["PT"])]


async def test_there_are_only_so_many_promotions_at_once(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promotions, "LIVE_MAX", 1)
    await make(pool, bonus())
    await make(pool, bonus(percent=60))  # another version of the same one
    with pytest.raises(Refusal) as refused:
        await make(pool, bonus(id="second"))
    assert refused.value.code is Code.LIMIT_EXCEEDED


async def test_the_audit_sees_a_budget_that_does_not_add_up(pool: Pool, shop: Shop) -> None:
    await make(pool, bonus())
    await shop.order("ann")
    await all_is_well(pool)
    await pool.execute("UPDATE promotion_usage SET coins = coins - 1")
    async with pool.acquire() as conn:
        assert [check.name for check in await check_rewards(conn) if not check.ok] == ["promotion_budgets"]
