"""Postgres as a simulated process sees it: each statement is one call at the gate.

A transaction whose client died, or lost its connection, goes on holding its locks until the driver ends it: rolled
back, or committed if the commit was on its way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import asyncpg

from tests.simulation.fibers import Caller, Effect, Fibers, Process

Raw = asyncpg.Connection
NO_BACKEND = 0
"""While a connection is made: nobody waits for a lock."""


@dataclass
class Orphan:
    """A transaction, or a statement, that nobody waits for any more."""

    label: str
    raw: Raw
    end: Callable[[], Awaitable[object]]


class Backends:
    """Connections to the real server, handed out to simulated ones."""

    def __init__(self, url: str, fibers: Fibers) -> None:
        self._url = url
        self.fibers = fibers
        self._free: list[Raw] = []
        self.orphans: list[Orphan] = []
        self.lent: list[SimulatedConnection] = []

    async def take(self, process: Process) -> Raw:
        if self._free:
            return self._free.pop()
        raw: Raw = await self.fibers.statement(process, NO_BACKEND, asyncpg.connect(self._url))
        return raw

    def give_back(self, raw: Raw) -> None:
        assert not raw.is_in_transaction()
        self._free.append(raw)

    @property
    def in_transaction(self) -> bool:
        """Whether any transaction is open."""
        return bool(self.orphans) or any(lent.top is not None for lent in self.lent)

    async def end(self, orphan: Orphan) -> None:
        """What was on its way arrives, or Postgres notices that the client is gone."""
        self.orphans.remove(orphan)
        with suppress(asyncpg.PostgresError):  # nobody hears it
            await self.fibers.unattended(orphan.raw.get_server_pid(), orphan.end())
        await self.fibers.let_locks_pass()
        self.give_back(orphan.raw)

    async def close(self) -> None:
        for raw in self._free:
            await raw.close()


class SimulatedPool:
    """As much of a pool as the server uses."""

    def __init__(self, backends: Backends, process: Process) -> None:
        self._backends = backends
        self._process = process

    def acquire(self) -> SimulatedConnection:
        return SimulatedConnection(self._backends, self._process)

    async def execute(self, *arguments: Any, **options: Any) -> Any:
        async with self.acquire() as conn:
            return await conn.execute(*arguments, **options)

    async def fetch(self, *arguments: Any, **options: Any) -> Any:
        async with self.acquire() as conn:
            return await conn.fetch(*arguments, **options)

    async def fetchrow(self, *arguments: Any, **options: Any) -> Any:
        async with self.acquire() as conn:
            return await conn.fetchrow(*arguments, **options)

    async def fetchval(self, *arguments: Any, **options: Any) -> Any:
        async with self.acquire() as conn:
            return await conn.fetchval(*arguments, **options)


class SimulatedConnection:
    """A connection between acquire and release. top: its outermost transaction, while it is open."""

    raw: Raw

    def __init__(self, backends: Backends, process: Process) -> None:
        self._backends = backends
        self.process = process
        self.lost = False
        self.orphaned = False
        self.top: Any = None

    async def __aenter__(self) -> Self:
        # In the order of asking: which of several connections is there first is up to Postgres.
        self._backends.lent.append(self)
        try:
            self.raw = await self._backends.take(self.process)
        except BaseException:
            self._backends.lent.remove(self)
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._backends.lent.remove(self)
        if self.top is not None:
            self.orphan("a transaction to be rolled back", self.top.rollback)
        elif not self.orphaned:
            self._backends.give_back(self.raw)

    def orphan(self, label: str, end: Callable[[], Awaitable[object]]) -> None:
        """Leaves what is open to the driver."""
        self.lost = self.orphaned = True
        self.top = None
        self._backends.orphans.append(Orphan(label, self.raw, end))

    async def break_off(self) -> None:
        """Postgres ends the connection, and its transaction at once; the client finds out with its next statement."""
        self.lost = True
        top, self.top = self.top, None
        if top is not None:
            await top.rollback()
            await self._backends.fibers.let_locks_pass()

    async def call(
        self, label: str, work: Callable[[], Awaitable[Any]], *, begins: bool = False, ends: bool = False
    ) -> Any:
        """One round trip. begins, ends: it opens a transaction, or is its commit or rollback."""
        if self.lost:
            raise asyncpg.InterfaceError("connection is closed")
        outcome = await self._backends.fibers.gate(self.process, label)
        if self.lost:
            raise _gone()
        result = None
        if outcome.effect is Effect.NOW:
            try:
                result = await self._backends.fibers.statement(self.process, self.raw.get_server_pid(), work())
            except asyncpg.QueryCanceledError:
                self.lost = True
                raise _gone() from None
            if ends:
                self.top = None
        elif outcome.effect is Effect.LATER and (ends or (self.top is None and not begins)):
            self.orphan(f"late: {label}", work)
        if outcome.caller is not Caller.HEARS:
            self.lost = True
        if outcome.caller is Caller.DEAD:
            raise asyncio.CancelledError
        if outcome.caller is Caller.LOST:
            raise _gone()
        return result

    def transaction(self, **options: Any) -> _Transaction:
        return _Transaction(self, options)

    async def execute(self, sql: str, *arguments: Any, **options: Any) -> Any:
        return await self.call(_short(sql), lambda: self.raw.execute(sql, *arguments, **options))

    async def executemany(self, sql: str, *arguments: Any, **options: Any) -> Any:
        return await self.call(_short(sql), lambda: self.raw.executemany(sql, *arguments, **options))

    async def fetch(self, sql: str, *arguments: Any, **options: Any) -> Any:
        return await self.call(_short(sql), lambda: self.raw.fetch(sql, *arguments, **options))

    async def fetchrow(self, sql: str, *arguments: Any, **options: Any) -> Any:
        return await self.call(_short(sql), lambda: self.raw.fetchrow(sql, *arguments, **options))

    async def fetchval(self, sql: str, *arguments: Any, **options: Any) -> Any:
        return await self.call(_short(sql), lambda: self.raw.fetchval(sql, *arguments, **options))

    async def copy_records_to_table(self, table: str, **options: Any) -> Any:
        return await self.call(f"COPY {table}", lambda: self.raw.copy_records_to_table(table, **options))


class _Transaction:
    """A transaction, or a savepoint inside of one."""

    def __init__(self, conn: SimulatedConnection, options: dict[str, Any]) -> None:
        self._conn = conn
        self._options = options
        self._raw: Any = None
        self._outermost = False

    async def __aenter__(self) -> None:
        self._outermost = self._conn.top is None
        self._raw = self._conn.raw.transaction(**self._options)
        await self._conn.call("BEGIN" if self._outermost else "SAVEPOINT", self._begin, begins=True)

    async def _begin(self) -> None:
        await self._raw.start()
        if self._outermost:
            self._conn.top = self._raw

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        conn = self._conn
        if kind is None:
            label = "COMMIT" if self._outermost else "RELEASE"
            await conn.call(label, self._raw.commit, ends=self._outermost)
        elif not conn.lost and conn.process.alive:
            await conn.call("ROLLBACK", self._raw.rollback, ends=self._outermost)


def _gone() -> asyncpg.PostgresError:
    return asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")


def _short(sql: str) -> str:
    return " ".join(sql.split())[:60]
