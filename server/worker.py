"""One worker process: the log into the rooms, the log into the ledger, and the small duties that go with them."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import structlog

from server.collector import rare_collections
from server.domain.errors import Refusal
from server.economy.care.watch import FraudWatch
from server.economy.earning.duty import EarningDuty
from server.economy.payouts.wiring import payout_driver
from server.economy.recharge.cashier import Cashier
from server.economy.recharge.providers.registry import build_providers
from server.economy.recharge.sweeper import PurchaseSweeper
from server.economy.resealing import reseal
from server.economy.spending.placement_sweeper import PlacementSweeper
from server.economy.spending.ticket_sweeper import TicketSweeper
from server.ledger import answered, metrics, notices, partitions, step_up
from server.ledger.backoff import Outage
from server.ledger.creators.rollup import NUMBERS_MAX, Rollup
from server.ledger.installation import check_installation
from server.ledger.settling import SettlingLoop
from server.rooms.apply import RoomsReader
from server.rooms.badges import Badges
from server.rooms.room_ends import RoomEnds
from server.rooms.viewer_ranks import SAMPLE_EVERY_S, ViewerRanks
from server.settings import Settings
from server.start_error import StartError
from server.stop_signals import set_by_signals
from server.stores.both import connect_both
from server.stores.failures import STORE_AWAY
from server.stores.postgres import Pool
from server.wallet.balance_news import tell_balances
from server.wallet.credit_sweeper import CreditSweeper
from server.wallet.opening import ShardOpener
from server.wallet.wallets import Wallets
from server.worker_http import serve_status

log = structlog.get_logger()

SWEEP_EVERY_S = 2.0
WAITING_EVERY_S = 60.0
PARTITIONS_EVERY_S = 3_600.0
ANSWERS_EVERY_S = 60.0
FRAUD_EVERY_S = 300.0
EARNINGS_EVERY_S = 5.0
"""How far earnings, boards and levels may lag behind settlement. The rows they share are written once in this time for
each creator and gifter, however many gifts there were: at one second they cost Postgres half as much as settlement."""
PAYOUTS_EVERY_S = 1.0
RESEAL_EVERY_S = 3_600.0
NOTICES_EVERY_S = 300.0
REWARDS_EVERY_S = 2.0


async def run_worker(settings: Settings, *, stopping: asyncio.Event | None = None) -> None:
    """Works until SIGTERM or SIGINT, or until `stopping` is set; then finishes what is in the logs.

    Raises StartError when it cannot start. A part that fails later ends the process with code 1 and one line that names
    it, for the supervisor to start another one; stores that are away are no such failure.
    """
    stop = set_by_signals() if stopping is None else stopping
    async with AsyncExitStack() as stack:
        stores = await connect_both(settings, stack, stop)
        if stores is None:
            return
        client, pool = stores.redis, stores.pool
        await check_installation(pool, settings.wallet_shards)
        opener = ShardOpener(client, pool, settings)
        wallets = Wallets(client, pool, opener, settings)
        sweeper = CreditSweeper(client, pool, wallets, settings)
        earning = EarningDuty(client, pool, wallets, settings)
        tickets = TicketSweeper(client, pool, wallets, settings)
        watch = FraudWatch(pool, settings.fraud_coins_min)
        ended_placements = PlacementSweeper(client, pool, wallets, settings)
        viewer_ranks = ViewerRanks(client, pool)
        settling = SettlingLoop(client, pool, settings, opener.open)
        badges = Badges(client, pool)
        reader = RoomsReader(client, pool, settings, settings.worker_id, badges)
        ends = RoomEnds(client, pool, settings)
        providers = build_providers(settings, pool)
        stack.push_async_callback(providers.close)
        cashier = Cashier(
            pool,
            wallets,
            providers,
            hold_days=settings.refund_hold_days,
            tell=partial(tell_balances, client, settings.worker_id),
        )
        purchases = PurchaseSweeper(pool, cashier)
        rollup = Rollup(pool, settings.wallet_shards, badges.changed)
        parts = {
            "settlement": settling.run(stop),
            "rooms": reader.run(stop),
            "credits": _every(SWEEP_EVERY_S, stop, Outage("sweeping credits"), sweeper.sweep),
            "purchases": _every(SWEEP_EVERY_S, stop, Outage("sweeping purchases"), purchases.sweep),
            "payments": _every(WAITING_EVERY_S, stop, Outage("sweeping payments"), purchases.sweep_waiting),
            "room ends": _every(SWEEP_EVERY_S, stop, Outage("telling ends of rooms"), ends.tell),
            "partitions": _every(PARTITIONS_EVERY_S, stop, Outage("making partitions"), lambda: _make_partitions(pool)),
            "answers": _every(ANSWERS_EVERY_S, stop, Outage("forgetting answers"), lambda: _forget_answers(pool)),
            "notices": _every(NOTICES_EVERY_S, stop, Outage("forgetting notices"), lambda: _forget_notices(pool)),
            "nonces": _every(NOTICES_EVERY_S, stop, Outage("forgetting nonces"), earning.forget),
            "rewards": _every(REWARDS_EVERY_S, stop, Outage("giving rewards"), earning.work),
            "earnings": _every(EARNINGS_EVERY_S, stop, Outage("adding up earnings"), lambda: _add_up(rollup, stop)),
            "seals": _every(RESEAL_EVERY_S, stop, Outage("sealing anew"), lambda: _reseal(pool, settings)),
            "badges": _until(stop, badges.run()),
            "tickets": _every(SWEEP_EVERY_S, stop, Outage("ending tickets"), tickets.sweep),
            "fraud": _every(FRAUD_EVERY_S, stop, Outage("looking for fraud"), lambda: _look(watch)),
            "placements": _every(SWEEP_EVERY_S, stop, Outage("ending placements"), ended_placements.sweep),
            "ranks": _every(SAMPLE_EVERY_S, stop, Outage("counting viewers for ranks"), viewer_ranks.sample),
            "status": serve_status(settings, stop),
        }
        payouts = payout_driver(pool, settings)
        if payouts is not None:
            parts["payouts"] = _every(PAYOUTS_EVERY_S, stop, Outage("driving payouts"), payouts.drive)
        stack.enter_context(rare_collections())
        log.info("working", wallet_shards=settings.wallet_shards)
        try:
            async with asyncio.TaskGroup() as group:
                for name, part in parts.items():
                    group.create_task(part, name=name)
        except* StartError as errors:
            raise errors.exceptions[0] from None
        except* Exception as errors:
            first = errors.exceptions[0]
            log.critical("worker ends: a part of it failed", error=f"{type(first).__name__}: {first}", exc_info=first)
            raise SystemExit(1) from errors
        await _drain(settings.drain_timeout_s, settling, reader)


async def _drain(timeout_s: float, settling: SettlingLoop, reader: RoomsReader) -> None:
    """Brings what is in the logs into rooms and ledger; what the timeout leaves waits there for the next worker."""
    try:
        async with asyncio.timeout(timeout_s):
            await asyncio.gather(reader.drain(), settling.drain())
    except (*STORE_AWAY, TimeoutError) as error:
        log.warning("stopped with gifts still in the logs; the next worker goes on", error=type(error).__name__)
    else:
        log.info("drained")


async def _until(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Does work that has no end until `stop`."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if working.done():
        working.result()
    working.cancel()
    stopping.cancel()
    await asyncio.wait({working, stopping})


async def _every(period_s: float, stop: asyncio.Event, outage: Outage, duty: Callable[[], Awaitable[None]]) -> None:
    """Does a duty now and then until `stop`; a store that is away puts it off to the next time, and is said once."""
    while not stop.is_set():
        try:
            await duty()
        except (*STORE_AWAY, Refusal) as error:
            outage.failed(error)
        else:
            outage.over()
        try:
            await asyncio.wait_for(stop.wait(), period_s)
        except TimeoutError:
            continue


async def _make_partitions(pool: Pool) -> None:
    async with pool.acquire() as conn:
        made = await partitions.make_ahead(conn)
    metrics.PARTITIONS_MADE.inc(len(made))
    if made:
        log.info("partitions made", first=made[0], last=made[-1])


async def _forget_answers(pool: Pool) -> None:
    await answered.forget(pool)
    await step_up.forget_confirmations(pool)


async def _forget_notices(pool: Pool) -> None:
    await notices.forget(pool)


async def _reseal(pool: Pool, settings: Settings) -> None:
    await reseal(pool, settings)


async def _add_up(rollup: Rollup, stop: asyncio.Event) -> None:
    """Until less is left than one transaction takes: what is settled meanwhile is dearer now than with what follows it.

    What is left at the stop waits for the next worker.
    """
    while not stop.is_set() and await rollup.add_up() >= NUMBERS_MAX:
        continue


async def _look(watch: FraudWatch) -> None:
    await watch.look()
