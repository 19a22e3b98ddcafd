"""The audit holds while gifts flow, and names whatever somebody changed by hand."""

import asyncio
from collections.abc import Awaitable, Callable

import orjson
import pytest
from redis.asyncio import Redis

from server.domain.controls import Period
from server.domain.gift import Accepted
from server.domain.ids import UserId
from server.ledger import controls, wallets
from server.ledger.auditing import budgets, rooms
from server.ledger.auditing.report import AuditReport
from server.ledger.settle import Settler
from server.stores import keys
from server.stores.redis import load_functions
from server.wallet.credit_sweeper import CreditSweeper
from tests.ledger.stage import CREATOR, ROOM, Stage, StageRoom
from tests.wallet.held import changed_controls, changed_wallet, wallet_fields

CHECKS = [
    "coins_conserved",
    "wallets_match_ledger",
    "budgets_match",
    "no_negative_balance",
    "gifts_settled_once",
    "double_entry",
    "numbers_without_gap",
    "room_totals",
    "creators_diamonds",
    "corrections_approved_by_two",
    "earnings_added_up",
    "items_delivered",
    "returns_booked_once",
    "boards_added_up",
    "purchases_credited_once",
    "refunds_follow_claims",
    "holds_match_postings",
    "payouts",
    "rewards_credited_once",
    "rewards_earned",
    "promotion_budgets",
    "challenge_progress",
]


async def test_nothing_at_all_is_all_right(stage: Stage) -> None:
    report = await stage.audit()
    assert report.ok, report.render()
    assert [check.name for check in report.checks] == CHECKS
    assert report.totals["coins_issued"] == report.totals["gifts_settled"] == 0


async def test_stores_that_never_served_are_all_right(stage: Stage) -> None:
    await stage.redis.flushall()
    await stage.redis.execute_command("FUNCTION FLUSH")
    report = await stage.audit()
    assert report.ok, report.render()


async def test_every_coin_is_found_where_it_is(stage: Stage) -> None:
    await stage.viewer("ann", 1_000, "purchase")
    await stage.viewer("bea", 500)
    await stage.viewer("cat", 10, "correction")
    await stage.give("ann", "rose", 300)
    await stage.settle()
    await stage.give("ann", "rose", 40)
    await stage.give("bea", "rose", 60)
    await wallets.grant(stage.pool, UserId("ann"), 7, "promotion", "on its way", "")
    await stage.redis.delete(keys.wallet(stage.shard("cat"), 1, "cat"))
    report = await stage.audit()
    assert report.ok, report.render()
    expected = {
        "coins_issued": 1_517,
        "coins_purchased": 1_000,
        "coins_promotional": 507,
        "coins_corrected": 10,
        "coins_held": 660 + 440 + 10,
        "coins_unapplied": 7,
        "coins_unsettled": 100,
        "coins_quarantined": 0,
        "coins_settled": 300,
        "diamonds_earned": 300,
        "diamonds_available": 300,
        "gifts_settled": 1,
        "gifts_unsettled": 2,
        "wallets_in_redis": 2,
    }
    assert expected.items() <= report.totals.items()


async def test_the_report_is_one_json_object_and_reads_well(stage: Stage) -> None:
    report = await stage.audit()
    shown = orjson.loads(orjson.dumps(report.as_dict()))
    assert shown["ok"] is True
    assert {tuple(check) for check in shown["checks"]} == {("name", "ok", "detail")}
    assert f"All {len(CHECKS)} checks hold." in report.render()


async def test_it_is_exact_while_gifts_credits_settlement_and_rooms_go_on(stage: Stage) -> None:
    viewers = [f"v{i}" for i in range(12)]
    await stage.room("r_2", "mia")
    for viewer in viewers:
        await stage.viewer(viewer, 100_000)
    stop = asyncio.Event()

    async def give(viewer: str) -> None:
        room = StageRoom() if viewer < "v2" else StageRoom("r_2", "mia")
        while not stop.is_set():
            await stage.give(viewer, times=3, room=room)

    async def settle(settler: Settler) -> None:
        while not stop.is_set():
            for shard in range(stage.settings.wallet_shards):
                await settler.settle_once(shard)

    async def credit() -> None:
        while not stop.is_set():
            for viewer in viewers:
                await stage.viewer(viewer, 5)

    other = Settler(stage.redis, stage.pool, stage.settings)
    work = [*map(give, viewers), settle(stage.settler), settle(other), credit(), stage.reader.run(stop)]
    running = [asyncio.create_task(task) for task in work]  # type: ignore[arg-type]
    unsettled = 0
    try:
        for _ in range(6):
            report = await stage.audit()
            assert report.ok, report.render()
            unsettled += report.totals["gifts_unsettled"]
    finally:
        stop.set()
        await asyncio.gather(*running)
    assert unsettled > 0
    await stage.settle()
    await stage.reader.drain()
    report = await stage.audit()
    assert report.ok, report.render()
    assert report.totals["gifts_unsettled"] == 0


async def test_whoever_comes_and_gives_while_redis_is_read_is_all_right(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wallet was loaded after the wallets were read, and its gift is in the log that is read on."""
    read_rooms = rooms.read_rooms

    async def later(redis: Redis) -> list[rooms.HeldRoom]:
        await stage.give("ann", count=3)
        return await read_rooms(redis)

    await wallets.grant(stage.pool, UserId("ann"), 10, "promotion", "not in Redis yet", "")
    monkeypatch.setattr(rooms, "read_rooms", later)
    report = await stage.audit()
    assert report.ok, report.render()
    assert (report.totals["coins_unsettled"], report.totals["coins_held"]) == (3, 7)


async def test_a_room_that_is_not_caught_up_is_not_compared(stage: Stage) -> None:
    """It lacks what a worker is about to bring in."""
    await stage.viewer("ann", 100)
    await stage.give("ann", times=3)
    await stage.reader.drain()
    await stage.redis.hset(keys.room(ROOM), mapping={"gifts": 1, "caught_up": 0})
    assert (await stage.audit()).ok
    await stage.redis.hset(keys.room(ROOM), "caught_up", 1)
    assert not (await stage.audit()).ok


async def test_a_room_that_lags_behind_the_ledger_or_runs_ahead_of_it_is_all_right(stage: Stage) -> None:
    await stage.viewer("ann", 100)
    await stage.give("ann", times=3)
    await stage.reader.drain()
    await stage.give("ann", times=4)
    await stage.settle()
    behind = await stage.audit()
    assert behind.ok, behind.render()
    await stage.give("ann", times=5)
    await stage.reader.drain()
    ahead = await stage.audit()
    assert ahead.ok, ahead.render()
    assert await stage.redis.hget(keys.room(ROOM), "gifts") == b"12"


async def test_a_redis_that_lost_everything_is_said_and_the_ledger_is_right(stage: Stage) -> None:
    await stage.viewer("ann", 100)
    await stage.give("ann", times=3)
    await stage.settle()
    await stage.redis.flushall()
    report = await stage.audit()
    assert report.ok, report.render()
    assert report.totals["shards_to_begin_anew"] == stage.settings.wallet_shards
    assert report.totals["coins_held"] == 97


Tamper = Callable[[Stage], Awaitable[object]]


def ann_key(stage: Stage) -> str:
    return keys.wallet(stage.shard("ann"), 1, "ann")


async def _change_ann(stage: Stage, **added: int) -> None:
    held = await stage.redis.get(ann_key(stage))
    fields = {name: wallet_fields(held)[name] + by for name, by in added.items()}
    await stage.redis.set(ann_key(stage), changed_wallet(held, **fields), keepttl=True)


async def _coins_in_redis(stage: Stage) -> None:
    await _change_ann(stage, coins=1)


async def _pending_in_redis(stage: Stage) -> None:
    await _change_ann(stage, pending=1)


async def _wallet_gone_from_redis(stage: Stage) -> None:
    await stage.redis.delete(ann_key(stage))


async def _negative_in_redis(stage: Stage) -> None:
    await _change_ann(stage, coins=-1_000_000)


async def _credit_ahead_in_redis(stage: Stage) -> None:
    await _change_ann(stage, credit=1)


async def _log_entry_gone(stage: Stage) -> None:
    [(entry, _)] = await stage.redis.xrange(keys.shard_log(stage.shard("ann")), "-", "+", count=1)
    await stage.redis.xdel(keys.shard_log(stage.shard("ann")), entry)


async def _settled_mark_too_far(stage: Stage) -> None:
    await stage.redis.hincrby(keys.shard(stage.shard("ann")), "settled", 1)


async def _applied_mark_too_far(stage: Stage) -> None:
    await stage.redis.hincrby(keys.shard(stage.shard("ann")), "applied", 1000)


async def _room_total_in_redis(stage: Stage) -> None:
    await stage.redis.hincrby(keys.room(ROOM), "diamonds", 1)


async def _gifter_in_redis(stage: Stage) -> None:
    await stage.redis.zincrby(keys.room_top(ROOM), 1, "ann")


async def _gift_twice(stage: Stage) -> None:
    await stage.execute(
        "INSERT INTO gifts SELECT at_us + 1, number, coins_after, combo, combo_first, coins, diamonds, epoch, version,"
        " count, shard, viewer_id, room_id, creator_id, gift_id, request_id || 'x' FROM gifts WHERE number = 1"
    )


TAMPERINGS: dict[str, tuple[Tamper | str, str]] = {
    "coins in Redis": (_coins_in_redis, "wallets_match_ledger"),
    "coins in Redis are conserved by nobody": (_coins_in_redis, "coins_conserved"),
    "pending coins in Redis": (_pending_in_redis, "wallets_match_ledger"),
    "a wallet with unsettled gifts lost": (_wallet_gone_from_redis, "wallets_match_ledger"),
    "a negative wallet in Redis": (_negative_in_redis, "no_negative_balance"),
    "a credit that the ledger never gave": (_credit_ahead_in_redis, "wallets_match_ledger"),
    "a log entry lost": (_log_entry_gone, "numbers_without_gap"),
    "trimmed before it was settled": (_settled_mark_too_far, "numbers_without_gap"),
    "applied past the log": (_applied_mark_too_far, "numbers_without_gap"),
    "a room's total in Redis": (_room_total_in_redis, "room_totals"),
    "a gifter in Redis": (_gifter_in_redis, "room_totals"),
    "an account's balance": ("UPDATE accounts SET balance = balance + 1 WHERE owner = 'ann'", "double_entry"),
    "a balance that no wallet shows": (
        "UPDATE accounts SET balance = balance - 1 WHERE kind = 'coins_promotional' AND balance < 0",
        "coins_conserved",
    ),
    "an entry's amount": ("UPDATE entries SET amount = amount * 2", "double_entry"),
    "an entry lost": ("DELETE FROM entries WHERE amount > 0", "double_entry"),
    "an entry without an account": (
        "UPDATE entries SET account_id = -account_id WHERE amount > 0",
        "double_entry",
    ),
    "an entry in another currency": ("UPDATE entries SET currency = 'diamonds' WHERE amount > 0", "double_entry"),
    "a credit lost": ("DELETE FROM credits WHERE user_id = 'bea'", "coins_conserved"),
    "a credit that was never posted": ("UPDATE credits SET coins = coins + 1 WHERE user_id = 'bea'", "double_entry"),
    "a gift lost": ("DELETE FROM gifts WHERE number = 1", "numbers_without_gap"),
    "the last gift lost": ("DELETE FROM gifts WHERE number = 3", "numbers_without_gap"),
    "a gift that nobody was charged for": ("UPDATE gifts SET coins = coins + 1 WHERE number = 1", "double_entry"),
    "a gift settled twice": (_gift_twice, "gifts_settled_once"),
    "a gift settled and in quarantine": (
        "INSERT INTO quarantine (shard, epoch, number, reason, record) SELECT shard, epoch, number, 'x', '' FROM gifts",
        "gifts_settled_once",
    ),
    "a gift past the cursor": ("UPDATE shards SET number = number - 1 WHERE number > 0", "gifts_settled_once"),
    "a request charged twice": ("UPDATE gifts SET request_id = 'same'", "gifts_settled_once"),
    "a cursor moved on": ("UPDATE shards SET number = number + 1 WHERE number > 0", "numbers_without_gap"),
    "a cursor past the log": ("UPDATE shards SET number = number + 100 WHERE number > 0", "numbers_without_gap"),
    "a creator's diamonds": (
        "UPDATE accounts SET balance = balance + 1 WHERE owner = 'creator' AND kind = 'diamonds_available'",
        "creators_diamonds",
    ),
    "diamonds moved out of nowhere": (
        "UPDATE accounts SET balance = balance + 1 WHERE owner = 'creator' AND kind = 'diamonds_paid'",
        "creators_diamonds",
    ),
    "a gift of another creator": ("UPDATE gifts SET creator_id = 'mia' WHERE number = 1", "creators_diamonds"),
    "a room's total": ("UPDATE rooms SET gifts = gifts + 1", "room_totals"),
    "a room's gifter": ("UPDATE room_gifters SET coins = coins + 1", "room_totals"),
    "a room's gifter lost": ("DELETE FROM room_gifters", "room_totals"),
    "a gift of another room": ("UPDATE gifts SET room_id = 'r_2' WHERE number = 1", "room_totals"),
}


@pytest.mark.parametrize("what", TAMPERINGS)
async def test_tampering_is_found_and_named(stage: Stage, what: str) -> None:
    tamper, named = TAMPERINGS[what]
    await stage.viewer("ann", 1_000)
    await stage.viewer("bea", 500, "purchase")
    await stage.give("ann", times=3)
    await stage.settle()
    await stage.reader.drain()
    await stage.give("ann", "rose", 5)
    before = await stage.audit()
    assert before.ok, before.render()
    await (stage.execute(tamper) if isinstance(tamper, str) else tamper(stage))
    after = await stage.audit()
    assert not after.ok
    assert named in failed(after), after.render()
    assert "FAILED" in after.render()


async def _limit_ann(stage: Stage, coins: int = 500) -> None:
    async with stage.pool.acquire() as conn, conn.transaction():
        await controls.change_limit(conn, UserId("ann"), Period.WEEK, coins)
    await stage.wallets.refresh("ann")


BUDGET_TAMPERINGS: dict[str, tuple[int, int] | str] = {
    "spent this day": (3, 1),
    "spent this week": (6, -1),
    "spent this month": (9, 1),
    "limit of the week": (5, 100),
    "pause in Redis": (1, 10),
    "has version 4 of the controls, the ledger has 2": (0, 2),
    "spent this day in Redis: 16 instead of 15": "UPDATE gifts SET coins = coins - 1 WHERE number = 1",
    "spent this day in Redis: 16 instead of 11": (
        "INSERT INTO credits (user_id, number, coins, kind, reference, reason, spent_at_us)"
        " SELECT 'ann', 2, 5, 'return', '', '', max(at_us) FROM gifts"
    ),
}


@pytest.mark.parametrize("what", BUDGET_TAMPERINGS)
async def test_a_budget_that_is_not_what_was_spent_is_found(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Set while some gifts are settled and some are not; others follow."""
    monkeypatch.setattr(budgets, "CLOCK_SLACK_S", 0)
    await stage.viewer("ann", 1_000)
    await stage.give("ann", count=4, times=2)
    await stage.settle()
    await stage.give("ann", count=5)
    await _limit_ann(stage)
    await stage.give("ann", count=3)
    if isinstance(tamper := BUDGET_TAMPERINGS[what], str) and "credits" in tamper:
        await _change_ann(stage, credit=1)
    before = await stage.audit()
    assert "budgets_match" not in failed(before), before.render()
    assert "1 wallets with budgets" in before.render()
    if isinstance(tamper, str):
        await stage.execute(tamper)
    else:
        held = await stage.redis.get(ann_key(stage))
        await stage.redis.set(ann_key(stage), changed_controls(held, *tamper), keepttl=True)
    after = await stage.audit()
    assert "budgets_match" in failed(after)
    assert what in next(check.detail for check in after.checks if check.name == "budgets_match")


async def test_a_budget_that_a_wallet_has_lost_is_found(stage: Stage) -> None:
    """Unless its Redis came back older a moment ago, and is about to be compared."""
    await stage.viewer("ann", 1_000)
    older = await stage.redis.dump(ann_key(stage))
    await _limit_ann(stage)
    await _limit_ann(stage, 5)
    sweeper = CreditSweeper(stage.redis, stage.pool, stage.wallets, stage.settings)
    await sweeper.sweep()
    assert "budgets_match" not in failed(await stage.audit())
    await stage.redis.restore(ann_key(stage), 0, older, replace=True)
    await stage.give("ann", count=104)
    report = await stage.audit()
    assert failed(report) == {"budgets_match"}, report.render()
    assert "ann: Redis has version 0 of the controls, it had 3" in report.render()
    await stage.redis.function_flush()
    await load_functions(stage.redis)
    await stage.opener.open_all()
    assert "budgets_match" not in failed(await stage.audit())
    await sweeper.sweep()
    report = await stage.audit()
    assert "budgets_match" not in failed(report), report.render()
    assert "wallets with budgets" in report.render()
    assert (await stage.wallets.balance("ann")).controls_version == 3


async def test_budgets_are_compared_as_far_as_can_be_told(stage: Stage) -> None:
    """Not around midnight, where clocks that are set back decide, nor with gifts whose record could not be read."""
    await stage.viewer("ann", 1_000)
    await stage.give("ann", count=5)
    await stage.settle()
    await _limit_ann(stage)
    await stage.execute("UPDATE gifts SET at_us = at_us / 86400000000 * 86400000000 - 3600000000")
    report = await stage.audit()
    assert "budgets_match" not in failed(report), report.render()
    assert "0 wallets with budgets, 1 more but for gifts around the beginning of a period" in report.render()
    await stage.execute("UPDATE gifts SET at_us = at_us - 3600000000")
    assert "budgets_match" in failed(await stage.audit())
    await stage.execute(
        "INSERT INTO quarantine (shard, epoch, number, reason, record, viewer_id) VALUES (0, 1, 9, 'x', '', 'ann')"
    )
    report = await stage.audit()
    assert "budgets_match" not in failed(report), report.render()
    assert "1 with records that are not whole not compared" in report.render()


async def test_a_negative_balance_in_the_ledger_is_found_unless_as_much_was_taken_back(stage: Stage) -> None:
    await stage.viewer("ann", 10)
    await stage.redis.delete(ann_key(stage))
    await stage.pool.execute("ALTER TABLE accounts DROP CONSTRAINT balance_not_negative")
    await stage.execute("UPDATE accounts SET balance = -1 WHERE owner = 'ann'")
    assert "no_negative_balance" in failed(await stage.audit())
    await stage.execute("UPDATE accounts SET taken_back = 1 WHERE owner = 'ann'")
    assert "1 coins are noted as taken back" in (await stage.audit()).render()
    await stage.execute(
        "INSERT INTO credits (user_id, number, coins, kind, reference, reason) VALUES ('ann', 2, -1, 'refund', '', '')"
    )
    assert "no_negative_balance" not in failed(await stage.audit())


async def test_paid_and_held_diamonds_are_part_of_what_was_earned(stage: Stage) -> None:
    await stage.viewer("ann", 100)
    answers = await stage.give("ann", "rose", 10)
    assert all(isinstance(answer, Accepted) for answer in answers)
    await stage.settle()
    available, held, paid = [
        await stage.pool.fetchval("SELECT id FROM accounts WHERE owner = $1 AND kind = $2", CREATOR, kind)
        for kind in ("diamonds_available", "diamonds_held", "diamonds_paid")
    ]
    await stage.execute(
        "INSERT INTO entries VALUES (900, $1, -7, 'diamonds'), (900, $2, 3, 'diamonds'), (900, $3, 4, 'diamonds')",
        available,
        held,
        paid,
    )
    for account, amount in ((available, -7), (held, 3), (paid, 4)):
        await stage.execute("UPDATE accounts SET balance = balance + $2 WHERE id = $1", account, amount)
    report = await stage.audit()
    assert failed(report) == {"payouts"}, report.render()  # there is no cash-out that moved them
    assert [report.totals[f"diamonds_{kind}"] for kind in ("available", "held", "paid")] == [3, 3, 4]


def failed(report: AuditReport) -> set[str]:
    return {check.name for check in report.checks if not check.ok}
