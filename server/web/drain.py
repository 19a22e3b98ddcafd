"""Leaving in good order: no new gifts, every accepted one acknowledged, every socket told when to come back."""

import asyncio
from collections.abc import Callable

import structlog

from server.wallet.lane import ANSWER_TIMEOUT_S
from server.web.close_codes import CloseCode, restart_reason
from server.web.connection import CLOSE_WAIT_S
from server.web.services import Services

log = structlog.get_logger()

COME_BACK_PER_SECOND = 500
"""How many clients a second the other gateways are asked to take over."""

RETRY_MS_MIN = 1000
RETRY_MS_MAX = 30_000
POLL_S = 0.01
CLOSED_AT_ONCE = 500
"""Sockets closed before others get a turn."""


async def drain(services: Services, timeout_s: float) -> None:
    """Returns when every socket is closed, or time is up. Call once nothing new can connect."""
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + timeout_s
    services.draining.set()
    # What is in flight now is answered within the wallet's own time, once while it waits and once while it is under
    # way; what comes later is refused, and not waited for.
    await _wait_until(lambda: _gifts_in_flight(services) == 0, min(deadline_s, loop.time() + 2 * ANSWER_TIMEOUT_S))
    sessions = services.sessions.all()
    reason = restart_reason(min(RETRY_MS_MAX, max(RETRY_MS_MIN, len(sessions) * 1000 // COME_BACK_PER_SECOND)))
    for start in range(0, len(sessions), CLOSED_AT_ONCE):
        for session in sessions[start : start + CLOSED_AT_ONCE]:
            session.connection.cut_off(CloseCode.RESTART, reason)
        await asyncio.sleep(0)
    await _wait_until(lambda: len(services.sessions) == 0, min(deadline_s, loop.time() + CLOSE_WAIT_S))
    left = services.sessions.all()
    for session in left:
        session.connection.abort()
    log.info("drained", sockets=len(sessions), cut_off=len(left))


def _gifts_in_flight(services: Services) -> int:
    return sum(session.gifts.in_flight for session in services.sessions.all())


async def _wait_until(holds: Callable[[], bool], deadline_s: float) -> None:
    loop = asyncio.get_running_loop()
    while not holds() and loop.time() < deadline_s:  # noqa: ASYNC110 - what is waited for has many causes
        await asyncio.sleep(POLL_S)
