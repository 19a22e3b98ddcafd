"""What wallets in Redis lack: credits and changes of controls that a crash left behind or an older Redis has lost.

What a crash left behind is marked in the ledger as not applied. What was lost is not: a Redis that lags a little goes
on where it is, and the ledger takes for applied what it has lost. So whenever a shard was opened anew, and when a
worker starts, the credit number of every wallet that is loaded is compared with the ledger's, and with it its block and
the version of its controls.
"""

import structlog
from redis.asyncio import Redis

from server.ledger import controls as ledger_controls
from server.ledger import metrics, openings
from server.ledger import wallets as ledger_wallets
from server.ledger.shards import read_states
from server.settings import Settings
from server.stores import keys
from server.stores.postgres import Pool
from server.stores.wallet_keys import wallet_pages
from server.wallet.wallets import Wallets

log = structlog.get_logger()

CREDIT_AGE_S = 5.0
"""Credits, and changes of controls, older than this that Redis does not have were left behind by a crash."""
CREDITS_PER_SWEEP = 200
RAISES_PER_SWEEP = 200


class CreditSweeper:
    """Applies in Redis the credits that are booked and that whoever booked them did not get to apply, or in vain."""

    def __init__(self, redis: Redis, pool: Pool, wallets: Wallets, settings: Settings) -> None:
        self._redis = redis
        self._pool = pool
        self._wallets = wallets
        self._shards = settings.wallet_shards
        self._compared: dict[int, str] = {}
        """The opening of each shard after which its wallets were compared with the ledger."""

    async def sweep(self) -> None:
        """One look. Raises Refusal(unavailable), and what the stores raise; what is left is found by the next one."""
        for viewer in await ledger_wallets.unapplied(self._pool, CREDIT_AGE_S, CREDITS_PER_SWEEP):
            await self._wallets.refresh(viewer)
            metrics.CREDITS_SWEPT.inc()
        for viewer in await ledger_controls.take_up_raises(self._pool, RAISES_PER_SWEEP):
            # At once: the notice of it is on its way.
            await self._wallets.refresh(viewer)
        for viewer in await ledger_controls.untold(self._pool, CREDIT_AGE_S, CREDITS_PER_SWEEP):
            await self._wallets.refresh(viewer)
        opened = await self._opened()
        new = {shard for shard, opening in opened.items() if self._compared.get(shard) != opening}
        if new:
            await self._compare(new)
            compared = {shard: opened[shard] for shard in new}
            await openings.note_compared(self._pool, compared)
            self._compared |= compared

    async def _opened(self) -> dict[int, str]:
        """The openings of the shards that are open, and that the ledger follows: nobody notes any more in the ledger
        what a Redis that was left behind has got."""
        followed = await openings.confirmed(self._pool)
        states = await read_states(self._redis, self._shards)
        return {
            shard: state.opening
            for shard, state in enumerate(states)
            if state.opened and state.opening == followed.get(shard)
        }

    async def _compare(self, shards: set[int]) -> None:
        """Brings up to date the loaded wallets of these shards that lack something."""
        lacking = 0
        async for page in wallet_pages(self._redis):
            by_shard: dict[int, list[str]] = {}
            for shard, _, viewer in page:
                if shard in shards:
                    by_shard.setdefault(shard, []).append(viewer)
            for shard, viewers in by_shard.items():
                for viewer in await self._lacking(shard, viewers):
                    await self._wallets.refresh(viewer)
                    metrics.CREDITS_SWEPT.inc()
                    lacking += 1
        if lacking:
            log.warning("credits, blocks or controls were applied again: Redis had lost them", wallets=lacking)

    async def _lacking(self, shard: int, viewers: list[str]) -> list[str]:
        """Those whose wallet is loaded and lacks a credit, or is not blocked or controlled as the ledger says."""
        pipeline = self._redis.pipeline(transaction=False)
        for viewer in viewers:
            pipeline.fcall("gs_wallet", 1, keys.shard(shard), viewer)
        loaded = [(viewer, row) for viewer, row in zip(viewers, await pipeline.execute(), strict=True) if row]
        known = await ledger_wallets.standings(self._pool, [viewer for viewer, _ in loaded])
        lacking: list[str] = []
        for viewer, (_, _, blocked, credit, *controls) in loaded:
            there, version = known.get(viewer), int(controls[0]) if controls else 0
            if there is not None and (
                int(credit) < there.credit or (blocked == b"1") != there.blocked or version < there.controls
            ):
                lacking.append(viewer)
        return lacking
