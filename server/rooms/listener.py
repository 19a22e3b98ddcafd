"""The gateway's one connection for the rooms' sharded channels, and the probe that tells whether it really hears.

A subscription can die without a sign. So the gateway publishes to itself every PROBE_EVERY_S, through a function in
Redis as deltas are; when it has not heard itself for PROBE_LOST_S, it is not healthy and connects anew.
"""

import asyncio
import random
from collections.abc import Callable

import structlog
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from server.stores import keys
from server.stores.failures import REDIS_AWAY
from server.stores.redis import is_missing_function, load_functions

log = structlog.get_logger()

PROBE_EVERY_S = 2.0
PROBE_LOST_S = 6.0
BACKOFF_FIRST_S = 0.05
BACKOFF_MAX_S = 2.0
CHANNELS_PER_COMMAND = 200


class Listener:
    """Keeps the wanted channels subscribed, across lost connections.

    on_message(channel, payload). on_subscribed(channel): also after each reconnection, when messages may have been
    missed. on_lost(): the connection broke.
    """

    def __init__(
        self,
        redis: Redis,
        gateway_id: str,
        *,
        on_message: Callable[[bytes, bytes], None],
        on_subscribed: Callable[[bytes], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._redis = redis
        self._probe = keys.probe_channel(gateway_id).encode()
        self._on_message = on_message
        self._on_subscribed = on_subscribed
        self._on_lost = on_lost
        self._channels: set[bytes] = set()
        self._connection: AbstractConnection | None = None
        self._heard_at_s = float("-inf")
        self._loop = asyncio.get_running_loop()

    def healthy(self) -> bool:
        """Whether the gateway heard itself lately."""
        return self._connection is not None and self._loop.time() - self._heard_at_s < PROBE_LOST_S

    async def subscribe(self, channel: bytes) -> None:
        """Wants a channel; on_subscribed tells when it is heard."""
        self._channels.add(channel)
        await self._send("SSUBSCRIBE", channel)

    async def unsubscribe(self, channel: bytes) -> None:
        self._channels.discard(channel)
        await self._send("SUNSUBSCRIBE", channel)

    async def run(self) -> None:
        """Listens until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_listening())
            group.create_task(self._keep_probing())

    async def _keep_listening(self) -> None:
        backoff_s = BACKOFF_FIRST_S
        while True:
            began_s = self._loop.time()
            try:
                await self._listen()
            except REDIS_AWAY as error:
                log.warning("not hearing the rooms", error=f"{type(error).__name__}: {error}"[:200])
            finally:
                self._on_lost()
            lasted = self._loop.time() - began_s > PROBE_LOST_S
            backoff_s = BACKOFF_FIRST_S if lasted else min(backoff_s * 2, BACKOFF_MAX_S)
            await asyncio.sleep(random.uniform(0, backoff_s))  # noqa: S311 - jitter

    async def _listen(self) -> None:
        connection = self._redis.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        try:
            await connection.connect()
            began_s = self._loop.time()
            self._connection = connection
            wanted = [self._probe, *self._channels]
            for start in range(0, len(wanted), CHANNELS_PER_COMMAND):
                await connection.send_command("SSUBSCRIBE", *wanted[start : start + CHANNELS_PER_COMMAND])
            while True:
                message = await connection.read_response(
                    timeout=PROBE_LOST_S, disconnect_on_error=False, push_request=True
                )
                if message is None:
                    raise RedisConnectionError("nothing was heard for too long")
                kind, channel, payload = message
                if kind == b"smessage":
                    if channel == self._probe:
                        self._heard_at_s = self._loop.time()
                    else:
                        self._on_message(channel, payload)
                elif kind == b"ssubscribe":
                    self._on_subscribed(channel)
                if self._loop.time() - max(self._heard_at_s, began_s) > PROBE_LOST_S:
                    raise RedisConnectionError("the gateway does not hear itself")
        finally:
            self._connection = None
            await connection.disconnect(nowait=True)

    async def _keep_probing(self) -> None:
        while True:
            try:
                await self._redis.fcall("gs_probe", 1, self._probe, "1")
            except REDIS_AWAY as error:
                await self._mend(error)
            await asyncio.sleep(PROBE_EVERY_S)

    async def _mend(self, error: BaseException) -> None:
        """A Redis that was emptied has lost our functions: they are put back."""
        if isinstance(error, RedisError) and is_missing_function(error):
            try:
                await load_functions(self._redis)
            except REDIS_AWAY:
                log.warning("the functions could not be loaded")

    async def _send(self, *command: str | bytes) -> None:
        """Sends now if connected; else the channels are subscribed with the next connection."""
        connection = self._connection
        if connection is None:
            return
        try:
            await connection.send_command(*command)
        except REDIS_AWAY:
            await connection.disconnect(nowait=True)
