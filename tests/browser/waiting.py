"""Waiting for what is promised, with a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

TIMEOUT_S = 45.0
TIMEOUT_MS = TIMEOUT_S * 1000
POLL_S = 0.05

T = TypeVar("T")


async def until(ask: Callable[[], Awaitable[T]], what: str, timeout_s: float = TIMEOUT_S) -> T:
    """Ask again and again until the answer is true in Python's sense, and return it; fail with the last answer."""
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + timeout_s
    while not (answer := await ask()):
        assert loop.time() < deadline_s, f"waited for {what}; the last answer was {answer!r}"
        await asyncio.sleep(POLL_S)
    return answer


async def until_equal(ask: Callable[[], Awaitable[T]], expected: T, what: str, timeout_s: float = TIMEOUT_S) -> None:
    """Ask again and again until the answer is the expected one; fail with the last answer."""
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + timeout_s
    while (answer := await ask()) != expected:
        assert loop.time() < deadline_s, f"waited for {what} to be {expected!r}; it was {answer!r}"
        await asyncio.sleep(POLL_S)
