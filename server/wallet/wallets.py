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
from server.ledger import wallets as ledger_wallets
from server.settings import Settings
from server.stores import keys
from server.stores.failures import STORE_AWAY
from server.wallet.opening import ShardOpener, is_closed

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

    async def balance(self, viewer: str) -> Balance:
        """The balance, loading the wallet if it is not there. Raises Refusal(unavailable) when a store is away."""
        try:
            return await self._balance(viewer)
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
        except STORE_AWAY as error:
            raise Refusal(Code.UNAVAILABLE) from error

    async def load(self, viewer: str) -> None:
        """Brings a wallet into Redis unless it is there. Raises what the stores raise, TimeoutError if never fresh."""
        shard = shard_of(viewer, self._settings.wallet_shards)
        for attempt in range(SNAPSHOT_TRIES_MAX):
            snapshot = await ledger_wallets.snapshot(self._pool, UserId(viewer), shard)
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
                return
            await asyncio.sleep(STALE_PAUSE_S * 2**attempt)
        raise TimeoutError(f"no fresh snapshot of a wallet in shard {shard}")

    async def _balance(self, viewer: str) -> Balance:
        for _ in range(SNAPSHOT_TRIES_MAX):
            held = await self._call("gs_wallet", viewer, viewer)
            if held is not None:
                return Balance(int(held[0]), int(held[1]), held[2] == b"1", int(held[3]))
            await self.load(viewer)
        raise TimeoutError("a wallet left as often as it was loaded")

    async def _refresh(self, viewer: str) -> Balance:
        for _ in range(CREDIT_ROUNDS_MAX):
            balance = await self._balance(viewer)
            missing = await ledger_wallets.credits_after(self._pool, UserId(viewer), balance.credit)
            if not missing:
                blocked = await ledger_wallets.is_blocked(self._pool, UserId(viewer))
                if blocked != balance.blocked:
                    await self._call("gs_block", viewer, viewer, int(blocked))
                await ledger_wallets.mark_applied(self._pool, UserId(viewer), balance.credit)
                return replace(balance, blocked=blocked)
            for credit in missing:
                # `gap` and `absent` mean that the wallet changed under us: the next round looks again.
                await self._call("gs_credit", viewer, viewer, credit.number, credit.coins)
        raise TimeoutError("credits keep coming faster than they can be applied")

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
