"""Waiting for something to become true, with a deadline instead of luck."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any


async def eventually(condition: Callable[[], Any], deadline_s: float = 15.0) -> None:
    """Returns when the condition (or the coroutine it makes) is true; fails at the deadline."""
    async with asyncio.timeout(deadline_s):
        while True:
            value = condition()
            if inspect.isawaitable(value):
                value = await value
            if value:
                return
            await asyncio.sleep(0.01)
