"""How large the overload tests are: short in `make test`, as large as promised with `make chaos SIZE=full`."""

from __future__ import annotations

import os

FULL = os.environ.get("SIZE") == "full"


def size(short: int, full: int) -> int:
    """The number to use in this run."""
    return full if FULL else short
