"""A child process that is told what to do in lines of JSON and answers each with one: orders in, results out."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

import orjson

from server.child import die_with_parent

LINE_BYTES_MAX = 1 << 28
STOP_TIMEOUT_S = 10.0


class LineProcess:
    """The parent's end, for ``python -m <module>``; a context manager that ends the child."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            self._module,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_BYTES_MAX,
            process_group=0,
            # A parent that is killed closes no order, and a child amid one would go on with it.
            preexec_fn=die_with_parent(signal.SIGKILL),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def tell(self, order: str, told: Any) -> Any:
        """Give an order and wait for its answer. Raises RuntimeError when the child ends instead."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(orjson.dumps({order: told}) + b"\n")
        await process.stdin.drain()
        line = await process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._module} ended ({await process.wait()}) while it was told: {order}")
        return orjson.loads(line)


async def follow_orders(orders: dict[str, Callable[[Any], Awaitable[Any]]]) -> None:
    """The child's end: do what stdin says, until it ends. Whatever else is printed goes to stderr."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    reader = asyncio.StreamReader(limit=LINE_BYTES_MAX)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        ((order, told),) = orjson.loads(line).items()
        answer = await orders[order](told)
        answers.write(orjson.dumps(answer) + b"\n")
        answers.flush()
