"""Hellos and joins, so many at once: when thousands come back together, the gifts of those inside need not wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.domain.errors import Code, Refusal

ENTERING_MAX = 32
"""Hellos and joins of one gateway that are under way at once."""

TURN_TIMEOUT_S = 8.0
"""Whoever has not had a turn by then is told to come back later."""


class Entrance:
    """The turns of one gateway, given in the order in which they were asked for."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(ENTERING_MAX)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits for a turn and holds it. Raises Refusal (unavailable) when none comes in time."""
        try:
            async with asyncio.timeout(TURN_TIMEOUT_S):
                await self._turns.acquire()
        except TimeoutError:
            raise Refusal(Code.UNAVAILABLE) from None
        try:
            yield
        finally:
            self._turns.release()
