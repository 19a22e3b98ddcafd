"""How a role is told to stop: SIGTERM, or Ctrl-C."""

import asyncio
import signal


def set_by_signals() -> asyncio.Event:
    """An event that either of the two sets."""
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, event.set)
    return event
