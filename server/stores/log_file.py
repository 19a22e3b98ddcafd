"""The log file of an embedded store: bounded at each start, and read back when the store does not come up."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

LOG_BYTES_MAX = 16 * 1024 * 1024
TAIL_BYTES = 8192


def open_log(path: Path) -> IO[bytes]:
    """Open a log for appending; one that grew past LOG_BYTES_MAX is put aside as ``.1`` first."""
    if path.exists() and path.stat().st_size > LOG_BYTES_MAX:
        path.replace(path.with_name(path.name + ".1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    return open(descriptor, "ab")  # noqa: PTH123 - a descriptor with a mode of its own


def log_tail(path: Path) -> list[str]:
    """Return the last lines of a log, without its end of lines; none if it is not there."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - TAIL_BYTES))
            text = log.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line.strip() for line in text.splitlines() if line.strip()]
