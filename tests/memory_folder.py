"""A folder in memory for all that the tests write: there no file system is at work, and no sync takes time."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from tests.processes import runs

MEMORY = Path("/dev/shm")
FREE_BYTES_MIN = 4 * 2**30
"""What has to be free; less than a tenth of it is used for each process that runs tests."""

PREFIX = "gs-tests-"


def use_memory_folder() -> Path | None:
    """Make it and let this process and its children put their temporary files there; None where there is no room."""
    if not _usable():
        return None
    _remove_forgotten()
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=MEMORY))
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


def _remove_forgotten() -> None:
    """What a run left that was killed, or that said so: it holds memory."""
    for folder in MEMORY.glob(f"{PREFIX}*-*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdigit() and not runs(int(pid)) and folder.stat().st_uid == os.geteuid():
            shutil.rmtree(folder, ignore_errors=True)


def _usable() -> bool:
    try:
        found = os.statvfs(MEMORY)
    except OSError:
        return False
    enough = found.f_bavail * found.f_frsize >= FREE_BYTES_MIN
    return enough and not found.f_flag & os.ST_NOEXEC and os.access(MEMORY, os.W_OK)
