"""Several feeder processes as one."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from loadtests.client.histogram import Histogram
from loadtests.line_process import LineProcess
from server.settings import Settings


@dataclass(slots=True)
class Fed:
    """What a drive did. seconds: of the slowest process; cpu_s: of all feeders."""

    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    cpu_s: float = 0.0
    ack: Histogram = field(default_factory=Histogram)

    @property
    def per_s(self) -> float:
        return self.accepted / self.seconds


class Feeders:
    """Feeder processes on the stores of these settings; a context manager that ends them."""

    def __init__(self, settings: Settings, processes: int = 1) -> None:
        self._settings = settings
        self._count = processes
        self._processes: list[LineProcess] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with self._stack:
            # One after the other: the shards are opened by the first.
            for _ in range(self._count):
                process = await self._stack.enter_async_context(LineProcess("loadtests.bench.feeder"))
                await process.tell("open", {"environ": self._settings.as_environ()})
                self._processes.append(process)
            self._stack = self._stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def seat(self, viewers: Sequence[str], rooms: Sequence[str], *, load: bool = True) -> None:
        """Say who gives where, and load the wallets. Rooms are as `funding.open_rooms` makes them."""
        pairs = [(room, f"creator-{room}") for room in rooms]
        await asyncio.gather(
            *(
                process.tell("seat", {"viewers": viewers[n :: self._count], "rooms": pairs, "load": load})
                for n, process in enumerate(self._processes)
            )
        )

    async def drive(
        self, *, seconds: float = 0.0, gifts: int = 0, rate: float = 0.0, window: int = 0, gift: str = "rose"
    ) -> Fed:
        """Give for some time or until so many are given: at a rate, or as fast as `window` gifts under way allow."""
        told: dict[str, Any] = {"seconds": seconds, "gift": gift, "label": uuid.uuid4().hex[:8]}
        told |= {"gifts": gifts // self._count, "rate": rate / self._count, "window": window // self._count}
        whole = Fed()
        for answer in await asyncio.gather(*(process.tell("drive", told) for process in self._processes)):
            whole.accepted += answer["accepted"]
            whole.refused.update(answer["refused"])
            whole.seconds = max(whole.seconds, answer["seconds"])
            whole.cpu_s += answer["cpu_s"]
            whole.ack.add(Histogram.from_dict(answer["ack"]))
        return whole
