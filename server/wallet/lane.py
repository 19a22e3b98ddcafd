"""One lane to the wallet shards: what waits for a call, a wallet or a shard, and who is told what came of it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Coroutine, Iterable
from logging import ERROR, WARNING

import structlog
from redis.exceptions import ResponseError

from server.domain.errors import Code
from server.domain.gift import Answer, GiftOrder, Refused
from server.stores.failures import REDIS_AWAY, STORE_AWAY
from server.wallet.answers import decode_answers
from server.wallet.gift_calls import GiftCalls
from server.wallet.opening import ShardOpener, is_closed
from server.wallet.patience import Patience
from server.wallet.reply import Reply
from server.wallet.wallets import Wallets

log = structlog.get_logger()

ORDERS_WAITING_MAX = 8_192
"""Gifts of one lane that are waiting or under way; past it they are refused with `busy`."""

ANSWER_TIMEOUT_S = 0.9
"""How long a gift waits for its call, and a call for its reply. Past the first it is `busy` and was never sent; past
the second it is `unavailable`, and asking again with the same id tells what became of it."""

BUSY_RETRY_MS = 250
FULL_RETRY_MS = 1000


class _Ticket(Reply):
    """One order on its way, and its answer."""

    __slots__ = ("deadline_s", "order")

    def __init__(self, order: GiftOrder, deadline_s: float) -> None:
        super().__init__()
        self.order = order
        self.deadline_s = deadline_s


Flight = list[tuple[int, list[_Ticket]]]


class Lane:
    """The orders of some shards. Each gets an answer, whatever happens to its call."""

    def __init__(self, calls: GiftCalls, wallets: Wallets, opener: ShardOpener, *, batch_max: int) -> None:
        self._calls = calls
        self._wallets = wallets
        self._opener = opener
        self._batch_max = batch_max
        self._waiting: dict[int, deque[_Ticket]] = {}
        self._on_hold: dict[int, asyncio.Task[None]] = {}
        self._loading: dict[str, list[_Ticket]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._open_orders = 0
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def submit(self, shard: int, order: GiftOrder) -> Reply:
        """Puts an order on its way."""
        if self._open_orders >= ORDERS_WAITING_MAX:
            return Reply(Refused(Code.BUSY, retry_ms=BUSY_RETRY_MS))
        self._open_orders += 1
        ticket = _Ticket(order, self._loop.time() + ANSWER_TIMEOUT_S)
        waiting = self._waiting.get(shard)
        if waiting is None:
            waiting = self._waiting[shard] = deque()
        waiting.append(ticket)
        self._wake.set()
        return ticket

    async def run(self) -> None:
        """Carries orders until cancelled."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while flight := self._take():
                    await self._fly(flight)
        finally:
            self._refuse_all(ticket for _, tickets in self._take() for ticket in tickets)
            await self._calls.disconnect()

    def _take(self) -> Flight:
        """The next batch of every shard that is not on hold; orders of wallets being loaded step aside."""
        flight: Flight = []
        now_s = self._loop.time()
        # A copy: who is told of a refusal may send again at once.
        for shard, waiting in list(self._waiting.items()):
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
            async with Patience(ANSWER_TIMEOUT_S) as patience:
                replies = await self._calls.exchange(
                    [(shard, [ticket.order for ticket in tickets]) for shard, tickets in flight]
                )
        except REDIS_AWAY as error:
            log.warning("wallet shards cannot be reached", error=f"{type(error).__name__}: {error}")
            await self._calls.disconnect()
            for _, tickets in flight:
                self._refuse_all(tickets)
            for waiting in self._waiting.values():
                self._refuse_all(waiting)
                waiting.clear()
            return
        if patience.overtime_s:
            self._put_off_deadlines(patience.overtime_s)
        for (shard, tickets), reply in zip(flight, replies, strict=True):
            if isinstance(reply, ResponseError):
                self._answer_error(shard, tickets, reply)
            else:
                self._hand_out(shard, tickets, reply)

    def _put_off_deadlines(self, by_s: float) -> None:
        """This process stood still: what waited meanwhile was not too slow."""
        for waiting in self._waiting.values():
            for ticket in waiting:
                ticket.deadline_s += by_s

    def _hand_out(self, shard: int, tickets: list[_Ticket], reply: bytes) -> None:
        for ticket, answer in zip(tickets, decode_answers(shard, reply), strict=True):
            if answer is None:
                self._load(shard, ticket)
            else:
                self._resolve(ticket, answer)

    def _answer_error(self, shard: int, tickets: list[_Ticket], error: ResponseError) -> None:
        """A shard that is closed is opened; a store that is full is busy; anything else is unavailable."""
        if is_closed(error):
            self._waiting[shard].extendleft(reversed(tickets))
            self._on_hold[shard] = self._start(self._reopen(shard))
        elif "OOM" in str(error):
            log.warning("Redis is out of memory: gifts are refused")
            for ticket in tickets:
                self._resolve(ticket, Refused(Code.BUSY, retry_ms=FULL_RETRY_MS))
        else:
            log.error("wallet shard refused a batch", shard=shard, error=str(error))
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
        try:
            ticket.give(answer)
        except Exception:
            # One that cannot be told keeps no answer from the others.
            log.exception("an answer could not be told")

    def _refuse_all(self, tickets: Iterable[_Ticket]) -> None:
        for ticket in tickets:
            self._resolve(ticket, Refused(Code.UNAVAILABLE))
