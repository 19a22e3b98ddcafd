"""Connections that can be cancelled while they send, and that break with no other error than Redis's own.

redis-py sends through `asyncio.wait_for`, and that of Python 3.11 forgets a cancellation that arrives when the bytes
have just left: a background task would go on for ever, and whoever waits for its end too. `asyncio.timeout` remembers.

uvloop says RuntimeError when a transport is written to that was reset a moment ago; here it is a lost connection. So is
one to a server that became a replica: it stays open, and would refuse every write for as long as it is used.

Commands are packed by hiredis, in C: redis-py does it in Python, which took a sixth of what a gift costs a gateway.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

import hiredis
from redis.asyncio.connection import (
    AbstractConnection,
    Connection,
    ConnectionPool,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError
from redis.exceptions import TimeoutError as RedisTimeoutError

ANSWERS_PER_PATIENCE = 16
"""After so many answers of a round trip its time begins anew."""


class Cancellable(AbstractConnection):
    """Sends and reads as redis-py does, errors included."""

    __slots__ = ()

    def pack_command(self, *command: Any) -> list[bytes]:
        # A name of several words, such as CONFIG GET, is sent word by word.
        name = command[0].encode() if isinstance(command[0], str) else command[0]
        packed: bytes = hiredis.pack_command((*name.split(), *command[1:]))
        return [packed]

    def pack_commands(self, commands: Iterable[Iterable[Any]]) -> list[bytes]:
        return [b"".join(self.pack_command(*command)[0] for command in commands)]

    async def send_packed_command(self, command: bytes | str | Iterable[bytes], check_health: bool = True) -> None:
        if not self.is_connected:
            await self.connect_check_health(check_health=False)
        if check_health:
            await self.check_health()  # type: ignore[no-untyped-call]
        packed = command.encode() if isinstance(command, str) else command
        try:
            async with asyncio.timeout(self.socket_timeout):
                await self._send_packed_command([packed] if isinstance(packed, bytes) else packed)
        except TimeoutError:
            await self.disconnect(nowait=True)
            raise RedisTimeoutError("Timeout writing to socket") from None
        except (OSError, RuntimeError) as error:
            await self.disconnect(nowait=True)
            raise RedisConnectionError(f"Error while writing to socket: {error}") from error
        except BaseException:
            # Half a command may have left: nothing more can be said on this connection.
            await self.disconnect(nowait=True)
            raise

    async def read_response(self, *arguments: Any, **named: Any) -> Any:
        try:
            return await super().read_response(*arguments, **named)
        except ReadOnlyError as error:
            await self.disconnect(nowait=True)
            raise RedisConnectionError("The server became a replica") from error

    async def exchange(self, commands: Iterable[Iterable[Any]]) -> list[Any]:
        """The answers to some commands, in one round trip, errors among them as values. Each may take as long as a
        single one. Raises what REDIS_AWAY names; nothing more can be said on this connection then.
        """
        commands = list(commands)
        packed = self.pack_commands(commands)
        clock = asyncio.get_running_loop().time
        answers: list[Any] = []
        try:
            async with asyncio.timeout(self.socket_timeout) as patience:
                await self._send_packed_command(packed)
                for _ in commands:
                    answers.append(await self.next_answer())
                    if len(answers) % ANSWERS_PER_PATIENCE == 0 and self.socket_timeout is not None:
                        patience.reschedule(clock() + self.socket_timeout)
        except TimeoutError:
            await self.disconnect(nowait=True)
            raise RedisTimeoutError("Timeout reading from socket") from None
        except (OSError, RuntimeError) as error:
            await self.disconnect(nowait=True)
            raise RedisConnectionError(f"Error while writing to socket: {error}") from error
        except BaseException:
            await self.disconnect(nowait=True)
            raise
        return answers

    async def next_answer(self) -> Any:
        """The next answer, an error as a value, however long it takes. Raises what REDIS_AWAY names."""
        answer = await self._parser.read_response(True)  # type: ignore[attr-defined]  # whichever parser it is
        if isinstance(answer, ReadOnlyError):
            raise RedisConnectionError("The server became a replica")
        return answer

    def write_now(self, data: bytes) -> None:
        """Sends what is packed, without waiting for anything. Raises RedisConnectionError."""
        if self._writer is None:
            raise RedisConnectionError("Not connected")
        try:
            self._writer.write(data)
        except (OSError, RuntimeError) as error:
            raise RedisConnectionError(f"Error while writing to socket: {error}") from error


class _Tcp(Cancellable, Connection):
    __slots__ = ()


class _Tls(Cancellable, SSLConnection):
    __slots__ = ()


class _Unix(Cancellable, UnixDomainSocketConnection):
    __slots__ = ()


_CLASSES: dict[type[AbstractConnection], type[AbstractConnection]] = {
    Connection: _Tcp,
    SSLConnection: _Tls,
    UnixDomainSocketConnection: _Unix,
}


def use_cancellable_connections(pool: ConnectionPool) -> None:
    """Makes a pool that has no connections yet use those of this module."""
    pool.connection_class = _CLASSES[pool.connection_class]
