"""One seed's installation: two gateways, two workers, the stores, the clients' book, and what can happen to them."""

from __future__ import annotations

import random
import zlib
from collections import deque
from collections.abc import Callable, Mapping

import asyncpg
from redis.exceptions import ResponseError

from server.domain.catalogue import Catalogue, seed
from server.domain.errors import Code, Refusal
from server.domain.gift import Answer
from server.domain.ids import RoomId, UserId
from server.ledger import rooms as ledger_rooms
from server.ledger.log import LogGapError
from server.rooms.loading import RoomStaleError
from server.settings import Settings
from server.stores import keys
from server.stores.failures import STORE_AWAY
from server.wallet.opening import is_closed
from tests.simulation.book import Ask, Book, Grant, KnownRoom
from tests.simulation.budgets import Budgets
from tests.simulation.clock import Clock
from tests.simulation.fibers import Effect, Fiber, Fibers, Monitor, Process
from tests.simulation.finding import Finding
from tests.simulation.losses import note_losses
from tests.simulation.postgres_handle import Backends
from tests.simulation.processes import Gateway, Worker
from tests.simulation.redis_handle import Network
from tests.simulation.screens import Screens
from tests.simulation.valkeys import Copy, Valkeys

ROOMS = {"r_1": "carla", "r_2": "carla", "r_3": "dora"}
"""Open from the beginning, and their creators."""
VIEWERS = ("ann", "bob", "cid", "eve", "fay")
GIFTS = 4
"""Kinds of gift that are sent, cheapest first: a few combos, and some that are soon too dear."""
TRACE_MAX = 60
COPIES_MAX = 6
PRICE_GONE = 0.4
"""How often the ledger lacks the price of one kind of gift: all of these go to quarantine."""
MISSES_FAILOVER = 0.3
LATE_GIFT = 0.05
"""How often a gift is for a room that has ended."""

_BROKEN = (
    asyncpg.UniqueViolationError,
    asyncpg.CheckViolationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.RaiseError,
    asyncpg.SyntaxOrAccessError,
)
"""What Postgres must never have to say: a guard behind the protections held."""


class World:
    """Everything of one seed. Its parts do nothing by themselves: see steps.py."""

    def __init__(
        self,
        number: int,
        settings: Settings,
        valkeys: Valkeys,
        clock: Clock,
        conn: asyncpg.Connection,
        monitor: Monitor,
    ) -> None:
        self.rng = random.Random(number)
        self.settings = settings
        self.shards = settings.wallet_shards
        self.valkeys = valkeys
        self.clock = clock
        self.conn = conn
        self.book = Book()
        self.trace: deque[str] = deque(maxlen=TRACE_MAX)
        self.digest = 0
        self.watch: Callable[[str], None] | None = None
        self.findings: list[str] = []
        self.screens = Screens(valkeys, number, self.findings.append)
        self.fibers = Fibers(monitor)
        self.network = Network(self.fibers, valkeys)
        self.backends = Backends(settings.database_url, self.fibers)
        self.copies: list[tuple[int, Copy]] = []
        self.replaced = 0
        self.past = 0
        """Which line of history the data are of: a new one begins with other data, and with each opening."""
        valkeys.on_open = self._next_past
        self.budgets = Budgets(self.shards, self.findings.append)
        valkeys.on_wallets = self.budgets.look
        self.calm = False
        self.price_gone: str | None = None
        """The kind of gift that the ledger has no price of."""
        kinds = [kind for kind in Catalogue(seed()).public() if kind["coins"] <= 500][::2]
        self.kinds = kinds[:GIFTS]
        self.gateways: list[Gateway] = []
        self.workers: list[Worker] = []
        self._busy: set[str] = set()

    async def begin(self) -> None:
        """Rooms, and processes that have done nothing yet."""
        for room, creator in ROOMS.items():
            pool = _Pool(self.conn)
            await ledger_rooms.create(pool, RoomId(room), UserId(creator), creator.title(), room)  # type: ignore[arg-type]
            self.book.rooms[room] = KnownRoom(creator)
        if self.rng.random() < PRICE_GONE:
            self.price_gone = self.rng.choice(self.kinds)["id"]
            self.note(f"the ledger has no price of {self.price_gone}")
            await self.conn.execute("DELETE FROM catalogue WHERE gift_id = $1", self.price_gone)
        self.gateways = [self._gateway(name) for name in ("g1", "g2")]
        self.workers = [self._worker(name) for name in ("w1", "w2")]

    def _gateway(self, name: str) -> Gateway:
        return Gateway(name, self.network, self.backends, self.settings)

    def _worker(self, name: str) -> Worker:
        return Worker(name, self.network, self.backends, self.settings)

    def note(self, line: str) -> None:
        """Keeps a line for whoever reads what happened. digest is of all lines; watch gets each of them."""
        self.trace.append(line)
        self.digest = zlib.crc32(line.encode(), self.digest)
        if self.watch is not None:
            self.watch(line)

    def expect_none_found(self) -> None:
        """Raises Finding for what was found while nobody could raise it."""
        if self.findings:
            raise Finding("; ".join(self.findings))

    # What processes are told to do.

    def start(self, of: Gateway | Worker, name: str, work: Callable[[], object], *, alone: bool = False) -> None:
        """Begins something in a process; alone: not while the same is under way there."""
        if alone and any(task.get_name() == name for task in of.process.tasks):
            return
        replaced, lost = self.replaced, of.process.old_primary is not None
        task = of.process.start(work(), name)
        task.add_done_callback(lambda done: self._ended(f"{of.process.name}/{name}", done, replaced, lost=lost))

    def _ended(self, name: str, task: object, replaced: int, *, lost: bool) -> None:
        if task.cancelled() or (error := task.exception()) is None:  # type: ignore[attr-defined]
            return
        if isinstance(error, Finding):
            self.findings.append(str(error))
        elif isinstance(error, _BROKEN):
            self.findings.append(f"{name} ended with {type(error).__name__}: {error}")
        elif isinstance(error, LogGapError):
            if (self.replaced == replaced and not lost) or self.calm:
                self.findings.append(f"{name} found a gap: {error}")
        elif isinstance(error, ResponseError) and not is_closed(error):
            self.findings.append(f"{name} was refused: {error}")
        elif (
            not isinstance(error, (*STORE_AWAY, Refusal, RoomStaleError))
            and type(error).__name__ != "ForeignRedisError"
        ):
            self.findings.append(f"{name} ended with {type(error).__name__}: {error}")

    def heard(self, ask: Ask, answer: Answer, by: Process) -> None:
        try:
            (ask.hear if by.old_primary is None else ask.hear_from_old_primary)(answer)
        except Exception as error:  # noqa: BLE001 - nobody else would hear of it
            self.findings.append(str(error) if isinstance(error, Finding) else repr(error))

    def new_ask(self) -> Ask:
        rng = self.rng
        live = self.book.live_rooms()
        room = rng.choice(live if live and rng.random() >= LATE_GIFT else list(self.book.rooms))
        kind = rng.choice(self.kinds)
        count = rng.choice((1, 1, 1, 2, 5))
        ask = Ask(
            id=f"q{len(self.book.asks)}",
            viewer=rng.choice(VIEWERS),
            room=room,
            creator=self.book.rooms[room].creator,
            gift=kind["id"],
            count=count,
            coins=kind["coins"] * count,
            diamonds=kind["diamonds"] * count,
            sent_us=self.clock.elapsed_us,
        )
        self.book.add(ask)
        return ask

    def new_grant(self) -> Grant:
        grant = Grant(self.rng.choice(VIEWERS), f"p{len(self.book.grants)}", self.rng.choice((1, 30, 200, 1000)))
        self.book.grants.append(grant)
        return grant

    # What happens to processes and servers.

    async def kill(self, of: Gateway | Worker) -> None:
        """A process dies; another one takes its place."""
        await self.fibers.kill(of.process, self._fate)
        if isinstance(of, Gateway):
            self.gateways[self.gateways.index(of)] = self._gateway(of.process.name)
        else:
            self.workers[self.workers.index(of)] = self._worker(of.process.name)

    async def end(self) -> None:
        """Nothing of it is left running."""
        for each in [*self.gateways, *self.workers]:
            await self.fibers.kill(each.process, lambda _: Effect.NEVER)
        while self.backends.orphans:
            await self.backends.end(self.backends.orphans[0])
            await self.fibers.quiet()
        await self.backends.close()

    def _fate(self, fiber: Fiber) -> Effect:
        effect = self.rng.choice((Effect.NEVER, Effect.NEVER, Effect.LATER, Effect.NOW))
        self.note(f"    {fiber}: {effect.value}")
        return effect

    def _next_past(self) -> None:
        self.past += 1

    def take_copy(self) -> None:
        self.copies.append((self.past, self.valkeys.copy()))
        del self.copies[:-COPIES_MAX]

    async def replace(self, what: Callable[[], None], past: int | None) -> None:
        """Other data take the place of Redis's. past: the history that they are a part of, None for no data."""
        self.network.late.clear()  # the connections that they were on are gone
        self.all_learn()
        self.budgets.forget()
        what()
        self.replaced += 1
        same_past = past == self.past
        self._next_past()
        await note_losses(
            self.conn,
            self.valkeys,
            self.book,
            self.shards,
            under_way=self.backends.in_transaction,
            same_past=same_past,
        )

    def leave_behind(self, old_primary: int) -> None:
        """Some processes miss a failover, and go on with the old primary, which knows nothing of it either."""
        for of in [*self.gateways, *self.workers]:
            if self.rng.random() < MISSES_FAILOVER:
                of.process.old_primary = old_primary
                self.note(f"{of.process.name} goes on with the old primary")

    def all_learn(self) -> None:
        """Everybody knows who is the primary."""
        for of in [*self.gateways, *self.workers]:
            of.process.old_primary = None

    def wallets_at_rest(self) -> list[bytes]:
        """Wallets with a time to live, which may leave at any moment."""
        redis = self.valkeys.client
        found = sorted(redis.scan_iter(match="{w*}:*:w:*", count=1000))
        return [key for key in found if redis.pttl(key) >= 0]

    def expire(self) -> None:
        """What the simulated time has overtaken is gone: answers, and rooms that ended."""
        redis = self.valkeys.client
        for pattern in ("{w*}:*:q:*", "{r:*}:*"):
            for key in redis.scan_iter(match=pattern, count=1000):
                if 0 <= redis.expiretime(key) <= self.clock.now_us // 1_000_000:
                    redis.delete(key)


class _Pool:
    """One plain connection where a pool is asked for."""

    def __init__(self, conn: asyncpg.Connection) -> None:
        self._conn = conn

    def acquire(self) -> _Pool:
        return self

    async def __aenter__(self) -> asyncpg.Connection:
        return self._conn

    async def __aexit__(self, *_: object) -> None:
        pass


__all__ = ["ROOMS", "VIEWERS", "Code", "Mapping", "World", "keys"]
