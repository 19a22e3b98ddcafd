"""Limits of the server made small, so that few gifts reach them, and waits made nothing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from server.domain import combo
from server.ledger import log, remembered, settle
from server.rooms import apply, log_reader, room_tick, rooms, shard_log, waiting_rooms
from server.wallet import credit_sweeper, lane, wallets
from tests.simulation.clock import Clock

_NEVER_S = 1e9
_VALUES = (
    (combo, "ENTRIES_MAX", 3),
    (log, "ENTRIES_PER_READ", 3),
    (settle, "NUMBERS_PER_MARK", 4),
    (remembered, "REMEMBERED_PAGE", 7),
    (shard_log, "ENTRIES_PER_READ", 2),
    (log_reader, "ENTRIES_PER_READ", 2),
    (log_reader, "GIFTS_PER_PASS", 20),
    (room_tick, "GIFTS_PER_CALL_MAX", 4),
    (room_tick, "CALLS_PER_PIPELINE", 2),
    (apply, "KNOWN_ROOMS_MAX", 2),
    (apply, "LATER_ROOMS_MAX", 1),
    # No wait is for the clock: who goes on when is the driver's choice.
    (apply, "VIEWERS_EVERY_S", 0.0),
    (waiting_rooms, "LOAD_RETRY_S", 0.0),
    (waiting_rooms, "MISSING_ROOM_S", _NEVER_S),
    (wallets, "STALE_PAUSE_S", 0.0),
    (lane, "ANSWER_TIMEOUT_S", _NEVER_S),
    (credit_sweeper, "CREDIT_AGE_S", 0.0),
)


@contextmanager
def small_limits(clock: Clock) -> Iterator[None]:
    """Inside, the server is as the simulation needs it; `clock` is its time of day where that matters."""
    with ExitStack() as stack:
        for module, name, value in _VALUES:
            assert hasattr(module, name), f"{module.__name__} has no {name} any more"
            stack.enter_context(patch.object(module, name, value))
        stack.enter_context(patch.object(remembered, "time", clock))
        names = (f"r_new{number}" for number in itertools.count())
        stack.enter_context(patch.object(rooms, "new_id", lambda kind: next(names)))
        yield
