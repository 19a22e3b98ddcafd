"""Wallets come and go: loading them from the ledger, reading them, and bringing credits and controls into them.

Postgres gives (balance, credit number, controls, cursor of the shard) in one snapshot; the function in Redis refuses
one that is older than what was settled and trimmed since, so coins that were spent never come back, nor do budgets.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import asyncpg
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from server.domain.controls import Controls
from server.domain.errors import Code, Refusal
from server.domain.ids import UserId, shard_of
from server.ledger import controls as ledger_controls
from server.ledger import openings
from server.ledger import wallets as ledger_wallets
from server.ledger.snapshots import WalletSnapshot, controlled_snapshots, snapshots
from server.ledger.wallets import Standing
from server.settings import Settings
from server.stores import keys
from server.stores.failures import STORE_AWAY
from server.stores.gathering import Gathering
from server.stores.held_controls import controls_arguments, read_controls
from server.wallet.opening import ShardOpener, is_closed
from server.wallet.unsettled import unsettled_gifts

SNAPSHOTS_PER_QUERY_MAX = 200
SNAPSHOT_TRIES_MAX = 6
CREDIT_ROUNDS_MAX = 50
BLOCK_ROUNDS_MAX = 3
STALE_PAUSE_S = 0.01

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Balance:
    """coins: spendable now. pending: sent and not yet settled. credit: number of the last credit applied.
    controls: of a viewer who has set some, with what is spent up to this moment.
    """

    coins: int
    pending: int
    blocked: bool
    credit: int
    controls: Controls | None = None

    @classmethod
    def read(cls, row: list[bytes]) -> "Balance":
        """Of an answer of `gs_wallet`."""
        coins, pending, blocked, credit, *controls = row
        return cls(int(coins), int(pending), blocked == b"1", int(credit), read_controls(controls))

    @property
    def controls_version(self) -> int:
        """Of the controls that it has; 0 for none."""
        return 0 if self.controls is None else self.controls.version


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
        """Brings a wallet up to date with the ledger: credits, controls, whether it is blocked. Raises Refusal."""
        try:
            return await self._refresh(viewer)
        except STORE_AWAY as error:
            raise Refusal(Code.UNAVAILABLE) from error

    async def block(self, viewer: str, blocked: bool) -> None:
        """Blocks or frees a wallet, in the ledger and where it is loaded. If somebody else does the contrary meanwhile,
        both are done, and the ledger's last word holds. Raises Refusal(unavailable).
        """
        try:
            await ledger_wallets.set_blocked(self._pool, UserId(viewer), blocked)
            for _ in range(BLOCK_ROUNDS_MAX):
                balance = await self._refresh(viewer)
                if await self._is_followed(viewer, blocked=balance.blocked):
                    return
        except STORE_AWAY as error:
            raise Refusal(Code.UNAVAILABLE) from error
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
                *controls_arguments(snapshot.controls),
            )
            if loaded is not None and loaded[0] not in {b"stale", b"another_time"}:
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
        return None if held is None else Balance.read(held)

    async def _read_snapshots(self, viewers: list[str]) -> dict[str, WalletSnapshot | None]:
        shards = {UserId(viewer): shard_of(viewer, self._settings.wallet_shards) for viewer in viewers}
        found = await snapshots(self._pool, shards)
        if controlled := [viewer for viewer, snapshot in found.items() if snapshot.has_controls]:
            # By Redis's clock, as gifts are: it says which periods run.
            seconds, microseconds = await self._redis.time()
            at_us = seconds * 1_000_000 + microseconds
            found |= await controlled_snapshots(self._pool, {viewer: shards[viewer] for viewer in controlled}, at_us)
        return {viewer: found.get(UserId(viewer)) for viewer in viewers}

    async def _refresh(self, viewer: str) -> Balance:
        for _ in range(CREDIT_ROUNDS_MAX):
            balance = await self._balance(viewer)
            missing = await ledger_wallets.credits_after(self._pool, UserId(viewer), balance.credit)
            known = (await ledger_wallets.standings(self._pool, [viewer])).get(viewer)
            if not missing and await self._is_as_known(viewer, balance, known):
                await self._note(viewer, balance, known)
                return balance
            for credit in missing:
                # `gap` and `absent` mean that the wallet changed under us: the next round looks again.
                came_back = () if credit.spent_at_us is None else (credit.spent_at_us,)
                await self._call("gs_credit", viewer, viewer, credit.number, credit.coins, *came_back)
        raise TimeoutError("a wallet changes faster than it can be brought up to date")

    async def _is_as_known(self, viewer: str, balance: Balance, known: Standing | None) -> bool:
        """Whether the wallet is blocked and controlled as the ledger has it; else brings that about."""
        if known is None:
            return True  # whoever was never heard of has no wallet either
        if known.blocked != balance.blocked:
            await self._call("gs_block", viewer, viewer, int(known.blocked))
            return False
        if known.controls > balance.controls_version:
            await self._bring_controls(viewer, balance)
            return False
        return True

    async def _note(self, viewer: str, balance: Balance, known: Standing | None) -> None:
        """Notes in the ledger what the wallet has, if it is in the Redis that the ledger follows."""
        if await self._is_followed(viewer, credit=balance.credit, controls=balance.controls_version):
            await ledger_wallets.mark_applied(self._pool, UserId(viewer), balance.credit)
            if known is not None and not known.told:
                await ledger_controls.mark_told(self._pool, UserId(viewer), known.controls)

    async def _bring_controls(self, viewer: str, balance: Balance) -> None:
        """Tells a loaded wallet of its controls. One that has none yet learns what was spent, too: that holds for the
        coins of `balance` alone, and Redis refuses it for others.
        """
        # The log first: a gift that is settled in between is then in both, never in neither.
        waiting = await unsettled_gifts(self._redis, viewer, self._settings.wallet_shards)
        snapshot = await self._snapshots.get(viewer)
        if snapshot is None or snapshot.controls is None or snapshot.credit != balance.credit:
            return  # what a newer credit brings back would be taken off twice: it is applied first
        past = [gift for gift in waiting if (gift.epoch, gift.number) > (snapshot.epoch, snapshot.number)]
        controls = snapshot.controls.counting((gift.at_us, gift.coins) for gift in past)
        await self._call("gs_controls", viewer, viewer, balance.coins, balance.credit, *controls_arguments(controls))

    async def _is_followed(
        self, viewer: str, *, credit: int = 0, controls: int = 0, blocked: bool | None = None
    ) -> bool:
        """Whether the wallet has this in the Redis that the ledger follows, or is not loaded there.

        During a failover one that was left behind may be what we talk to (server/ledger/openings.py).
        """
        shard = shard_of(viewer, self._settings.wallet_shards)
        row, opening = await self._opened(shard, lambda: self._wallet_and_opening(shard, viewer))
        held = None if row is None else Balance.read(row)
        there = held is None or (
            held.credit >= credit and held.controls_version >= controls and blocked in {None, held.blocked}
        )
        return there and await openings.known(self._pool, shard, (opening or b"").decode())

    async def _call(self, function: str, viewer: str, *arguments: str | int) -> "list[bytes] | None":
        """Calls a function of the viewer's shard, opening the shard if it is closed."""
        shard = shard_of(viewer, self._settings.wallet_shards)
        return await self._opened(shard, lambda: self._fcall(function, shard, *arguments))

    async def _opened(self, shard: int, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """What is answered by a shard, which is opened if it is closed, and asked again."""
        try:
            return await ask()
        except ResponseError as error:
            if not is_closed(error):
                raise
        await self._opener.open(shard)
        return await ask()

    async def _wallet_and_opening(self, shard: int, viewer: str) -> "tuple[list[bytes] | None, bytes | None]":
        """A wallet, if it is loaded, and the opening of the Redis that has it."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.fcall("gs_wallet", 1, keys.shard(shard), viewer)
        pipeline.hget(keys.shard(shard), "opening")
        row, opening = await pipeline.execute()
        return row, opening

    async def _fcall(self, function: str, shard: int, *arguments: str | int) -> "list[bytes] | None":
        answer: list[bytes] | None = await self._redis.fcall(function, 1, keys.shard(shard), *arguments)
        return answer
