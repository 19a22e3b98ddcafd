"""A wall clock that can be set back under running processes, by libfaketime; monotonic time goes on as it is."""

from __future__ import annotations

import importlib.util
from pathlib import Path

PLACES = (
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib64/faketime/libfaketime.so.1",
)


def find_library() -> Path | None:
    """The library: of the Python package `libfaketime`, or of the system; None when neither is installed."""
    package = importlib.util.find_spec("libfaketime")
    places = [] if package is None else list(package.submodule_search_locations or [])
    found = [Path(place) / "vendor/libfaketime/src/libfaketime.so.1" for place in places]
    return next((path for path in [*found, *map(Path, PLACES)] if path.is_file()), None)


class Clock:
    """The clock of the processes that were started with `environ`."""

    def __init__(self, library: Path, file: Path) -> None:
        self._file = file
        self.environ = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self.shift(0)

    def shift(self, by_s: int) -> None:
        """Set the clock to the true time and by_s; it is seen within a second."""
        made = self._file.with_suffix(".new")
        made.write_text(f"{by_s:+d}\n")
        made.replace(self._file)
