"""The audit: every promise about money, checked across Redis and Postgres, exactly, also while gifts flow.

The cursors of all shards are locked, so that settlement stands still while gifts go on. Redis is read: each wallet with
its shard's place in that moment, the logs, the rooms. Then the ledger's snapshot is taken, which therefore has at
least the credits that Redis has, and the cursors are let go; what follows are reads of that snapshot. Another one is
taken before Redis is read: what it says of a wallet, the wallet has at least.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from redis.asyncio import Redis

from server.ledger.auditing import (
    adjustments,
    books,
    budgets,
    earnings,
    payouts,
    purchases,
    rewards,
    rooms,
    spending,
    wallets,
)
from server.ledger.auditing.redis_view import RedisView
from server.ledger.auditing.report import AuditReport, Check, Findings
from server.ledger.installation import check_installation
from server.ledger.shards import Cursor
from server.settings import Settings
from server.stores import postgres
from server.stores.postgres import Connection, Pool
from server.stores.redis import connect as connect_redis

__all__ = ["AuditReport", "audit"]

LOCK_TIMEOUT_S = 30.0
"""How long the audit waits for settlement to come to rest."""
WORK_MEM_MB = 128
"""What Postgres may use for each sort and hash table of the audit, before it goes to disk."""


async def audit(settings: Settings) -> AuditReport:
    """Checks all invariants. Raises what the stores raise, MigrationError when the schema does not fit."""
    redis = await connect_redis(settings.redis_url)
    try:
        pool = await postgres.connect(settings.database_url, size_max=3)
        try:
            await check_installation(pool, settings.wallet_shards)
            return await _audit(redis, pool, settings)
        finally:
            await pool.close()
    finally:
        await redis.aclose()


async def _audit(redis: Redis, pool: Pool, settings: Settings) -> AuditReport:
    gaps = Findings("numbers_without_gap")
    async with (
        pool.acquire() as holding,
        pool.acquire() as before,
        pool.acquire() as conn,
        AsyncExitStack() as snapshots,
    ):
        held = holding.transaction()
        await held.start()
        try:
            rows = await holding.fetch(
                "SELECT shard, epoch, number, compared FROM shards ORDER BY shard FOR UPDATE", timeout=LOCK_TIMEOUT_S
            )
            await snapshots.enter_async_context(_snapshot(before))
            cursors = {row["shard"]: Cursor(row["epoch"], row["number"]) for row in rows}
            view = RedisView(redis, cursors, {row["shard"]: row["compared"] for row in rows})
            await view.read(gaps)
            held_rooms = await rooms.read_rooms(redis)
            await view.read_on(gaps)
            await snapshots.enter_async_context(_snapshot(conn))
        finally:
            await held.rollback()
        return await _check(conn, before, view, held_rooms, gaps=gaps, settings=settings)


@asynccontextmanager
async def _snapshot(conn: Connection) -> AsyncIterator[None]:
    """All that is read on a connection is of this moment."""
    snapshot = conn.transaction(isolation="repeatable_read", readonly=True)
    await snapshot.start()
    try:
        # Also takes the snapshot, as a transaction's first query does.
        await conn.execute(f"SELECT set_config('work_mem', '{WORK_MEM_MB}MB', true)")
        yield
    finally:
        await snapshot.rollback()


async def _check(
    conn: Connection,
    before: Connection,
    view: RedisView,
    held_rooms: list[rooms.HeldRoom],
    *,
    gaps: Findings,
    settings: Settings,
) -> AuditReport:
    shards = list(view.shards.values())
    negative = Findings("no_negative_balance")
    wallets_match, sums = await wallets.check_wallets(conn, shards, negative)
    coins_conserved, totals = await wallets.coin_totals(conn, sums)
    room_totals = Findings("room_totals")
    await books.check_room_rows(conn, room_totals)
    void = await rooms.check_rooms(conn, held_rooms, view.shards, room_totals)
    loaded = f"{len(held_rooms)} rooms in Redis" + (
        f", {void} of them about to be loaded anew or brought up to date" if void else ""
    )
    cursors = {shard.shard: shard.cursor for shard in shards}
    checks: list[Check] = [
        coins_conserved,
        wallets_match,
        await budgets.check_budgets(conn, before, shards),
        await books.check_balances(conn, negative),
        await books.check_settled_once(conn, settings.dedupe_s),
        await books.check_entries(conn),
        await books.check_numbers(conn, cursors, gaps),
        room_totals.check(loaded),
        await books.check_creators(conn),
        await adjustments.check_adjustments(conn),
        await earnings.check_earnings(conn),
        *await spending.checks(conn),
        await purchases.check_purchases(conn),
        await purchases.check_taken_back(conn),
        await purchases.check_holds(conn),
        await payouts.check_payouts(conn),
        *await rewards.check_rewards(conn),
    ]
    waiting = sum(max(0, shard.window.to - shard.cursor.number) for shard in shards)
    totals |= (
        await books.other_totals(conn)
        | await purchases.purchase_totals(conn)
        | {
            "gifts_unsettled": waiting,
            "wallets_in_redis": sums.wallets_loaded,
            "rooms_in_redis": len(held_rooms),
            "shards_to_begin_anew": sum(not shard.serving and shard.cursor.epoch > 0 for shard in shards),
        }
    )
    return AuditReport(checks, totals)
