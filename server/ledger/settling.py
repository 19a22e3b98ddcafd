"""When which shard is settled: full batches at once, the rest every settle_interval_ms, a few shards at a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from server.ledger import metrics
from server.ledger.backoff import Outage
from server.ledger.log import ForeignRedisError, LogGapError
from server.ledger.settle import Settler
from server.ledger.shards import ShardState, read_states, record_incident
from server.settings import Settings
from server.stores.failures import POSTGRES_AWAY, REDIS_AWAY, STORE_AWAY
from server.stores.postgres import Pool
from server.stores.redis import is_missing_function

SHARDS_AT_ONCE = 3
LOOKS_PER_INTERVAL = 5
LOOK_S_MIN = 0.01
DRAIN_LOOK_S = 0.02

_INCIDENTS: dict[type[Exception], str] = {LogGapError: "gap_in_log", ForeignRedisError: "foreign_redis"}
"""Faults of a shard that an operator has to look at, and what they are called on record."""


class SettlingLoop:
    """Keeps settling all shards; outages, and faults of single shards, are waited out and never raised.

    open_shard: opens a shard that Redis does not serve, after a restart; before that it hears nothing of settlement.
    """

    def __init__(
        self, redis: Redis, pool: Pool, settings: Settings, open_shard: Callable[[int], Awaitable[None]]
    ) -> None:
        self._redis = redis
        self._pool = pool
        self._batch = settings.settle_batch
        self._interval_s = settings.settle_interval_ms / 1000
        self._look_s = max(LOOK_S_MIN, self._interval_s / LOOKS_PER_INTERVAL)
        self._settler = Settler(redis, pool, settings)
        self._open_shard = open_shard
        self._running: dict[int, asyncio.Task[None]] = {}
        self._away = {store: Outage("settlement", store=store) for store in ("redis", "postgres")}
        shards = range(settings.wallet_shards)
        self._faults = {shard: Outage("settlement", shard=shard) for shard in shards}
        self._began_at = dict.fromkeys(shards, 0.0)
        self._moved: dict[int, tuple[tuple[int, int], float]] = dict.fromkeys(shards, ((0, 0), 0.0))
        self._waiting: dict[int, int] = {}
        """Unsettled gifts of each shard that has some, as of the last look."""

    async def run(self, stop: asyncio.Event) -> None:
        """Settles until `stop`; batches under way are finished."""
        stopping = asyncio.create_task(stop.wait())
        try:
            look_at_s = 0.0
            while not stop.is_set():
                if (now_s := time.monotonic()) >= look_at_s:
                    look_at_s = now_s + self._look_s
                    await self._look()
                self._start_due()
                await asyncio.wait(
                    [stopping, *self._running.values()],
                    timeout=look_at_s - time.monotonic(),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                self._reap()
        finally:
            stopping.cancel()
            await asyncio.gather(*self._running.values())
            self._reap()

    async def drain(self) -> None:
        """Settles what is left and returns when nothing is. Bound it with a timeout: a store may be away."""
        while True:
            looked = await self._look()
            self._start_due(at_once=True)
            if looked and not self._waiting and not self._running:
                return
            if self._running:
                await asyncio.wait(self._running.values(), return_when=asyncio.FIRST_COMPLETED)
            else:
                await asyncio.sleep(DRAIN_LOOK_S)
            self._reap()

    async def _look(self) -> bool:
        """Looks how much is waiting in each shard; False when a store is away, and nothing is to be started then."""
        self._waiting = {}
        if any(outage.paused for outage in self._away.values()):
            return False
        try:
            self._waiting = self._unsettled(await self._states())
        except STORE_AWAY as error:
            self._note_outage(error)
            return False
        self._away["redis"].over()
        return True

    def _start_due(self, *, at_once: bool = False) -> None:
        """Starts settling the shards that are due, longest backlog first."""
        if any(outage.paused for outage in self._away.values()):
            return
        now = time.monotonic()
        due = [
            shard
            for shard, gifts in sorted(self._waiting.items(), key=lambda item: -item[1])
            if shard not in self._running
            and not self._faults[shard].paused
            and (at_once or gifts >= self._batch or now - self._began_at[shard] >= self._interval_s)
        ]
        for shard in due[: SHARDS_AT_ONCE - len(self._running)]:
            self._began_at[shard] = now
            self._running[shard] = asyncio.create_task(self._settle(shard), name=f"settle-{shard}")

    async def _states(self) -> list[ShardState]:
        """All shards, open. A Redis that was restarted or wiped gets its functions and its epochs here."""
        shards = len(self._faults)
        try:
            states = await read_states(self._redis, shards)
        except ResponseError as error:
            if not is_missing_function(error):
                raise
            await self._open_shard(0)
            states = await read_states(self._redis, shards)
        for shard, state in enumerate(states):
            if not state.opened:
                await self._open_shard(shard)
                self._away["postgres"].over()
        return states

    def _unsettled(self, states: list[ShardState]) -> dict[int, int]:
        """Unsettled gifts of each shard that has some."""
        now = time.monotonic()
        waiting, lag_s = {}, 0.0
        for shard, state in enumerate(states):
            place = (state.epoch, state.settled)
            if state.number == state.settled or self._moved[shard][0] != place:
                self._moved[shard] = (place, now)
            if state.number > state.settled:
                waiting[shard] = state.number - state.settled
                lag_s = max(lag_s, now - self._moved[shard][1])
        metrics.LAG_GIFTS.set(sum(waiting.values()))
        metrics.LAG_SECONDS.set(lag_s)
        return waiting

    async def _settle(self, shard: int) -> None:
        try:
            settled = await self._settler.settle_once(shard)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other shards go on
            if isinstance(error, (*REDIS_AWAY, *POSTGRES_AWAY)) and not isinstance(error, ResponseError):
                self._note_outage(error)
            else:
                await self._note_fault(shard, error)
        else:
            self._away["postgres"].over()
            self._faults[shard].over()
            self._take_off(shard, settled)

    def _take_off(self, shard: int, settled: int) -> None:
        """Counts down what is waiting, so that a long backlog goes on without another look."""
        left = self._waiting.pop(shard, 0) - settled
        if settled and left > 0:
            self._waiting[shard] = left

    def _note_outage(self, error: BaseException) -> None:
        store = "redis" if isinstance(error, RedisError) else "postgres"
        metrics.FAILURES.labels(store).inc()
        self._away[store].failed(error)

    async def _note_fault(self, shard: int, error: Exception) -> None:
        metrics.FAILURES.labels("shard").inc()
        kind = _INCIDENTS.get(type(error))
        if self._faults[shard].failed(error) and kind is not None:
            try:
                async with self._pool.acquire() as conn:
                    await record_incident(conn, shard, kind, {"what": str(error)})
            except POSTGRES_AWAY as away:
                self._note_outage(away)

    def _reap(self) -> None:
        for shard, task in list(self._running.items()):
            if task.done():
                del self._running[shard]
                task.result()
