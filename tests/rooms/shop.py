"""Gifts for the tests, through the real wallet functions and into the shards' real logs."""

import asyncio

from redis.asyncio import Redis

from server.domain.gift import Accepted, GiftOrder, encode_body
from server.domain.ids import shard_of
from server.stores import keys
from server.wallet.answers import decode_answers
from server.wallet.gift_calls import columns_of

RICH = 10**12
OPENING = "opened"


class Shop:
    """Opens shards and sends gifts of rich viewers."""

    def __init__(self, redis: Redis, wallet_shards: int) -> None:
        self.redis = redis
        self.wallet_shards = wallet_shards
        self._requests = 0
        self._open: dict[int, int] = {}
        self._opening = asyncio.Lock()

    async def open(self, shard: int, epoch: int = 1) -> None:
        """Begins an epoch of a shard."""
        held = await self.redis.fcall("gs_state", 1, keys.shard(shard))
        await self.redis.fcall("gs_reset", 1, keys.shard(shard), *held[:3], epoch, self.wallet_shards, OPENING)
        await self.redis.fcall("gs_open", 1, keys.shard(shard), str(epoch), "0", OPENING, OPENING)
        self._open[shard] = epoch

    async def give(
        self, viewer: str, room: str, *, count: int = 1, times: int = 1, gift: str = "rose", name: str = ""
    ) -> None:
        """Sends gifts of one coin a piece, all in one batch."""
        shard = shard_of(viewer, self.wallet_shards)
        async with self._opening:
            if shard not in self._open:
                await self.open(shard)
        key, epoch = keys.shard(shard), str(self._open[shard])
        settled = int(await self.redis.hget(key, "settled") or 0)
        await self.redis.fcall("gs_load", 1, key, epoch, str(settled), viewer, str(RICH), "0", "0", "3600")
        orders = []
        for _ in range(times):
            self._requests += 1
            request = f"request-{self._requests}"
            body = encode_body(
                request_id=request,
                viewer=viewer,
                viewer_name=name or viewer.title(),
                room=room,
                creator="creator",
                gift=gift,
                version=1,
                count=count,
                coins=count,
                diamonds=count,
            )
            orders.append(GiftOrder(viewer, request, "", f"{room}:{gift}", count, count, None, body))
        reply = await self.redis.fcall("gs_gifts", 1, key, "1000000", "3000000", "600", "0", "1", *columns_of(orders))
        answers = decode_answers(shard, reply)
        assert all(isinstance(answer, Accepted) for answer in answers), answers

    async def give_singly(self, viewer: str, room: str, times: int) -> None:
        """Sends gifts one after the other, each in a batch of its own."""
        for _ in range(times):
            await self.give(viewer, room)

    async def settled_to_the_end(self) -> None:
        """As if the ledger had settled everything (it moves its mark only)."""
        for shard in self._open:
            number, settled = await self.redis.hmget(keys.shard(shard), "number", "settled")
            epoch = str(self._open[shard])
            answer = await self.redis.fcall("gs_settled", 1, keys.shard(shard), epoch, settled, number, "3600", "", "")
            assert answer == b"ok"
