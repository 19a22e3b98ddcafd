"""Redis as a simulated process sees it: each round trip is one call at the gate."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.simulation.fibers import Caller, Effect, Fibers, Process
from tests.simulation.valkeys import Command, Valkeys

_TOKEN = re.compile(r"loading:[0-9a-f]+:")
"""Drawn at random, and so left out of what is told."""

NOWHERE = "unix:///nonexistent"


class Network:
    """Carries round trips to the Valkey that is the primary now. late: those still under way, of callers gone."""

    def __init__(self, fibers: Fibers, valkeys: Valkeys) -> None:
        self._fibers = fibers
        self._valkeys = valkeys
        self.late: list[tuple[str, Callable[[], object]]] = []

    async def call(self, process: Process, commands: list[Command]) -> list[Any]:
        """The replies, errors among them. Raises redis.exceptions.ConnectionError when the caller hears nothing."""
        label, server = _label(commands), process.old_primary
        outcome = await self._fibers.gate(process, label)
        if outcome.effect is Effect.LATER:
            self.late.append((label, lambda: self._valkeys.run(commands, server)))
        replies = self._valkeys.run(commands, process.old_primary) if outcome.effect is Effect.NOW else []
        if outcome.caller is Caller.DEAD:
            raise asyncio.CancelledError
        if outcome.caller is Caller.LOST:
            raise RedisConnectionError("the connection was lost")
        return replies


class SimulatedRedis(Redis):
    """A client without a connection of its own."""

    def __init__(self, network: Network, process: Process) -> None:
        super().__init__(unix_socket_path=NOWHERE, protocol=2)
        self._network = network
        self._process = process
        self.connection_pool.make_connection = lambda: _Connection(network, process)  # type: ignore[method-assign]

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        (reply,) = await self._network.call(self._process, [(args, options)])
        if isinstance(reply, Exception):
            raise reply
        return reply

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        return _Pipeline(self, self._network, self._process)


class _Pipeline(Pipeline):
    def __init__(self, client: SimulatedRedis, network: Network, process: Process) -> None:
        super().__init__(client.connection_pool, client.response_callbacks, False, None)
        self._network = network
        self._process = process

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        commands, self.command_stack = self.command_stack, []
        replies = await self._network.call(self._process, commands) if commands else []
        if raise_on_error:
            for reply in replies:
                if isinstance(reply, Exception):
                    raise reply
        return replies


class _Connection:
    """The connection that carries gifts (server/wallet/gift_calls.py)."""

    def __init__(self, network: Network, process: Process) -> None:
        self._network = network
        self._process = process

    async def connect(self) -> None:
        pass

    async def disconnect(self, nowait: bool = False) -> None:
        pass

    async def exchange(self, commands: Iterable[tuple[Any, ...]]) -> list[Any]:
        return await self._network.call(self._process, [(command, {}) for command in commands])


def _label(commands: list[Command]) -> str:
    words = [
        " ".join(str(word) for word in args[1:4:2]) if args[0] == "FCALL" else " ".join(map(str, args[:2]))
        for args, _ in commands
    ]
    return _TOKEN.sub("", "; ".join(words))[:120]
