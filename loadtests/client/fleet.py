"""Several load processes as one: seats are dealt out to them, phases start together, counts come back as one."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, astuple, replace
from types import TracebackType
from typing import Any

import orjson

from loadtests.client.plan import Phase, Seat, Target
from loadtests.client.process import LINE_BYTES_MAX
from loadtests.client.tally import Tally

START_AHEAD_S = 0.3
"""How far ahead a phase is told, so that all processes begin it at the same time."""

STOP_TIMEOUT_S = 10.0


class Fleet:
    """Load processes; a context manager that ends them."""

    def __init__(self, processes: int = 2) -> None:
        self._count = processes
        self._processes: list[asyncio.subprocess.Process] = []
        self._gifters: list[int] = []
        self._labels = 0

    async def __aenter__(self) -> Fleet:
        for _ in range(self._count):
            self._processes.append(
                await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "loadtests.client.process",
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    limit=LINE_BYTES_MAX,
                    process_group=0,
                )
            )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.close()
        for process in self._processes:
            try:
                await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
            except TimeoutError:
                process.kill()
                await process.wait()

    async def enter(self, target: Target, seats: Sequence[Seat]) -> float:
        """Connect everybody and return how long it took, in seconds; seats keep their order."""
        hands = [list(seats[n :: self._count]) for n in range(self._count)]
        self._gifters = [sum(seat.role == "gifter" for seat in hand) for hand in hands]
        began_s = time.monotonic()
        await self._tell(
            [{"enter": {"target": asdict(target), "seats": [astuple(seat) for seat in hand]}} for hand in hands]
        )
        return time.monotonic() - began_s

    async def run(self, phase: Phase) -> Tally:
        """Run a phase, which gets its start and its label here; its rate is shared out by gifters."""
        self._labels += 1
        told = replace(phase, starts_at_s=time.monotonic() + START_AHEAD_S, label=f"{self._labels:04d}")
        gifters = sum(self._gifters) or 1
        answers = await self._tell(
            [{"phase": asdict(replace(told, rate=phase.rate * share / gifters))} for share in self._gifters]
        )
        whole = Tally()
        for answer in answers:
            whole.add(Tally.from_dict(answer))
        return whole

    async def close(self, keep: int = 0) -> None:
        """End all connections but the first of each process."""
        await self._tell([{"close": keep}] * self._count)

    async def _tell(self, orders: list[dict[str, Any]]) -> list[Any]:
        return await asyncio.gather(
            *(self._tell_one(process, order) for process, order in zip(self._processes, orders, strict=True))
        )

    async def _tell_one(self, process: asyncio.subprocess.Process, order: dict[str, Any]) -> Any:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(orjson.dumps(order) + b"\n")
        await process.stdin.drain()
        line = await process.stdout.readline()
        if not line:
            raise RuntimeError(f"a load process ended ({await process.wait()}) while it was told: {next(iter(order))}")
        return orjson.loads(line)
