"""Looks at processes that are not our children."""

from __future__ import annotations

import time
from pathlib import Path

POLL_S = 0.02


def runs(pid: int) -> bool:
    """Tell whether a process runs; one that ended and was not collected yet does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


def wait_until_gone(pids: list[int], timeout_s: float = 30.0) -> None:
    """Wait until none of the processes runs; fail when one still does."""
    deadline = time.monotonic() + timeout_s
    while left := [pid for pid in pids if runs(pid)]:
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(POLL_S)
