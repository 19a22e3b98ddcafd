"""A timeout that does not count the time in which this process itself stood still.

A process that was stopped, or had no processor for a while, finds its timers due before it has read what arrived
meanwhile: it would refuse gifts whose answers are there. So a timer that comes late gives the answer a moment more.
"""

import asyncio
from types import TracebackType
from typing import Self

LATE_S = 0.1
"""A timer that is later than this says that the process stood still."""

MORE_S = 0.1
MORE_TIMES_MAX = 20


class Patience:
    """`async with Patience(s)` raises TimeoutError after so many seconds. overtime_s: how much longer it took."""

    def __init__(self, timeout_s: float) -> None:
        self.overtime_s = 0.0
        self._loop = asyncio.get_running_loop()
        self._due_s = self._loop.time() + timeout_s
        self._more_times = 0
        self._timeout = asyncio.timeout(None)
        self._timer = self._loop.call_at(self._due_s, self._due)

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()
        await self._timeout.__aexit__(kind, error, traceback)

    def _due(self) -> None:
        now_s = self._loop.time()
        late_s = now_s - self._due_s
        if late_s < LATE_S or self._more_times == MORE_TIMES_MAX:
            self._timeout.reschedule(now_s)
            return
        self._more_times += 1
        self.overtime_s += late_s + MORE_S
        self._due_s = now_s + MORE_S
        self._timer = self._loop.call_at(self._due_s, self._due)
