"""What workers do on a market, and what happens there by itself; each of it at any time, and any number of times."""

from __future__ import annotations

from dataclasses import dataclass

from server.economy.earning.duty import EarningDuty
from server.economy.spending.placement_sweeper import PlacementSweeper
from server.economy.spending.ticket_sweeper import TicketSweeper
from server.ledger.creators.rollup import Rollup
from server.stores import keys
from server.wallet.credit_sweeper import CreditSweeper
from tests.economy.creators import DiedError, Fickle
from tests.economy.creators import Till as CashDesk
from tests.economy.till import Till
from tests.ledger.stage import Stage


@dataclass
class Workers:
    """Each call is a worker that has just started."""

    stage: Stage
    till: Till
    desk: CashDesk

    async def settle(self) -> None:
        await self.stage.settle()

    async def add_up(self) -> None:
        await Rollup(self.stage.pool, self.stage.settings.wallet_shards).add_up()

    async def reward(self) -> None:
        await EarningDuty(self.stage.redis, self.stage.pool, self.stage.wallets, self.stage.settings).work()

    async def sweep(self) -> None:
        stage = self.stage
        await CreditSweeper(stage.redis, stage.pool, stage.wallets, stage.settings).sweep()
        for sweeper in (TicketSweeper, PlacementSweeper):
            await sweeper(stage.redis, stage.pool, stage.wallets, stage.settings).sweep()
        await self.till.sweeper.sweep()

    async def leave(self, viewer: str) -> None:
        """What the wallet's time to live does, at once."""
        shard = self.stage.shard(viewer)
        epoch = await self.stage.redis.hget(keys.shard(shard), "epoch")
        gone = "return redis.call('TTL', KEYS[1]) > 0 and redis.call('DEL', KEYS[1])"
        await self.stage.redis.eval(gone, 1, keys.wallet(shard, int(epoch or 0), viewer))

    async def lose_redis(self) -> None:
        """Nothing is lost with it: all is settled before. Not together with others."""
        await self.stage.settle()
        await self.stage.redis.flushdb()

    async def audit(self) -> None:
        await self.till.sound()

    async def drive(self, moods: list[str]) -> None:
        await self.stage.pool.execute("UPDATE payouts SET ask_at = now() WHERE ask_at IS NOT NULL")
        try:
            await self.desk.driver(Fickle(self.desk, list(moods))).drive()
        except DiedError:
            return
