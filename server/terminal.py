"""What a person at a terminal sees: plain lines, and colour only where it is welcome."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TextIO


def colour_wanted(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal that takes colour (see no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def say(text: str = "", *, name: str = "", style: str = "") -> None:
    """Print one line at once, with ``name`` in a column before it; ``style`` is one of _STYLES."""
    label = f"  {name:<11} " if name else ""
    line = f"{label}{text}"
    if style and colour_wanted(sys.stdout):
        line = f"\033[{_STYLES[style]}m{label}{text}\033[0m"
    elif name and colour_wanted(sys.stdout):
        line = f"\033[36m{label}\033[0m{text}"
    with contextlib.suppress(BrokenPipeError):  # whoever read it has left; the work goes on
        print(line, flush=True)


_STYLES = {"title": "1", "good": "1;32", "warning": "33", "bad": "1;31"}
