"""A folder in memory for all that the tests write: there no file system is at work, and no sync takes time."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
FREE_BYTES_MIN = 4 * 2**30
"""What has to be free; less than a tenth of it is used for each process that runs tests."""


def use_memory_folder() -> Path | None:
    """Make it and let this process and its children put their temporary files there; None where there is no room."""
    if not _usable():
        return None
    folder = Path(tempfile.mkdtemp(prefix="gs-tests-", dir=MEMORY))
    folder.chmod(0o711)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    return folder


def remove_memory_folder(folder: Path) -> list[Path]:
    """Remove it; answers what tests left in it, which stays, and pytest's own folders aside should be nothing."""
    for own in folder.glob("pytest-of-*"):
        shutil.rmtree(own, ignore_errors=True)
    left = list(folder.iterdir())
    if not left:
        folder.rmdir()
    return left


def _usable() -> bool:
    try:
        found = os.statvfs(MEMORY)
    except OSError:
        return False
    enough = found.f_bavail * found.f_frsize >= FREE_BYTES_MIN
    return enough and not found.f_flag & os.ST_NOEXEC and os.access(MEMORY, os.W_OK)
