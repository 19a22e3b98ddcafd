"""Gateways and workers: the server's own parts, on simulated stores, each doing one thing at a time when told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from server.domain.catalogue import Catalogue, seed
from server.domain.controls import Period
from server.domain.errors import Code
from server.domain.gift import Answer
from server.domain.ids import UserId
from server.ledger import controls
from server.ledger import wallets as ledger_wallets
from server.ledger.settle import Settler
from server.ledger.shards import read_states
from server.rooms.apply import RoomsReader
from server.rooms.room_ends import RoomEnds
from server.rooms.rooms import Rooms
from server.settings import Settings
from server.stores.failures import REDIS_AWAY
from server.stores.redis import load_functions
from server.wallet.credit_sweeper import CreditSweeper
from server.wallet.gifting import Gifting
from server.wallet.opening import ShardOpener
from server.wallet.shards import WalletShards
from server.wallet.wallets import Wallets
from tests.simulation.book import Ask, Book, Grant, KnownRoom
from tests.simulation.fibers import Process
from tests.simulation.finding import expect
from tests.simulation.postgres_handle import Backends, SimulatedPool
from tests.simulation.redis_handle import Network, SimulatedRedis


@dataclass(frozen=True)
class LiveRoom:
    """What a gift must know of its room."""

    id: str
    creator_id: str
    state: str = "live"


class Gateway:
    """Takes gifts, purchases and questions."""

    def __init__(self, name: str, network: Network, backends: Backends, settings: Settings) -> None:
        self.process = Process(name)
        redis, pool = SimulatedRedis(network, self.process), SimulatedPool(backends, self.process)
        self._pool = pool
        opener = ShardOpener(redis, pool, settings)  # type: ignore[arg-type]
        self.wallets = Wallets(redis, pool, opener, settings)  # type: ignore[arg-type]
        shards = WalletShards(redis, self.wallets, opener, settings, wait_aof=False)
        self._gifting = Gifting(Catalogue(seed()), shards, settings)
        self.rooms = Rooms(redis, pool, settings)  # type: ignore[arg-type]
        self.process.start(shards.run(), "gifts")

    def send(self, ask: Ask, refusal: Code | None, heard: Callable[[Ask, Answer, Process], None]) -> None:
        """Puts a gift on its way; `heard` gets the answer, and who gives it, unless the gateway dies before."""
        ask.sent += 1
        room = LiveRoom(ask.room, ask.creator)
        self._gifting.send(
            viewer=ask.viewer,
            viewer_name=ask.viewer.title(),
            room=room,
            gift=ask.gift,
            count=ask.count,
            request_id=ask.id,
            refusal=refusal,
        ).then(lambda answer: heard(ask, answer, self.process) if self.process.alive else None)

    async def grant(self, grant: Grant) -> None:
        """Books a purchase and brings it into the wallet."""
        arguments = (UserId(grant.viewer), grant.coins, "purchase", grant.reference, "simulation")
        grant.number = await ledger_wallets.grant(self._pool, *arguments)  # type: ignore[arg-type]
        await self.wallets.refresh(grant.viewer)

    async def ask_balance(self, viewer: str) -> None:
        balance = await self.wallets.balance(viewer)
        expect(balance.coins >= 0, f"{viewer} is shown {balance.coins} coins")

    async def ask_room(self, room: str) -> None:
        await self.rooms.now(room)

    async def open_room(self, creator: str, book: Book) -> None:
        """Opens a room, under a name of its own; the book has it once whoever asked was told."""
        room = await self.rooms.open(creator, creator.title(), f"Another of {creator}'s")
        book.rooms[room.id] = KnownRoom(creator)

    async def block(self, viewer: str, blocked: bool, book: Book) -> None:
        """Blocks a wallet or frees it; not to be asked while that was never answered for this viewer."""
        book.perhaps_blocked.add(viewer)
        await self.wallets.block(viewer, blocked)
        book.perhaps_blocked.remove(viewer)
        book.blocked[viewer] = blocked

    async def limit(self, viewer: str, period: Period, coins: int) -> None:
        """Lowers a budget, in the ledger and then in the wallet. A raise waits for its day, which does not come."""
        async with self._pool.acquire() as conn, conn.transaction():
            await controls.change_limit(conn, UserId(viewer), period, coins)  # type: ignore[arg-type]
        await self.wallets.refresh(viewer)

    async def end_room(self, room: str, book: Book) -> None:
        await self.rooms.end(room)
        book.rooms[room].ended = True


class Worker:
    """Reads the logs into rooms and ledger."""

    def __init__(self, name: str, network: Network, backends: Backends, settings: Settings) -> None:
        self.process = Process(name)
        redis, pool = SimulatedRedis(network, self.process), SimulatedPool(backends, self.process)
        self._redis, self._pool = redis, pool
        self._settings = settings
        self._opener = ShardOpener(redis, pool, settings)  # type: ignore[arg-type]
        wallets = Wallets(redis, pool, self._opener, settings)  # type: ignore[arg-type]
        self._sweeper = CreditSweeper(redis, pool, wallets, settings)  # type: ignore[arg-type]
        self._settler = Settler(redis, pool, settings)  # type: ignore[arg-type]
        self.reader = RoomsReader(redis, pool, settings, name)  # type: ignore[arg-type]
        # Every worker believes that all shards are its own: leases only save work.
        self.reader.leases.held = set(range(settings.wallet_shards))
        self._ends = RoomEnds(redis, pool, settings)  # type: ignore[arg-type]
        self.more = False

    async def open_shards(self) -> None:
        """As the settling loop begins each look: whatever is closed is opened."""
        await load_functions(self._redis)
        for shard, state in enumerate(await read_states(self._redis, self._settings.wallet_shards)):
            if not state.opened:
                await self._opener.open(shard)

    async def settle(self, shard: int) -> int:
        """One batch of a shard."""
        await self.open_shards()
        return await self._settler.settle_once(shard)

    async def settle_all(self, shard: int) -> None:
        while await self.settle(shard):
            pass

    async def apply(self) -> None:
        """One pass over the logs; after a failure the reader starts over, as its loop does."""
        try:
            self.more = await self.reader.apply_once()
        except REDIS_AWAY as error:
            await self.reader.start_over(error)
            self.more = True

    def doing(self) -> str:
        """What its reader has still to do; empty if nothing."""
        reader = self.reader
        waits = {
            "waiting": reader._waiting._first,
            "behind": reader._behind,
            "dirty": reader._dirty,
            "more": self.more,
            "found": reader._found,
        }
        return ", ".join(f"{name} {what}" for name, what in waits.items() if what)

    async def sweep(self) -> None:
        await self._sweeper.sweep()

    async def tell_ends(self) -> None:
        await self._ends.tell()
