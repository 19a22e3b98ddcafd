"""What the economy stands on: requests answered once, movements booked once, refunds on the account of purchases."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from server.domain.errors import Code, Refusal
from server.domain.ids import UserId
from server.ledger import answered, wallets
from server.ledger.accounts import CREATOR_KINDS, account_ids, open_account, post
from server.ledger.answered import Answered
from server.ledger.profiles import profile_of, settle_region
from server.stores.postgres import Pool

ANN = UserId("ann")


async def test_of_many_requests_with_one_key_one_is_carried_out_and_all_hear_its_answer(pool: Pool) -> None:
    done = []

    async def request() -> Answered:
        async with pool.acquire() as conn, conn.transaction():
            found = await answered.begin(conn, ANN, "key", "body")
            if found is None:
                done.append(1)
                await asyncio.sleep(0)
                found = Answered(201, b'{"ok":true}')
                await answered.finish(conn, ANN, "key", found)
            return found

    answers = await asyncio.gather(*(request() for _ in range(6)))
    assert len(done) == 1
    assert set(answers) == {Answered(201, b'{"ok":true}')}


async def test_a_key_is_for_one_body_and_one_user_and_a_refused_request_leaves_it_free(pool: Pool) -> None:
    async with pool.acquire() as conn:
        refused_request = conn.transaction()
        await refused_request.start()
        assert await answered.begin(conn, ANN, "key", "body") is None
        await refused_request.rollback()
    async with pool.acquire() as conn, conn.transaction():
        assert await answered.begin(conn, ANN, "key", "body") is None
        assert await answered.begin(conn, "bob", "key", "other body") is None
        await answered.finish(conn, ANN, "key", Answered(200, b"{}"))
    with pytest.raises(Refusal) as refused:
        async with pool.acquire() as conn, conn.transaction():
            await answered.begin(conn, ANN, "key", "other body")
    assert refused.value.code is Code.IDEMPOTENCY_CONFLICT


async def test_answers_are_forgotten_when_they_are_old(pool: Pool) -> None:
    await pool.execute(
        "INSERT INTO answered_requests (user_id, key, fingerprint, at)"
        " VALUES ('ann', 'old', '', now() - interval '8 days'), ('ann', 'new', '', now())"
    )
    assert await answered.forget(pool) == 1
    assert await pool.fetchval("SELECT key FROM answered_requests") == "new"


async def test_a_refund_goes_back_to_the_account_of_purchases(pool: Pool) -> None:
    await wallets.grant(pool, ANN, 100, "purchase", "order", "")
    async with pool.acquire() as conn, conn.transaction():
        assert await wallets.book_credit(conn, ANN, -40, "refund", "order", "") == 2
    held = await pool.fetchval("SELECT sum(balance) FROM accounts WHERE kind = 'coins_purchased'")
    assert held == -60
    with pytest.raises(ValueError, match="not an amount"):
        await wallets.grant(pool, ANN, 40, "refund", "other", "")


async def test_a_movement_is_booked_once_for_its_reference(pool: Pool) -> None:
    async with pool.acquire() as conn:
        await open_account(conn, ANN, CREATOR_KINDS)
        available = (await account_ids(conn, "diamonds_available", [ANN]))[ANN]
        issued = (await account_ids(conn, "diamonds_issued", ["platform/w00"]))["platform/w00"]
        await post(conn, "reversal", "one", diamonds={available: 5, issued: -5})
        with pytest.raises(asyncpg.UniqueViolationError):
            async with conn.transaction():
                await post(conn, "reversal", "one", diamonds={available: 5, issued: -5})
        with pytest.raises(asyncpg.CheckViolationError):
            async with conn.transaction():
                await post(conn, "reversal", "two", diamonds={available: -6, issued: 6})
        assert await conn.fetchval("SELECT balance FROM accounts WHERE id = $1", available) == 5


async def test_a_region_is_told_once(pool: Pool) -> None:
    async with pool.acquire() as conn:
        await conn.execute("INSERT INTO users (id, name) VALUES ('ann', 'Ann')")
        assert await settle_region(conn, ANN, "PT") == "PT"
        assert await settle_region(conn, ANN, "KR") == "PT"
        assert (await profile_of(conn, ANN)).region == "PT"
