"""Calls of `gs_gifts` over one connection: a batch for each of some shards in one round trip, on disk when it returns.

A call whose reply was lost is sent once more: the function knows the requests it has answered, so nobody pays twice.
"""

from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from server.domain.gift import GiftOrder
from server.settings import Settings
from server.stores import keys
from server.stores.columns import column
from server.stores.failures import REDIS_AWAY
from server.stores.redis_connection import Cancellable

Batch = tuple[int, list[GiftOrder]]
"""A shard, and what it is asked in one call."""

Reply = bytes | ResponseError
"""The answers to a batch (see `decode_answers`), or why the shard took none of it."""


def columns_of(orders: list[GiftOrder]) -> tuple[bytes, ...]:
    """The orders of a batch as `gs_gifts` takes them."""
    return (
        column([order.viewer for order in orders]),
        column([order.request for order in orders]),
        column([order.fingerprint for order in orders]),
        column([order.combo_key for order in orders]),
        column([order.count for order in orders]),
        column([order.coins for order in orders]),
        column([order.verdict for order in orders]),
        column([order.body for order in orders]),
    )


class GiftCalls:
    """One connection; what fails on it is raised after it was tried once more on a fresh one."""

    def __init__(self, redis: Redis, settings: Settings, *, wait_aof: bool, timeout_s: float) -> None:
        self._redis = redis
        self._wait_aof = wait_aof
        self._timeout_ms = int(timeout_s * 1000)
        self._limits = (
            settings.log_backlog_max // settings.wallet_shards,
            settings.combo_gap_ms * 1000,
            settings.dedupe_s,
            int(1_000_000 / settings.gifts_per_second),
            settings.gifts_burst,
        )
        self._connection: Cancellable | None = None

    async def exchange(self, batches: list[Batch]) -> list[Reply]:
        """The replies, in order. Raises what REDIS_AWAY names; bound it with a timeout, and disconnect after either."""
        if self._connection is not None:
            try:
                return await self._send(self._connection, batches)
            except REDIS_AWAY as error:
                if isinstance(error, TimeoutError):
                    raise
                await self.disconnect()
        connection: Cancellable = self._redis.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        self._connection = connection
        await connection.connect()  # type: ignore[no-untyped-call]
        return await self._send(connection, batches)

    async def disconnect(self) -> None:
        """Ends the connection; the next call makes another one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)

    async def _send(self, connection: Cancellable, batches: list[Batch]) -> list[Reply]:
        commands = [self._command(shard, orders) for shard, orders in batches]
        if self._wait_aof:
            commands.append(("WAITAOF", 1, 0, self._timeout_ms))
        replies: list[Reply] = await connection.exchange(commands)
        if self._wait_aof:
            on_disk: Any = replies.pop()
            if isinstance(on_disk, ResponseError):
                raise on_disk
            if on_disk[0] < 1:
                raise TimeoutError("WAITAOF: not on disk in time")
        return replies

    def _command(self, shard: int, orders: list[GiftOrder]) -> tuple[str | bytes | int, ...]:
        return ("FCALL", "gs_gifts", 1, keys.shard(shard), *self._limits, *columns_of(orders))
