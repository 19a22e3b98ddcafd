"""The way of a gift into its wallet shard: natural batching, one call per shard in flight, never a timer.

While a call is under way, what arrives waits and forms the next one (up to `batch_max`): under light load a gift
goes at once, under heavy load the batches grow. The shards are spread over a few lanes, each with a connection of
its own; one flight of a lane carries a batch for each of its shards that has something waiting.

A call whose reply was lost is sent once more: the function knows the requests it has answered, so nobody pays twice.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Coroutine, Iterable
from logging import ERROR, WARNING

import structlog
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError

from server.domain.errors import Code
from server.domain.gift import Answer, GiftOrder, Refused
from server.domain.ids import shard_of
from server.settings import Settings
from server.stores import keys
from server.stores.failures import REDIS_AWAY, STORE_AWAY
from server.wallet.answers import decode_answer
from server.wallet.opening import ShardOpener
from server.wallet.wallets import Wallets

log = structlog.get_logger()

LANES = 2
"""Connections per gateway that carry gifts: one is read while the other waits for the disk."""

ORDERS_WAITING_MAX = 8_192
"""Gifts of one lane that are waiting or under way; past it they are refused with `busy`."""

ANSWER_TIMEOUT_S = 0.9
"""How long a gift waits for its call, and a call for its reply. Past the first it is `busy` and was never sent; past
the second it is `unavailable`, and asking again with the same id tells what became of it."""

BUSY_RETRY_MS = 250


class _Ticket:
    """One order on its way, and who waits for the answer."""

    __slots__ = ("deadline_s", "future", "order")

    def __init__(self, order: GiftOrder, future: "asyncio.Future[Answer]", deadline_s: float) -> None:
        self.order = order
        self.future = future
        self.deadline_s = deadline_s


Flight = list[tuple[int, list[_Ticket]]]


class WalletShards:
    """All wallet shards, as one gateway process speaks to them."""

    def __init__(
        self, redis: Redis, wallets: Wallets, opener: ShardOpener, settings: Settings, *, wait_aof: bool
    ) -> None:
        self._shards = settings.wallet_shards
        self._lanes = [_Lane(redis, wallets, opener, settings, wait_aof) for _ in range(LANES)]

    def submit(self, order: GiftOrder) -> "asyncio.Future[Answer]":
        """Puts an order on its way. The future always gets an answer, at the latest after twice ANSWER_TIMEOUT_S."""
        shard = shard_of(order.viewer, self._shards)
        return self._lanes[shard % LANES].submit(shard, order)

    async def run(self) -> None:
        """Carries orders until cancelled."""
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes:
                group.create_task(lane.run())


class _Lane:
    """One connection, and what waits for it."""

    def __init__(self, redis: Redis, wallets: Wallets, opener: ShardOpener, settings: Settings, wait_aof: bool) -> None:
        self._redis = redis
        self._wallets = wallets
        self._opener = opener
        self._wait_aof = wait_aof
        self._batch_max = settings.batch_max
        self._limits = (
            settings.log_backlog_max // settings.wallet_shards,
            settings.combo_gap_ms * 1000,
            settings.dedupe_s,
            int(1_000_000 / settings.gifts_per_second),
            settings.gifts_burst,
        )
        self._waiting: dict[int, deque[_Ticket]] = {}
        self._on_hold: dict[int, asyncio.Task[None]] = {}
        self._loading: dict[str, list[_Ticket]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._open_orders = 0
        self._wake = asyncio.Event()
        self._connection: AbstractConnection | None = None
        self._loop = asyncio.get_running_loop()

    def submit(self, shard: int, order: GiftOrder) -> "asyncio.Future[Answer]":
        future: asyncio.Future[Answer] = self._loop.create_future()
        if self._open_orders >= ORDERS_WAITING_MAX:
            future.set_result(Refused(Code.BUSY, retry_ms=BUSY_RETRY_MS))
            return future
        self._open_orders += 1
        ticket = _Ticket(order, future, self._loop.time() + ANSWER_TIMEOUT_S)
        waiting = self._waiting.get(shard)
        if waiting is None:
            waiting = self._waiting[shard] = deque()
        waiting.append(ticket)
        self._wake.set()
        return future

    async def run(self) -> None:
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while flight := self._take():
                    await self._fly(flight)
        finally:
            self._refuse_all(ticket for _, tickets in self._take() for ticket in tickets)
            await self._disconnect()

    def _take(self) -> Flight:
        """The next batch of every shard that is not on hold; orders of wallets being loaded step aside."""
        flight: Flight = []
        now_s = self._loop.time()
        for shard, waiting in self._waiting.items():
            if shard in self._on_hold or not waiting:
                continue
            batch: list[_Ticket] = []
            while waiting and len(batch) < self._batch_max:
                ticket = waiting.popleft()
                loading = self._loading.get(ticket.order.viewer)
                if ticket.deadline_s < now_s:
                    self._resolve(ticket, Refused(Code.BUSY, retry_ms=BUSY_RETRY_MS))
                elif loading is None:
                    batch.append(ticket)
                else:
                    loading.append(ticket)
            if batch:
                flight.append((shard, batch))
        return flight

    async def _fly(self, flight: Flight) -> None:
        """Sends one batch per shard and hands out the answers."""
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                replies = await self._exchange(flight)
        except REDIS_AWAY as error:
            log.warning("wallet shards cannot be reached", error=f"{type(error).__name__}: {error}")
            await self._disconnect()
            for _, tickets in flight:
                self._refuse_all(tickets)
            for waiting in self._waiting.values():
                self._refuse_all(waiting)
                waiting.clear()
            return
        for (shard, tickets), reply in zip(flight, replies, strict=True):
            if isinstance(reply, ResponseError):
                self._answer_error(shard, tickets, reply)
            else:
                self._hand_out(shard, tickets, reply)

    async def _exchange(self, flight: Flight) -> list[list[bytes] | ResponseError]:
        """One round trip; sent once more over a fresh connection if the first one broke."""
        if self._connection is not None:
            try:
                return await self._send(self._connection, flight)
            except (OSError, ConnectionError, *REDIS_AWAY) as error:
                if isinstance(error, TimeoutError):
                    raise
                await self._disconnect()
        connection = self._redis.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        self._connection = connection
        await connection.connect()
        return await self._send(connection, flight)

    async def _send(self, connection: AbstractConnection, flight: Flight) -> list[list[bytes] | ResponseError]:
        commands = [self._command(shard, tickets) for shard, tickets in flight]
        if self._wait_aof:
            commands.append(("WAITAOF", 1, 0, int(ANSWER_TIMEOUT_S * 1000)))
        await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
        replies: list[list[bytes] | ResponseError] = []
        for _ in flight:
            try:
                replies.append(await connection.read_response(disable_decoding=True))
            except ResponseError as error:
                replies.append(error)
        if self._wait_aof:
            on_disk = await connection.read_response(disable_decoding=True)
            if on_disk[0] < 1:
                raise TimeoutError("WAITAOF: not on disk in time")
        return replies

    def _command(self, shard: int, tickets: list[_Ticket]) -> tuple[str | bytes | int, ...]:
        command: list[str | bytes | int] = ["FCALL", "gs_gifts", 1, keys.shard(shard), *self._limits]
        for ticket in tickets:
            order = ticket.order
            command += (
                order.viewer,
                order.request_id,
                order.fingerprint,
                order.combo_key,
                order.count,
                order.coins,
                order.verdict,
                order.body,
            )
        return tuple(command)

    def _hand_out(self, shard: int, tickets: list[_Ticket], replies: list[bytes]) -> None:
        for ticket, reply in zip(tickets, replies, strict=True):
            answer = decode_answer(shard, reply)
            if answer is None:
                self._load(shard, ticket)
            else:
                self._resolve(ticket, answer)

    def _answer_error(self, shard: int, tickets: list[_Ticket], error: ResponseError) -> None:
        """A shard that is closed is opened; a store that is full is busy; anything else is unavailable."""
        message = str(error)
        if "FENCED" in message or "unction not found" in message:
            self._waiting[shard].extendleft(reversed(tickets))
            self._on_hold[shard] = self._start(self._reopen(shard))
        elif "OOM" in message:
            log.warning("Redis is out of memory: gifts are refused")
            for ticket in tickets:
                self._resolve(ticket, Refused(Code.BUSY, retry_ms=1000))
        else:
            log.error("wallet shard refused a batch", shard=shard, error=message)
            self._refuse_all(tickets)

    async def _reopen(self, shard: int) -> None:
        await self._bring_about(self._opener.open(shard), self._waiting[shard], "shard could not be opened", shard)
        del self._on_hold[shard]
        self._wake.set()

    def _load(self, shard: int, ticket: _Ticket) -> None:
        viewer = ticket.order.viewer
        loading = self._loading.get(viewer)
        if loading is not None:
            loading.append(ticket)
            return
        self._loading[viewer] = [ticket]
        self._start(self._load_wallet(shard, viewer))

    async def _load_wallet(self, shard: int, viewer: str) -> None:
        tickets = self._loading[viewer]
        await self._bring_about(self._wallets.load(viewer), tickets, "wallet could not be loaded", shard)
        self._waiting[shard].extendleft(reversed(self._loading.pop(viewer)))
        self._wake.set()

    async def _bring_about(
        self, work: Awaitable[None], tickets: "deque[_Ticket] | list[_Ticket]", complaint: str, shard: int
    ) -> None:
        """Does what orders wait for, in the time that the first of them has; refuses them if it fails in any way."""
        deadline_s = min((ticket.deadline_s for ticket in tickets), default=self._loop.time())
        try:
            async with asyncio.timeout_at(deadline_s):
                await work
        except Exception as error:  # noqa: BLE001 - an order left without an answer would hold up all that follow
            log.log(
                WARNING if isinstance(error, STORE_AWAY) else ERROR,
                complaint,
                shard=shard,
                error=f"{type(error).__name__}: {error}",
            )
            self._refuse_all(tickets)
            tickets.clear()

    def _start(self, work: Coroutine[None, None, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._reap)
        return task

    def _reap(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("carrying gifts failed", exc_info=error)

    def _resolve(self, ticket: _Ticket, answer: Answer) -> None:
        self._open_orders -= 1
        if not ticket.future.done():
            ticket.future.set_result(answer)

    def _refuse_all(self, tickets: Iterable[_Ticket]) -> None:
        for ticket in tickets:
            self._resolve(ticket, Refused(Code.UNAVAILABLE))

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)
