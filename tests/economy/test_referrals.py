"""Referrals: both sides are rewarded once after the first purchase; no rings, nobody by oneself, none past the cap."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest

from server.domain.errors import Code, Refusal
from server.economy.earning.duty import EarningDuty
from server.ledger.auditing.rewards import check_rewards
from server.ledger.earning import referrals
from server.settings import Settings
from server.stores.postgres import Pool
from tests.economy.duties import duty_on
from tests.economy.earning import Shop
from tests.web.gateways import Gateway

BLOCKED_S = 0.3
"""For so long a transaction that has to wait for another one is seen to do so."""


@pytest.fixture
async def duties(settings: Settings, pool: Pool) -> AsyncIterator[list[EarningDuty]]:
    """Two workers."""
    async with duty_on(settings, pool) as one, duty_on(settings, pool) as other:
        yield [one, other]


@pytest.fixture
def shop(pool: Pool) -> Shop:
    return Shop(pool)


async def enter(pool: Pool, invited: str, inviter: str) -> str:
    """What becomes of it: `entered`, or the code of the refusal."""
    try:
        async with pool.acquire() as conn, conn.transaction():
            code = await referrals.code_of(conn, inviter)
            await referrals.enter(conn, invited, code, look_at_devices=True)
    except Refusal as refusal:
        return refusal.code.value
    return "entered"


async def work(duties: list[EarningDuty]) -> None:
    await asyncio.gather(*(duty.work() for duty in duties for _ in range(2)))


async def test_both_are_rewarded_once_after_the_first_purchase(
    pool: Pool, shop: Shop, duties: list[EarningDuty]
) -> None:
    assert await enter(pool, "bob", "ann") == "entered"
    await work(duties)
    assert await shop.given("referral") == 0
    purchase = await shop.buy("bob")
    await asyncio.gather(work(duties), *(shop.credit(purchase) for _ in range(3)))
    await shop.buy("bob")
    await work(duties)
    assert (await shop.coins("ann"), await shop.coins("bob")) == (100, 300)
    rows = await pool.fetch("SELECT reference, user_id, coins FROM rewards ORDER BY reference")
    assert [tuple(row) for row in rows] == [("bob:invited", "bob", 100), ("bob:inviter", "ann", 100)]
    assert await pool.fetchval("SELECT count(*) FROM notices WHERE kind = 'reward'") == 2
    async with pool.acquire() as conn:
        assert all(check.ok for check in await check_rewards(conn))


async def test_a_code_is_entered_once_before_the_first_purchase_and_never_ones_own(pool: Pool, shop: Shop) -> None:
    assert await enter(pool, "ann", "ann") == Code.NOT_ELIGIBLE
    assert await enter(pool, "bob", "ann") == "entered"
    assert await enter(pool, "bob", "cid") == Code.CONFLICT
    await shop.buy("dan")
    assert await enter(pool, "dan", "ann") == Code.NOT_ELIGIBLE
    with pytest.raises(Refusal) as refused:
        async with pool.acquire() as conn:
            await referrals.enter(conn, "eve", "NOTACODE", look_at_devices=True)
    assert refused.value.code is Code.NOT_FOUND


async def test_no_chain_of_invitations_comes_back_to_where_it_began(pool: Pool) -> None:
    names = [f"u{number}" for number in range(6)]
    for inviter, invited in itertools.pairwise(names):
        assert await enter(pool, invited, inviter) == "entered"
    assert await enter(pool, "u0", "u5") == Code.NOT_ELIGIBLE
    assert await enter(pool, "u0", "other") == "entered"


async def test_of_several_who_invite_each_other_in_a_ring_at_once_the_last_one_is_refused(pool: Pool) -> None:
    async with pool.acquire() as conn:
        code = await referrals.code_of(conn, "ann")
        first = conn.transaction()
        await first.start()
        await referrals.enter(conn, "bob", code, look_at_devices=True)
        others = [asyncio.create_task(enter(pool, *pair)) for pair in (("cid", "bob"), ("ann", "cid"))]
        done, _ = await asyncio.wait(others, timeout=BLOCKED_S)
        assert not done, "nobody follows a chain that is being changed"
        await first.commit()
    assert sorted(await asyncio.gather(*others)) == ["entered", Code.NOT_ELIGIBLE]


async def test_a_code_that_is_entered_while_the_first_purchase_is_credited_comes_too_late(
    pool: Pool, shop: Shop
) -> None:
    purchase, _ = await shop.order("bob")
    async with pool.acquire() as conn:
        crediting = conn.transaction()
        await crediting.start()
        await shop.credit_in(conn, purchase)
        entering = asyncio.create_task(enter(pool, "bob", "ann"))
        done, _ = await asyncio.wait([entering], timeout=BLOCKED_S)
        assert not done
        await crediting.commit()
    assert await entering == Code.NOT_ELIGIBLE


async def test_an_inviter_is_rewarded_up_to_the_cap_and_the_invited_all_the_same(
    settings: Settings, pool: Pool, shop: Shop
) -> None:
    for number in range(4):
        await enter(pool, f"u{number}", "ann")
        await shop.buy(f"u{number}")
    async with (
        duty_on(settings, pool, referrals_per_month_max=3) as one,
        duty_on(settings, pool, referrals_per_month_max=3) as other,
    ):
        await work([one, other])
    assert await shop.coins("ann") == 300
    assert sorted([await shop.coins(f"u{number}") for number in range(4)]) == [200] * 4
    states = await pool.fetch("SELECT inviter_reward FROM referrals ORDER BY 1")
    assert [row[0] for row in states] == ["capped", "given", "given", "given"]


async def test_two_accounts_that_are_paid_out_to_one_place_invite_each_other_for_nothing(
    pool: Pool, shop: Shop, duties: list[EarningDuty]
) -> None:
    async def is_paid_at(user: str, place: bytes) -> None:
        await pool.execute("INSERT INTO users (id, name) VALUES ($1, $1) ON CONFLICT DO NOTHING", user)
        await pool.execute(
            "INSERT INTO payout_methods (id, creator_id, kind, holder, sealed, masked, fingerprint)"
            " VALUES ($1, $1, 'bank', 'A', '', '', $2)",
            user,
            place,
        )

    await is_paid_at("ann", b"one account")
    await is_paid_at("bob", b"one account")
    assert await enter(pool, "bob", "ann") == Code.NOT_ELIGIBLE
    assert await enter(pool, "cid", "ann") == "entered"
    await is_paid_at("cid", b"one account")  # comes to light after the code was entered
    await shop.buy("cid")
    await work(duties)
    assert await shop.given("referral") == 0
    async with pool.acquire() as conn:
        assert (await referrals.standing(conn, "cid")).reward == "refused"


async def test_accounts_of_one_device_do_not_invite_each_other_and_those_behind_one_proxy_do(pool: Pool) -> None:
    async def came(address: str, *users: str) -> None:
        await pool.executemany(
            "INSERT INTO logins (user_id, address, agent) VALUES ($1, $2, 'a browser')",
            [(user, address) for user in users],
        )

    await came("home", "ann", "bob")
    await came("office", "ann", "cid", "dan", "eve")
    assert await enter(pool, "bob", "ann") == Code.NOT_ELIGIBLE
    assert await enter(pool, "cid", "ann") == "entered"


async def test_over_http_one_sees_the_code_enters_another_and_is_told_why_not(gateway: Gateway, pool: Pool) -> None:
    ann, bob = await gateway.coins("ann", 1), await gateway.coins("bob", 1)
    _, mine = await gateway.get("/referrals", ann)
    assert (mine["state"], mine["invited_by"], mine["coins"]) == ("open", None, {"invited": 100, "inviter": 100})
    assert (await gateway.get("/referrals", ann))[1]["code"] == mine["code"]
    status, entered = await gateway.post("/referrals", {"code": f" {mine['code'].lower()} "}, bob)
    assert (status, entered["state"], entered["invited_by"]["id"]) == (200, "entered", "ann")
    assert (await gateway.get("/referrals", ann))[1]["invited"] == 1
    status, refused = await gateway.post("/referrals", {"code": mine["code"]}, ann)
    assert (status, refused["code"], refused["detail"]) == (403, "not_eligible", "This is your own code.")
    assert (await gateway.post("/referrals", {"code": "short"}, bob))[0] == 400
