"""What Redis holds while settlement stands still: wallets, each with its shard's place at that moment, and the logs."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from server.domain.controls import Controls
from server.ledger.auditing.report import Findings
from server.ledger.auditing.window import Window
from server.ledger.log import LogGapError
from server.ledger.shards import Cursor, ShardState, read_states
from server.stores import keys
from server.stores.held_controls import read_controls
from server.stores.redis import is_missing_function
from server.stores.wallet_keys import wallet_pages

WALLETS_PER_CALL = 500
WINDOW_TRIES = 5


@dataclass(frozen=True, slots=True)
class HeldWallet:
    """A wallet in Redis, and its shard's number and settled mark in the same moment."""

    coins: int
    credit: int
    pending: int
    number: int
    settled: int
    controls: Controls | None = None


@dataclass(slots=True)
class ShardView:
    """A shard in Redis. serving: it goes on from the ledger; else it will be begun anew, and what it holds is void.

    compared: its wallets were brought up to date since this Redis was opened; else they may lack what they once had.
    looked_to: the wallets of all who have gifts up to this number were looked for. Whoever gave later may have been
    loaded later too.
    """

    shard: int
    cursor: Cursor
    state: ShardState
    serving: bool
    compared: bool
    window: Window
    looked_to: int = 0
    wallets: dict[str, HeldWallet] = field(default_factory=dict)


class RedisView:
    """All shards. Make it while the cursors are held.

    compared: the opening of each shard after which its wallets were compared with the ledger.
    """

    def __init__(self, redis: Redis, cursors: dict[int, Cursor], compared: dict[int, str]) -> None:
        self._redis = redis
        self._cursors = cursors
        self._compared = compared
        self.shards: dict[int, ShardView] = {}

    async def read(self, gaps: Findings) -> None:
        """Reads logs and wallets; what is wrong with the numbers goes to `gaps`."""
        states = await self._states()
        for shard, cursor in self._cursors.items():
            self.shards[shard] = await self._shard(shard, cursor, states[shard], gaps)
        async for shard, viewers in self._wallet_pages():
            await self._read_wallets(self.shards[shard], viewers)
        await self.read_on(gaps)
        for view in self.shards.values():
            # Whoever has unsettled gifts must be loaded, also if the scan came by too early to see it.
            view.looked_to = view.window.to
            missed = [viewer for viewer in view.window.viewers_after(view.cursor.number) if viewer not in view.wallets]
            for start in range(0, len(missed), WALLETS_PER_CALL):
                await self._read_wallets(view, missed[start : start + WALLETS_PER_CALL])
        await self.read_on(gaps)

    async def read_on(self, gaps: Findings) -> None:
        """Reads what was added to the logs meanwhile; past the cursors nothing can be trimmed."""
        for view in self.shards.values():
            if view.serving:
                try:
                    await view.window.extend(self._redis)
                except LogGapError as error:
                    gaps.add(str(error))

    async def _states(self) -> list[ShardState]:
        try:
            return await read_states(self._redis, len(self._cursors))
        except ResponseError as error:
            if not is_missing_function(error):
                raise
            return [ShardState()] * len(self._cursors)  # a Redis that never served, or was wiped

    async def _shard(self, shard: int, cursor: Cursor, state: ShardState, gaps: Findings) -> ShardView:
        ahead = (state.epoch, state.number) >= (cursor.epoch, cursor.number)
        if state.opened and (state.epoch != cursor.epoch or not ahead):
            gaps.add(
                f"shard {shard} serves at {state.epoch}-{state.number}, the ledger is at {cursor.epoch}-{cursor.number}"
            )
        unsettled = state.number - cursor.number
        if state.epoch == cursor.epoch and unsettled > 0 and not state.legible:
            gaps.add(f"shard {shard}: {unsettled} unsettled gifts wait for the version that accepted them")
        serving = state.epoch == cursor.epoch and ahead and state.legible
        compared = state.opened and state.opening == self._compared[shard]
        view = ShardView(shard, cursor, state, serving, compared, Window(shard, cursor.epoch, cursor.number))
        for _ in range(WINDOW_TRIES if serving else 0):
            start = min(state.settled, state.applied)
            view.window, view.state = Window(shard, cursor.epoch, start), state
            trouble = ""
            try:
                await view.window.extend(self._redis)
            except LogGapError as error:
                trouble = str(error)
            if not trouble and view.window.to >= state.number:
                break
            # Trimmed between the two looks, unless the mark stands still.
            state = (await self._states())[shard]
            if min(state.settled, state.applied) == start:
                gaps.add(trouble or f"shard {shard}: the log ends at {view.window.to} of {state.number}")
                break
        if serving:
            if state.settled > cursor.number:
                gaps.add(f"shard {shard}: Redis was told that {state.settled} is settled, it is {cursor.number}")
            if state.applied > state.number:
                gaps.add(f"shard {shard}: {state.applied} is applied of {state.number}")
        return view

    async def _wallet_pages(self) -> AsyncIterator[tuple[int, list[str]]]:
        async for page in wallet_pages(self._redis):
            by_shard: dict[int, list[str]] = {}
            for shard, epoch, viewer in page:
                view = self.shards.get(shard)
                if view and view.serving and epoch == view.cursor.epoch:
                    by_shard.setdefault(shard, []).append(viewer)
            for shard, viewers in by_shard.items():
                yield shard, viewers

    async def _read_wallets(self, view: ShardView, viewers: Iterable[str]) -> None:
        asked = list(viewers)
        answer = await self._redis.fcall("gs_audit", 1, keys.shard(view.shard), *asked)
        number, _, settled, *fields = answer
        for place, viewer in enumerate(asked):
            coins, credit, pending, controls = fields[4 * place : 4 * place + 4]
            if coins is not None:
                view.wallets[viewer] = HeldWallet(
                    int(coins), int(credit), int(pending), int(number), int(settled), read_controls(controls)
                )
