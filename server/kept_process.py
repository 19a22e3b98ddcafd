"""A process that is started again when it ends: with growing pauses, and not for ever."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from server.child import Child, describe_exit
from server.start_error import StartError
from server.terminal import say

RESTARTS_MAX = 5
RESTARTS_WINDOW_S = 60.0
BACKOFF_FIRST_S = 0.1
BACKOFF_MAX_S = 3.0
KILL_AFTER_S = 1.0


class KeptProcess:
    """One process and how to start it again.

    ``spawn`` starts it; ``ready`` returns when it does its work, or raises StartError; ``on_back`` is called at each
    return.
    """

    def __init__(
        self,
        name: str,
        spawn: Callable[[], Awaitable[Child]],
        *,
        ready: Callable[[Child], Awaitable[None]] | None = None,
        on_back: Callable[[], None] | None = None,
    ) -> None:
        self.name = name
        self.child: Child | None = None
        self._spawn = spawn
        self._ready = ready
        self._on_back = on_back
        self._ends: deque[float] = deque(maxlen=RESTARTS_MAX + 1)

    async def spawn(self) -> Child:
        """Start the process for the first time. Raises StartError."""
        self.child = await self._spawn()
        return self.child

    async def keep(self) -> None:
        """Start the process again whenever it ends. Raises StartError when it ended too often; else never returns."""
        assert self.child is not None
        loop = asyncio.get_running_loop()
        while True:
            how = describe_exit(await self.child.wait() or 0)
            ended_at = loop.time()
            self._ends.append(ended_at)
            ends = sum(end > ended_at - RESTARTS_WINDOW_S for end in self._ends)
            if ends > RESTARTS_MAX:
                say(f"{self.name} ended ({how}), {ends} times within {RESTARTS_WINDOW_S:.0f} s: giving up", style="bad")
                raise StartError(f"stopped, because {self.name} could not be kept alive")
            say(f"{self.name} ended ({how}); starting it again", style="warning")
            await asyncio.sleep(min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** (ends - 1)))
            try:
                self.child = await self._spawn()
                if self._ready is not None:
                    await self._ready(self.child)
            except (StartError, OSError) as error:
                say(f"{self.name}: {error}", style="bad")
                await self.child.stop(KILL_AFTER_S)  # a half-started one counts as ended
                continue
            if self._on_back is not None:  # before it is said: who hears of it may look
                self._on_back()
            say(f"{self.name} is back (pid {self.child.pid}) after {loop.time() - ended_at:.1f} s", style="good")

    async def stop(self, timeout_s: float, hurry: asyncio.Event) -> None:
        """Ask the process to end; kill it after ``timeout_s``, or as soon as ``hurry`` is set."""
        if self.child is None or self.child.exit_code is not None:
            return
        stopping = asyncio.create_task(self.child.stop(timeout_s))
        hurrying = asyncio.create_task(hurry.wait())
        await asyncio.wait({stopping, hurrying}, return_when=asyncio.FIRST_COMPLETED)
        killed = not stopping.done()
        if killed:
            self.child.kill()
        code = await stopping
        hurrying.cancel()
        if code != 0:
            how = "was killed" if killed else f"ended with {describe_exit(code)}"
            say(f"{self.name} {how} while stopping", style="warning")
