"""Credits are booked once, numbered without a gap, and every coin has its counter-entry."""

import asyncio

import asyncpg
import pytest

from server.domain.ids import UserId
from server.domain.money import MONEY_MAX
from server.ledger import wallets
from server.ledger.accounts import platform_owner
from server.ledger.snapshots import WalletSnapshot, snapshots
from server.ledger.wallets import Credit, CreditConflictError
from tests.ledger.stage import Stage

ANN = UserId("ann")
BOB = UserId("bob")


async def test_a_viewer_gets_an_empty_wallet_by_acting_and_none_by_being_asked_about(stage: Stage) -> None:
    assert (await stage.wallets.balance(ANN)).coins == 0
    assert await snapshots(stage.pool, {ANN: stage.shard(ANN)}) == {}
    await stage.wallets.load(ANN)
    assert await stage.snapshot(ANN) == WalletSnapshot(coins=0, credit=0, epoch=1, number=0, blocked=False)


async def test_many_first_acts_at_once_make_one_wallet(stage: Stage) -> None:
    await asyncio.gather(*(wallets.open_wallet(stage.pool, ANN) for _ in range(8)))
    assert await stage.pool.fetchval("SELECT count(*) FROM accounts WHERE owner = 'ann'") == 1


async def test_the_same_reference_is_booked_once_however_often_and_at_once(stage: Stage) -> None:
    async def grant() -> int:
        return await wallets.grant(stage.pool, ANN, 100, "purchase", "order-1", "100 coins")

    assert set(await asyncio.gather(*(grant() for _ in range(8)))) == {1}
    assert await stage.balance("ann") == 100
    assert await grant() == 1


async def test_credits_at_once_get_all_numbers_and_all_coins(stage: Stage) -> None:
    numbers = await asyncio.gather(
        *(wallets.grant(stage.pool, ANN, 10, "promotion", f"p{i}", "") for i in range(12)),
        *(wallets.grant(stage.pool, BOB, 1, "promotion", f"b{i}", "") for i in range(3)),
    )
    assert sorted(numbers[:12]) == list(range(1, 13))
    assert sorted(numbers[12:]) == [1, 2, 3]
    assert (await stage.balance("ann"), await stage.balance("bob")) == (120, 3)


async def test_a_reference_is_not_booked_for_another_viewer_or_amount(stage: Stage) -> None:
    await wallets.grant(stage.pool, ANN, 100, "purchase", "order-1", "")
    for viewer, coins in ((BOB, 100), (ANN, 101)):
        with pytest.raises(CreditConflictError):
            await wallets.grant(stage.pool, viewer, coins, "purchase", "order-1", "")
    assert await wallets.grant(stage.pool, BOB, 100, "promotion", "order-1", "") == 1
    assert (await stage.balance("ann"), await stage.balance("bob")) == (100, 100)


@pytest.mark.parametrize(
    ("coins", "kind"), [(0, "purchase"), (-5, "purchase"), (MONEY_MAX + 1, "purchase"), (5, "gift")]
)
async def test_what_is_no_credit_is_refused(stage: Stage, coins: int, kind: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        await wallets.grant(stage.pool, ANN, coins, kind, "x", "")
    assert await stage.pool.fetchval("SELECT count(*) FROM postings") == 0


async def test_bought_and_given_coins_come_from_accounts_of_their_own(stage: Stage) -> None:
    await wallets.grant(stage.pool, ANN, 100, "purchase", "1", "")
    await wallets.grant(stage.pool, ANN, 30, "promotion", "2", "")
    await wallets.grant(stage.pool, ANN, 7, "correction", "3", "")
    platform = platform_owner(stage.shard(ANN))
    kinds = ("coins_purchased", "coins_promotional", "coins_corrected")
    assert [await stage.balance(platform, kind) for kind in kinds] == [-100, -30, -7]


async def test_credits_are_listed_after_a_number_and_swept_until_applied(stage: Stage) -> None:
    for i in range(4):
        await wallets.grant(stage.pool, ANN, 10 + i, "promotion", f"p{i}", "")
    assert await wallets.credits_after(stage.pool, ANN, 2) == [Credit(3, 12), Credit(4, 13)]
    assert await wallets.credits_after(stage.pool, ANN, 0, limit=1) == [Credit(1, 10)]
    assert await wallets.unapplied(stage.pool, 0, 10) == [ANN]
    assert await wallets.unapplied(stage.pool, 3600, 10) == []
    await wallets.mark_applied(stage.pool, ANN, 3)
    assert await wallets.unapplied(stage.pool, 0, 10) == [ANN]
    await wallets.mark_applied(stage.pool, ANN, 4)
    assert await wallets.unapplied(stage.pool, 0, 10) == []


async def test_a_name_and_a_block_are_kept_for_users_old_and_new(stage: Stage) -> None:
    await wallets.remember_user(stage.pool, ANN, "Ann")
    await wallets.remember_user(stage.pool, ANN, "Anna")
    assert await stage.pool.fetchval("SELECT name FROM users WHERE id = 'ann'") == "Anna"
    await wallets.set_blocked(stage.pool, BOB, True)
    await wallets.open_wallet(stage.pool, BOB)
    assert (await stage.snapshot(BOB)).blocked
    await wallets.set_blocked(stage.pool, BOB, False)
    assert not (await stage.snapshot(BOB)).blocked


async def test_the_database_refuses_a_posting_that_makes_money(stage: Stage) -> None:
    await wallets.grant(stage.pool, ANN, 100, "purchase", "1", "")
    account = await stage.pool.fetchval("SELECT id FROM accounts WHERE owner = 'ann'")
    with pytest.raises(asyncpg.RaiseError, match="sum to zero"):
        await stage.pool.execute("INSERT INTO entries VALUES (1000, $1, 5, 'coins')", account)


async def test_the_database_refuses_currencies_that_only_cancel_each_other(stage: Stage) -> None:
    with pytest.raises(asyncpg.RaiseError, match="sum to zero"):
        await stage.pool.execute("INSERT INTO entries VALUES (1000, 1, 5, 'coins'), (1000, 2, -5, 'diamonds')")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE entries SET amount = 2 * amount",
        "DELETE FROM entries",
        "TRUNCATE entries",
        "UPDATE postings SET at = now()",
        "DELETE FROM postings",
        "UPDATE gifts SET coins = 0",
        "DELETE FROM gifts",
    ],
)
async def test_what_is_booked_is_never_changed(stage: Stage, change: str) -> None:
    with pytest.raises(asyncpg.RaiseError, match="append-only"):
        await stage.pool.execute(change)


@pytest.mark.parametrize("owner", ["ann", "creator"])
async def test_a_balance_cannot_become_negative(stage: Stage, owner: str) -> None:
    await wallets.grant(stage.pool, ANN, 100, "purchase", "1", "")
    with pytest.raises(asyncpg.CheckViolationError, match="balance_not_negative"):
        await stage.pool.execute("UPDATE accounts SET balance = -1 WHERE owner = $1", owner)


async def test_a_wallet_can_be_below_zero_by_what_was_taken_back_and_no_other_account_can(stage: Stage) -> None:
    await wallets.grant(stage.pool, ANN, 100, "purchase", "1", "")
    await wallets.grant(stage.pool, ANN, -60, "refund", "1", "")
    await stage.pool.execute("UPDATE accounts SET balance = -60 WHERE owner = 'ann'")
    with pytest.raises(asyncpg.CheckViolationError, match="balance_not_negative"):
        await stage.pool.execute("UPDATE accounts SET balance = -61 WHERE owner = 'ann'")
    with pytest.raises(asyncpg.CheckViolationError, match="taken_back_from_a_wallet"):
        await stage.pool.execute("UPDATE accounts SET taken_back = 1 WHERE owner = 'creator'")
