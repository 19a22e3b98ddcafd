"""One connection for all single calls of a process.

What is asked in one turn of the loop leaves in one write, and answers come back in the order of the calls: under load
a call costs a tenth of what it does on a connection of its own. Whoever gives up a call leaves its answer to nobody.
"""

import asyncio
from collections import deque
from typing import Any

from redis.asyncio.connection import ConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from server.stores.redis_connection import Cancellable

CALLS_MAX = 1_024
"""Calls that are under way at once; the others wait for their turn."""

TURN_TIMEOUT_S = 2.0

LATE_S = 0.1
"""A look at the oldest call that comes later than this says that the process stood still: it reads what arrived
meanwhile before it calls an answer late."""


class Line:
    """Connects with the first call, and anew after each failure. pool: makes the connections."""

    def __init__(self, pool: ConnectionPool, reply_timeout_s: float) -> None:
        self._pool = pool
        self._reply_timeout_s = reply_timeout_s
        self._turns = asyncio.Semaphore(CALLS_MAX)
        self._connection: Cancellable | None = None
        self._connecting: asyncio.Task[Cancellable] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._out: list[bytes] = []
        self._pending: deque[tuple[float, asyncio.Future[Any]]] = deque()
        """When each call was made, and who waits for its answer, in the order of the calls."""
        self._look: asyncio.TimerHandle | None = None

    async def call(self, command: tuple[Any, ...]) -> Any:
        """The answer. Raises ResponseError when it is one, and what REDIS_AWAY names when there is none."""
        await self._turn()
        try:
            connection = self._connection
            if connection is None:
                connection = await self._connect()
            answer = await self._ask(connection, command)
        finally:
            self._turns.release()
        if isinstance(answer, ResponseError):
            raise answer
        return answer

    async def close(self) -> None:
        """Ends the connection; calls under way fail."""
        self._fail(RedisConnectionError("the line was closed"))
        ending = [task for task in (self._connecting, self._reading) if task is not None]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        if self._look is not None:
            self._look.cancel()

    async def _turn(self) -> None:
        if not self._turns.locked():
            await self._turns.acquire()
            return
        try:
            async with asyncio.timeout(TURN_TIMEOUT_S):
                await self._turns.acquire()
        except TimeoutError:
            raise RedisConnectionError(f"no turn within {TURN_TIMEOUT_S:.0f} s") from None

    async def _connect(self) -> Cancellable:
        """Whoever calls while there is no connection waits for the same one, and fails with it."""
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.create_task(self._make_connection(), name="redis-line-connecting")
            self._connecting.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._connecting)

    async def _make_connection(self) -> Cancellable:
        connection: Cancellable = self._pool.make_connection()  # type: ignore[no-untyped-call]
        await connection.connect()  # type: ignore[no-untyped-call]
        self._connection = connection
        self._reading = asyncio.create_task(self._read(connection), name="redis-line")
        return connection

    def _ask(self, connection: Cancellable, command: tuple[Any, ...]) -> "asyncio.Future[Any]":
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        if connection is not self._connection:
            answer.set_exception(RedisConnectionError("the connection was lost"))
            return answer
        packed = connection.pack_command(*command)
        now_s = loop.time()
        self._pending.append((now_s, answer))
        if self._look is None:
            self._look_at(now_s + self._reply_timeout_s)
        if not self._out:
            loop.call_soon(self._flush, connection)
        self._out += packed
        return answer

    def _flush(self, connection: Cancellable) -> None:
        if connection is self._connection:
            out, self._out = self._out, []
            try:
                connection.write_now(b"".join(out))
            except RedisError as error:
                self._break(error)

    async def _read(self, connection: Cancellable) -> None:
        try:
            while True:
                answer = await connection.next_answer()
                _, future = self._pending.popleft()
                if not future.done():
                    future.set_result(answer)
        except (RedisError, OSError) as error:
            if connection is self._connection:
                self._fail(error)
        finally:
            await connection.disconnect(nowait=True)

    def _break(self, error: RedisError) -> None:
        """Gives the connection up."""
        self._fail(error)
        if self._reading is not None:
            self._reading.cancel()

    def _fail(self, error: RedisError | OSError) -> None:
        """Whatever is under way has no answer."""
        self._connection = None
        self._out = []
        pending, self._pending = self._pending, deque()
        for _, future in pending:
            if not future.done():
                future.set_exception(type(error)(*error.args))

    # Answers that do not come

    def _look_at(self, at_s: float) -> None:
        self._look = asyncio.get_running_loop().call_at(at_s, self._look_at_oldest, at_s)

    def _look_at_oldest(self, meant_s: float) -> None:
        """Breaks a connection that has not answered its oldest call in time."""
        self._look = None
        if not self._pending:
            return
        now_s, due_s = asyncio.get_running_loop().time(), self._pending[0][0] + self._reply_timeout_s
        stood_still = now_s - meant_s > LATE_S and now_s < due_s + self._reply_timeout_s
        if due_s > now_s:
            self._look_at(due_s)
        elif stood_still:
            self._look_at(now_s + LATE_S)
        else:
            self._break(RedisTimeoutError(f"no answer within {self._reply_timeout_s:.0f} s"))
