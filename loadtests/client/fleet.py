"""Several load processes as one: seats are dealt out to them, phases start together, counts come back as one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, astuple, replace
from types import TracebackType
from typing import Any, Self

from loadtests.client.plan import Phase, Seat, Target
from loadtests.client.tally import Tally
from loadtests.line_process import LineProcess

START_AHEAD_S = 0.3
"""How far ahead a phase is told, so that all processes begin it at the same time."""


SCREENS_TIMEOUT_S = 15.0
SCREENS_POLL_S = 0.1
"""After the last answer: what the screens have not seen by then is missing."""


class Fleet:
    """Load processes; a context manager that ends them."""

    def __init__(self, processes: int = 2) -> None:
        self._count = processes
        self._processes: list[LineProcess] = []
        self._stack = AsyncExitStack()
        self._gifters = [0] * processes
        self._labels = 0

    async def __aenter__(self) -> Self:
        async with self._stack:
            for _ in range(self._count):
                self._processes.append(await self._stack.enter_async_context(LineProcess("loadtests.client.process")))
            self._stack = self._stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def enter(self, target: Target, seats: Sequence[Seat]) -> float:
        """Connect more members and return how long it took, in seconds; seats keep their order."""
        hands = [list(seats[n :: self._count]) for n in range(self._count)]
        for n, hand in enumerate(hands):
            self._gifters[n] += sum(seat.role == "gifter" for seat in hand)
        began_s = time.monotonic()
        await self._tell(
            "enter", [{"target": asdict(target), "seats": [astuple(seat) for seat in hand]} for hand in hands]
        )
        return time.monotonic() - began_s

    async def run(self, phase: Phase) -> Tally:
        """Run a phase, which gets its start and its label here; its rate is shared out by gifters."""
        self._labels += 1
        told = replace(phase, starts_at_s=time.monotonic() + START_AHEAD_S, label=f"{self._labels:04d}")
        gifters = sum(self._gifters) or 1
        answered = _sum(
            await self._tell(
                "phase", [asdict(replace(told, rate=phase.rate * share / gifters)) for share in self._gifters]
            )
        )
        deadline_s = time.monotonic() + SCREENS_TIMEOUT_S
        while (wrong := await self._seen_wrong(answered)) and time.monotonic() < deadline_s:
            await asyncio.sleep(SCREENS_POLL_S)
        # Only now have all gifts arrived wherever they are timed.
        tally = _sum(await self._tell("tally", [None] * self._count))
        tally.rooms_seen_wrong = wrong
        return tally

    async def _seen_wrong(self, tally: Tally) -> list[str]:
        """Rooms where some member has not seen exactly the gifts that were acknowledged; none when none were sent."""
        if not tally.sent:
            return []
        wrong = {
            room
            for seen in await self._tell("screens", [None] * self._count)
            for room, (least, most) in seen.items()
            if not least == tally.pieces_acked[room] == most
        }
        return sorted(wrong)

    async def _tell(self, order: str, told: list[Any]) -> list[Any]:
        return await asyncio.gather(
            *(process.tell(order, each) for process, each in zip(self._processes, told, strict=True))
        )


def _sum(answers: list[dict[str, Any]]) -> Tally:
    whole = Tally()
    for answer in answers:
        whole.add(Tally.from_dict(answer))
    return whole
