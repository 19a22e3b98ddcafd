"""The way of a gift into its wallet shard: natural batching, one call per shard in flight, never a timer.

While a call is under way, what arrives waits and forms the next one (up to `batch_max`): under light load a gift
goes at once, under heavy load the batches grow. The shards are spread over a few lanes, each with a connection of
its own; one flight of a lane carries a batch for each of its shards that has something waiting.
"""

import asyncio

from redis.asyncio import Redis

from server.domain.gift import GiftOrder
from server.domain.ids import shard_of
from server.settings import Settings
from server.wallet.gift_calls import GiftCalls
from server.wallet.lane import ANSWER_TIMEOUT_S, Lane
from server.wallet.opening import ShardOpener
from server.wallet.reply import Reply
from server.wallet.wallets import Wallets

LANES = 2
"""Connections per gateway that carry gifts: one is read while the other waits for the disk."""


class WalletShards:
    """All wallet shards, as one gateway process speaks to them. wait_aof: what is acknowledged needs WAITAOF."""

    def __init__(
        self, redis: Redis, wallets: Wallets, opener: ShardOpener, settings: Settings, *, wait_aof: bool
    ) -> None:
        self._shards = settings.wallet_shards
        self._lanes: list[Lane] = []
        for _ in range(LANES):
            calls = GiftCalls(redis, settings, wait_aof=wait_aof, timeout_s=ANSWER_TIMEOUT_S)
            self._lanes.append(Lane(calls, wallets, opener, batch_max=settings.batch_max))

    def submit(self, order: GiftOrder) -> Reply:
        """Puts an order on its way. The reply always gets an answer, at the latest after twice ANSWER_TIMEOUT_S."""
        shard = shard_of(order.viewer, self._shards)
        return self._lanes[shard % LANES].submit(shard, order)

    async def run(self) -> None:
        """Carries orders until cancelled."""
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes:
                group.create_task(lane.run())
