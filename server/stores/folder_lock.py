"""A lock on a folder that the kernel lets go when its last holder dies, also by kill -9."""

from __future__ import annotations

import asyncio
import fcntl
import os
from pathlib import Path

from server.start_error import StartError

RETRY_S = 0.05


class FolderInUseError(StartError):
    """Someone else holds the lock."""


def lock_folder(path: Path) -> int:
    """Take the lock file at ``path`` and return its file descriptor. Raises FolderInUseError.

    A child process that inherits the descriptor holds the lock as well, for as long as it lives.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise FolderInUseError(f"{path.parent} is in use by another process") from error
    return descriptor


async def wait_for_lock(path: Path, timeout_s: float) -> int:
    """Take the lock as soon as it is free. Raises FolderInUseError after ``timeout_s``."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    while True:
        try:
            return lock_folder(path)
        except FolderInUseError:
            if asyncio.get_running_loop().time() >= deadline:
                raise
        await asyncio.sleep(RETRY_S)


def is_locked(path: Path) -> bool:
    """Tell whether someone holds the lock file at ``path``."""
    if not path.exists():
        return False
    try:
        os.close(lock_folder(path))
    except FolderInUseError:
        return True
    return False
