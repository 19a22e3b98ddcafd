"""A small installation without processes: viewers, rooms and gifts through the real functions, settled when told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count as counter
from typing import Any

import orjson
from redis.asyncio import Redis

from server.domain.catalogue import Catalogue, seed
from server.domain.errors import Refusal
from server.domain.gift import Accepted
from server.domain.ids import RoomId, UserId, shard_of
from server.ledger import rooms as ledger_rooms
from server.ledger import wallets as ledger_wallets
from server.ledger.audit import AuditReport, audit
from server.ledger.settle import Settler
from server.ledger.snapshots import WalletSnapshot, snapshots
from server.rooms.apply import RoomsReader
from server.settings import Settings
from server.stores import keys, postgres
from server.stores import redis as redis_store
from server.stores.postgres import Pool
from server.wallet.gifting import Gifting
from server.wallet.opening import ShardOpener
from server.wallet.reply import Reply
from server.wallet.shards import WalletShards
from server.wallet.wallets import Wallets

CREATOR = "creator"
ROOM = "r_1"


@dataclass(frozen=True)
class StageRoom:
    """What a gift must know of its room."""

    id: str = ROOM
    creator_id: str = CREATOR
    state: str = "live"


@dataclass
class Stage:
    """The parts of a gateway and a worker, on real stores; nothing settles until it is told to."""

    settings: Settings
    redis: Redis
    pool: Pool
    opener: ShardOpener
    wallets: Wallets
    shards: WalletShards
    gifting: Gifting
    settler: Settler
    reader: RoomsReader
    _numbers: counter = field(default_factory=counter)  # type: ignore[type-arg]

    def shard(self, viewer: str) -> int:
        return shard_of(viewer, self.settings.wallet_shards)

    async def room(self, room_id: str = ROOM, creator: str = CREATOR) -> None:
        await ledger_rooms.create(self.pool, RoomId(room_id), UserId(creator), creator.title(), f"Room {room_id}")

    async def snapshot(self, viewer: str) -> WalletSnapshot:
        """A viewer's wallet, as the ledger has it."""
        return (await snapshots(self.pool, {UserId(viewer): self.shard(viewer)}))[UserId(viewer)]

    async def viewer(self, viewer: str, coins: int, kind: str = "promotion") -> None:
        """Gives coins, in the ledger and in Redis."""
        reference = f"{viewer}/{next(self._numbers)}"
        await ledger_wallets.grant(self.pool, UserId(viewer), coins, kind, reference, "test")
        await self.wallets.refresh(viewer)

    def send(self, viewer: str, gift: str, count: int, room: StageRoom, request: str) -> Reply:
        return self.gifting.send(
            viewer=viewer, viewer_name=viewer.title(), room=room, gift=gift, count=count, request_id=request
        )

    async def give(
        self, viewer: str, gift: str = "rose", count: int = 1, *, room: StageRoom = StageRoom(), times: int = 1
    ) -> list[Accepted]:
        """Sends gifts and expects all of them to be accepted."""
        asked = [self.send(viewer, gift, count, room, f"q{next(self._numbers)}") for _ in range(times)]
        answers = await asyncio.gather(*asked)
        refused = [answer for answer in answers if not isinstance(answer, Accepted)]
        assert not refused, refused[:3]
        return answers  # type: ignore[return-value]

    async def settle(self) -> int:
        """Settles until nothing is left; answers how many numbers."""
        total = 0
        for shard in range(self.settings.wallet_shards):
            while settled := await self.settler.settle_once(shard):
                total += settled
        return total

    async def audit(self) -> AuditReport:
        return await audit(self.settings)

    async def log_end(self, shard: int) -> tuple[int, int]:
        epoch, number = await self.redis.hmget(keys.shard(shard), "epoch", "number")
        return int(epoch), int(number)

    def record(self, number: int, viewer: str, **changes: Any) -> list[Any]:
        """A record as the log holds it: a rose of this viewer, except for the changes."""
        fields = {
            "number": number, "at_us": 1_800_000_000_000_000 + number, "coins_after": 1, "combo": 1,
            "combo_first": number, "request_id": f"forged-{number}", "viewer": viewer, "viewer_name": viewer,
            "room": ROOM, "creator": CREATOR, "gift": "rose", "version": 1, "count": 1, "coins": 1, "diamonds": 1,
        }  # fmt: skip
        note = [changes.pop("note")] if "note" in changes else []
        assert changes.keys() <= fields.keys()
        return [*(fields | changes).values(), *note]

    async def append(self, shard: int, packed: bytes, numbers: int) -> None:
        """Puts an entry into a shard's log by hand, past the functions, and opens the shard again."""
        epoch, number = await self.log_end(shard)
        await self.redis.xadd(keys.shard_log(shard), {"g": packed}, id=f"{epoch}-{number + numbers}")
        await self.redis.hset(keys.shard(shard), "number", number + numbers)
        opening = await self.redis.hget(keys.shard(shard), "opening")
        await self.redis.fcall("gs_open", 1, keys.shard(shard), epoch, number + numbers, opening, opening)

    async def forge(self, viewer: str, *, shard: int | None = None, **changes: Any) -> int:
        """Appends a record that no gateway would have sent; answers its number."""
        shard = self.shard(viewer) if shard is None else shard
        await self.opener.open(shard)
        _, number = await self.log_end(shard)
        await self.append(shard, orjson.dumps([self.record(number + 1, viewer, **changes)]), 1)
        return number + 1

    async def execute(self, sql: str, *arguments: object) -> None:
        """Changes the ledger by hand, past its triggers."""
        async with self.pool.acquire() as conn, conn.transaction():
            await conn.execute("SET LOCAL session_replication_role = replica")
            await conn.execute(sql, *arguments)

    async def balance(self, owner: str, kind: str = "wallet") -> int:
        return await self.pool.fetchval("SELECT balance FROM accounts WHERE owner = $1 AND kind = $2", owner, kind)


@asynccontextmanager
async def stage_on(settings: Settings, *, first_request: int = 0) -> AsyncIterator[Stage]:
    """A stage on these stores, its shards open. Two stages on the same ones need requests of their own."""
    redis = await redis_store.connect(settings.redis_url)
    pool = await postgres.connect(settings.database_url)
    await redis_store.load_functions(redis)
    opener = ShardOpener(redis, pool, settings)
    await opener.open_all()
    wallets = Wallets(redis, pool, opener, settings)
    shards = WalletShards(redis, wallets, opener, settings, wait_aof=False)
    running = asyncio.create_task(shards.run())
    try:
        yield Stage(
            settings=settings,
            redis=redis,
            pool=pool,
            opener=opener,
            wallets=wallets,
            shards=shards,
            gifting=Gifting(Catalogue(seed()), shards, settings),
            settler=Settler(redis, pool, settings),
            reader=RoomsReader(redis, pool, settings, "test"),
            _numbers=counter(first_request),
        )
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await redis.aclose()
        await pool.close()


__all__ = ["CREATOR", "ROOM", "Refusal", "Stage", "StageRoom", "stage_on"]
