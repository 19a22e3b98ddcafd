"""One worker process: the log into the rooms, the log into the ledger, and the small duties that go with them."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from server.domain.errors import Refusal
from server.ledger import metrics, partitions
from server.ledger.backoff import Outage
from server.ledger.installation import check_installation
from server.ledger.settling import SettlingLoop
from server.rooms.apply import RoomsReader
from server.rooms.room_ends import RoomEnds
from server.settings import Settings
from server.start_error import StartError
from server.stores import postgres, redis
from server.stores.failures import STORE_AWAY
from server.stores.postgres import Pool
from server.wallet.credit_sweeper import CreditSweeper
from server.wallet.opening import ShardOpener
from server.wallet.wallets import Wallets
from server.worker_http import serve_status

log = structlog.get_logger()

STORES_WAIT_S = 30.0
"""How long a worker waits for stores that do not answer at its start."""
STORES_POLL_S = 0.5

SWEEP_EVERY_S = 2.0
PARTITIONS_EVERY_S = 3_600.0


async def run_worker(settings: Settings, *, stopping: asyncio.Event | None = None) -> None:
    """Works until SIGTERM or SIGINT, or until `stopping` is set; then finishes what is in the logs.

    Raises StartError when it cannot start. A part that fails later ends the process with code 1 and one line that names
    it, for the supervisor to start another one; stores that are away are no such failure.
    """
    stop = _set_by_signals() if stopping is None else stopping
    async with AsyncExitStack() as stack:
        stores = await _connect(settings, stack, stop)
        if stores is None:
            return
        client, pool = stores
        await check_installation(pool, settings.wallet_shards)
        opener = ShardOpener(client, pool, settings)
        sweeper = CreditSweeper(client, pool, Wallets(client, pool, opener, settings), settings)
        settling = SettlingLoop(client, pool, settings, opener.open)
        reader = RoomsReader(client, pool, settings, settings.worker_id)
        ends = RoomEnds(client, pool, settings)
        parts = {
            "settlement": settling.run(stop),
            "rooms": reader.run(stop),
            "credits": _every(SWEEP_EVERY_S, stop, Outage("sweeping credits"), sweeper.sweep),
            "room ends": _every(SWEEP_EVERY_S, stop, Outage("telling ends of rooms"), ends.tell),
            "partitions": _every(PARTITIONS_EVERY_S, stop, Outage("making partitions"), lambda: _make_partitions(pool)),
            "status": serve_status(settings, stop),
        }
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


async def _connect(settings: Settings, stack: AsyncExitStack, stop: asyncio.Event) -> tuple[Redis, Pool] | None:
    """Both stores, ready to be used; waits a while for them. None when told to stop meanwhile. Raises StartError."""
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + STORES_WAIT_S
    client = await redis.connect(settings.redis_url)
    stack.push_async_callback(client.aclose)
    waiting = False
    while not stop.is_set():
        try:
            await redis.load_functions(client)
            pool = await postgres.connect(settings.database_url, size_max=settings.database_connections_max)
        except STORE_AWAY as error:
            store = "Redis" if isinstance(error, RedisError) else "Postgres"
            if loop.time() > deadline_s:
                raise StartError(f"{store} does not answer: {type(error).__name__}") from error
            if not waiting:
                log.warning("waiting for the stores", store=store, error=type(error).__name__, wait_s=STORES_WAIT_S)
            waiting = True
            await asyncio.sleep(STORES_POLL_S)
        else:
            stack.push_async_callback(pool.close)
            return client, pool
    return None


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


def _set_by_signals() -> asyncio.Event:
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, event.set)
    return event
