"""Wallets come and go: loading them from the ledger, reading them, and bringing credits into them.

Postgres gives (balance, credit number, cursor of the shard) in one snapshot; the function in Redis refuses one that
is older than what was settled and trimmed since, so coins that were spent never come back.
"""

import asyncio
from dataclasses import dataclass, replace

import asyncpg
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from server.domain.errors import Code, Refusal
from server.domain.ids import UserId, shard_of
from server.ledger import openings
from server.ledger import wallets as ledger_wallets
from server.ledger.wallets import WalletSnapshot
from server.settings import Settings
from server.stores import keys
from server.stores.failures import STORE_AWAY
from server.stores.gathering import Gathering
from server.wallet.opening import ShardOpener, is_closed

SNAPSHOTS_PER_QUERY_MAX = 200
SNAPSHOT_TRIES_MAX = 6
CREDIT_ROUNDS_MAX = 50
STALE_PAUSE_S = 0.01


@dataclass(frozen=True, slots=True)
class Balance:
    """coins: spendable now. pending: sent and not yet settled. credit: number of the last credit applied."""

    coins: int
    pending: int
    blocked: bool
    credit: int


class Wallets:
    """The wallets of all viewers, wherever they are."""

    def __init__(self, redis: Redis, pool: asyncpg.Pool, opener: ShardOpener, settings: Settings) -> None:
        self._redis = redis
        self._pool = pool
        self._opener = opener
        self._settings = settings
        self._snapshots: Gathering[str, WalletSnapshot | None] = Gathering(
            self._read_snapshots, batch_max=SNAPSHOTS_PER_QUERY_MAX
        )

    async def balance(self, viewer: str) -> Balance:
        """The balance, loading the wallet if it is not there. Whoever never had coins has none, and gets no wallet by
        being asked about. Raises Refusal(unavailable) when a store is away.
        """
        try:
            return await self._balance(viewer, make=False)
        except STORE_AWAY as error:
            raise Refusal(Code.UNAVAILABLE) from error

    async def refresh(self, viewer: str) -> Balance:
        """Brings a wallet up to date with the ledger: credits, and whether it is blocked. Raises Refusal."""
        try:
            return await self._refresh(viewer)
        except STORE_AWAY as error:
            raise Refusal(Code.UNAVAILABLE) from error

    async def block(self, viewer: str, blocked: bool) -> None:
        """Blocks or frees a wallet, in the ledger and where it is loaded. Raises Refusal(unavailable)."""
        try:
            await ledger_wallets.set_blocked(self._pool, UserId(viewer), blocked)
            await self._balance(viewer)
            await self._call("gs_block", viewer, viewer, int(blocked))
            followed = await self._is_followed(viewer, blocked=blocked)
        except STORE_AWAY as error:
            raise Refusal(Code.UNAVAILABLE) from error
        if not followed:
            raise Refusal(Code.UNAVAILABLE)

    async def load(self, viewer: str) -> None:
        """Brings a wallet into Redis unless it is there. Raises what the stores raise, TimeoutError if never fresh."""
        await self._load(viewer, make=True)

    async def _load(self, viewer: str, *, make: bool) -> bool:
        """As `load`. make: in the ledger too, if it has none; False when it has none."""
        shard = shard_of(viewer, self._settings.wallet_shards)
        for attempt in range(SNAPSHOT_TRIES_MAX):
            snapshot = await self._snapshots.get(viewer)
            if snapshot is None and not make:
                return False
            if snapshot is None:
                await ledger_wallets.open_wallet(self._pool, UserId(viewer))
                snapshot = await self._snapshots.get(viewer)
            if snapshot is None:
                raise LookupError(f"the ledger has no wallet shard {shard}")
            loaded = await self._call(
                "gs_load",
                viewer,
                snapshot.epoch,
                snapshot.number,
                viewer,
                snapshot.coins,
                snapshot.credit,
                int(snapshot.blocked),
                self._settings.wallet_idle_s,
            )
            if loaded is not None and loaded[0] != b"stale":
                return True
            await asyncio.sleep(STALE_PAUSE_S * 2**attempt)
        raise TimeoutError(f"no fresh snapshot of a wallet in shard {shard}")

    async def _balance(self, viewer: str, *, make: bool = True) -> Balance:
        for _ in range(SNAPSHOT_TRIES_MAX):
            held = await self._held(viewer)
            if held is not None:
                return held
            if not await self._load(viewer, make=make):
                return Balance(0, 0, blocked=False, credit=0)
        raise TimeoutError("a wallet left as often as it was loaded")

    async def _held(self, viewer: str) -> Balance | None:
        """The balance, if the wallet is loaded."""
        held = await self._call("gs_wallet", viewer, viewer)
        return None if held is None else Balance(int(held[0]), int(held[1]), held[2] == b"1", int(held[3]))

    async def _read_snapshots(self, viewers: list[str]) -> dict[str, WalletSnapshot | None]:
        shards = {UserId(viewer): shard_of(viewer, self._settings.wallet_shards) for viewer in viewers}
        found = await ledger_wallets.snapshots(self._pool, shards)
        return {viewer: found.get(UserId(viewer)) for viewer in viewers}

    async def _refresh(self, viewer: str) -> Balance:
        for _ in range(CREDIT_ROUNDS_MAX):
            balance = await self._balance(viewer)
            missing = await ledger_wallets.credits_after(self._pool, UserId(viewer), balance.credit)
            if not missing:
                blocked = await ledger_wallets.is_blocked(self._pool, UserId(viewer))
                if blocked != balance.blocked:
                    await self._call("gs_block", viewer, viewer, int(blocked))
                if await self._is_followed(viewer, credit=balance.credit):
                    await ledger_wallets.mark_applied(self._pool, UserId(viewer), balance.credit)
                return replace(balance, blocked=blocked)
            for credit in missing:
                # `gap` and `absent` mean that the wallet changed under us: the next round looks again.
                await self._call("gs_credit", viewer, viewer, credit.number, credit.coins)
        raise TimeoutError("credits keep coming faster than they can be applied")

    async def _is_followed(self, viewer: str, *, credit: int = 0, blocked: bool | None = None) -> bool:
        """Whether the wallet has this in the Redis that the ledger follows, or is not loaded there.

        During a failover one that was left behind may be what we talk to (server/ledger/openings.py).
        """
        shard = shard_of(viewer, self._settings.wallet_shards)
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.fcall("gs_wallet", 1, keys.shard(shard), viewer)
        pipeline.hget(keys.shard(shard), "opening")
        held, opening = await pipeline.execute()
        there = held is None or (int(held[3]) >= credit and blocked in {None, held[2] == b"1"})
        return there and await openings.known(self._pool, shard, (opening or b"").decode())

    async def _call(self, function: str, viewer: str, *arguments: str | int) -> "list[bytes] | None":
        """Calls a function of the viewer's shard, opening the shard if it is closed."""
        shard = shard_of(viewer, self._settings.wallet_shards)
        try:
            return await self._fcall(function, shard, *arguments)
        except ResponseError as error:
            if not is_closed(error):
                raise
        await self._opener.open(shard)
        return await self._fcall(function, shard, *arguments)

    async def _fcall(self, function: str, shard: int, *arguments: str | int) -> "list[bytes] | None":
        answer: list[bytes] | None = await self._redis.fcall(function, 1, keys.shard(shard), *arguments)
        return answer
