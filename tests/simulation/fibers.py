"""The order in which things happen, chosen call by call.

Every task of a simulated process stops at a gate before each call to a store. The driver lets one of them go on at a
time and says what becomes of its call: it is carried out, or never arrives, or arrives late; and the caller hears the
answer, or an error, or is dead by then. So every interleaving, and a crash between any two calls, is one choice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

BLOCKED_LOOK_S = 0.002
"""A statement that takes longer is looked at: it may wait for a lock that another task holds."""


class Effect(Enum):
    """What becomes of a call in the store."""

    NOW = "carried out"
    NEVER = "never arrives"
    LATER = "arrives late"


class Caller(Enum):
    """What becomes of whoever made it."""

    HEARS = "hears"
    LOST = "hears an error"
    DEAD = "is dead"


@dataclass(frozen=True)
class Outcome:
    """What becomes of one call."""

    effect: Effect = Effect.NOW
    caller: Caller = Caller.HEARS

    def __str__(self) -> str:
        return f"{self.effect.value}, caller {self.caller.value}"


DONE = Outcome()


class Loop(asyncio.SelectorEventLoop):
    """A loop that knows when nothing is left to run."""

    def idle(self) -> bool:
        return not self._ready  # type: ignore[attr-defined]


@dataclass(eq=False)
class Process:
    """One process of the installation. old_primary: which server it still talks to after a failover it missed."""

    name: str
    alive: bool = True
    old_primary: int | None = None
    tasks: dict[asyncio.Task[Any], None] = field(default_factory=dict)
    """In the order in which they began."""

    def start(self, work: Any, name: str) -> asyncio.Task[Any]:
        """Runs a coroutine as a task of this process."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self.tasks[task] = None
        task.add_done_callback(lambda done: self.tasks.pop(done, None))
        return task


@dataclass(eq=False)
class Fiber:
    """A task that makes calls. age: which one it was; free_calls: how many it may make before it stops again."""

    task: asyncio.Task[Any]
    process: Process
    age: int
    free_calls: int = 0
    call: str = ""
    wake: asyncio.Future[Outcome] | None = None

    def __str__(self) -> str:
        name = self.task.get_name()
        return f"{self.process.name}/{name if not name.startswith('Task-') else self.age} {self.call}"


@dataclass(eq=False)
class Statement:
    """A statement that Postgres works at. waiting: for a lock; done: Postgres has answered."""

    fiber: Fiber
    server_pid: int
    waiting: bool = False
    done: bool = False


class Monitor(Protocol):
    """What must be known of a backend of Postgres."""

    async def blocked(self, pid: int) -> bool: ...
    async def cancel(self, pid: int) -> None: ...


class Fibers:
    """All tasks that have stopped at a gate, oldest first, and the statements under way."""

    def __init__(self, monitor: Monitor) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Loop)
        self._loop = loop
        self._monitor = monitor
        self.parked: list[Fiber] = []
        self._fibers: dict[asyncio.Task[Any], Fiber] = {}
        self._born = 0
        self._going_on: Fiber | None = None
        self._running: list[Statement] = []
        self.waiting: list[Statement] = []
        self._changed: asyncio.Future[bool] | None = None

    async def gate(self, process: Process, call: str) -> Outcome:
        """Stops the calling task until the driver says what becomes of its call."""
        if not process.alive:
            raise asyncio.CancelledError
        fiber = self._fiber(process)
        fiber.call = call
        # Only one goes on at a time: two statements at once would end in any order.
        if fiber.free_calls > 0 and fiber is self._going_on:
            fiber.free_calls -= 1
            return DONE
        return await self._park(fiber)

    async def statement(self, process: Process, server_pid: int, work: Awaitable[Any]) -> Any:
        """Waits for a statement of Postgres; when it had to wait for a lock, its task stops once more after it."""
        statement = Statement(self._fiber(process), server_pid)
        self._running.append(statement)
        try:
            return await work
        finally:
            statement.done = True
            if statement.waiting:
                self.waiting.remove(statement)
                await self._stop_again(statement.fiber)
            else:
                await self.let_locks_pass()
                self._running.remove(statement)
                self._tell_driver()

    async def unattended(self, server_pid: int, work: Awaitable[Any]) -> None:
        """A statement that nobody waits for any more; where it would have to wait for a lock, it is cancelled."""
        running = asyncio.ensure_future(work)
        while not running.done():
            await asyncio.wait([running], timeout=BLOCKED_LOOK_S)
            if not running.done() and await self._monitor.blocked(server_pid):
                await self._monitor.cancel(server_pid)
        running.result()

    def resume(self, fiber: Fiber, outcome: Outcome, free_calls: int) -> None:
        """Lets a task go on; `quiet` returns when it, and all that it set going, has stopped again."""
        self.parked.remove(fiber)
        fiber.free_calls = free_calls
        self._going_on = fiber
        assert fiber.wake is not None
        fiber.wake.set_result(outcome)

    async def quiet(self) -> None:
        """Returns when every task has stopped at a gate, waits for a lock, or is over."""
        while True:
            if not self._loop.idle():
                await asyncio.sleep(0)
            elif not self._running:
                # Those who got a lock at the same time stop in any order.
                self.parked.sort(key=lambda fiber: fiber.age)
                return
            elif not await self._something_changed():
                for statement in list(self._running):
                    if await self._monitor.blocked(statement.server_pid) and not statement.done:
                        await self._let_wait(statement)

    async def kill(self, process: Process, fates: Callable[[Fiber], Effect]) -> None:
        """Ends a process at once. fates(fiber): what becomes of the call that it had just made."""
        process.alive = False
        parked = [fiber for fiber in self.parked if fiber.process is process]
        waiting = {statement.fiber.task for statement in self.waiting}
        for fiber in parked:
            self.resume(fiber, Outcome(fates(fiber), Caller.DEAD), 0)
        # Whoever waits for a lock is left to Postgres, which does not notice that its client died.
        for task in list(process.tasks):
            if task not in waiting and all(fiber.task is not task for fiber in parked):
                task.cancel()
        await self.quiet()

    def _fiber(self, process: Process) -> Fiber:
        task = asyncio.current_task()
        assert task is not None
        fiber = self._fibers.get(task)
        if fiber is None:
            self._born += 1
            fiber = self._fibers[task] = Fiber(task, process, self._born)
            process.tasks.setdefault(task)
            task.add_done_callback(self._forget)
        return fiber

    def _forget(self, task: asyncio.Task[Any]) -> None:
        fiber = self._fibers.pop(task)
        fiber.process.tasks.pop(task, None)

    async def _park(self, fiber: Fiber) -> Outcome:
        fiber.wake = self._loop.create_future()
        self.parked.append(fiber)
        try:
            return await fiber.wake
        finally:
            if fiber in self.parked:
                self.parked.remove(fiber)

    async def _stop_again(self, fiber: Fiber) -> None:
        if not fiber.process.alive:
            raise asyncio.CancelledError
        fiber.call = "got its lock"
        if (await self._park(fiber)).caller is Caller.DEAD:
            raise asyncio.CancelledError

    async def let_locks_pass(self) -> None:
        """After a statement that may have given locks back: who got one is done, the others still wait."""
        for statement in list(self.waiting):
            while not statement.done and not await self._monitor.blocked(statement.server_pid):
                await asyncio.sleep(BLOCKED_LOOK_S / 4)

    async def _let_wait(self, statement: Statement) -> None:
        """One statement may wait for a lock; a second one is cancelled, as Postgres lets them pass in any order."""
        if self.waiting:
            await self._monitor.cancel(statement.server_pid)
            return
        statement.waiting = True
        self._running.remove(statement)
        self.waiting.append(statement)

    def _tell_driver(self) -> None:
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(True)

    async def _something_changed(self) -> bool:
        """Waits for a statement to end; False when none does for a while."""
        changed = self._changed = self._loop.create_future()
        timer = self._loop.call_later(BLOCKED_LOOK_S, lambda: changed.done() or changed.set_result(False))
        try:
            return await changed
        finally:
            timer.cancel()
            self._changed = None
