"""Where a store's Unix socket lies: in its data folder, or in a short private folder if that path is too long."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from server.start_error import StartError

# sun_path holds 104 bytes on macOS and 108 on Linux, one of them the final NUL.
SOCKET_PATH_BYTES_MAX = 100


def socket_folder(folder: Path, socket_name: str, user: tuple[int, int] | None = None) -> Path:
    """Return a folder for the socket ``socket_name`` that only ``user`` (uid, gid; else we) can enter.

    It is ``folder`` itself where the path is short enough; else one in the temporary folder whose name follows from
    ``folder``, so that a restart finds the same one. Raises StartError if somebody else made that folder.
    """
    if len(os.fsencode(folder / socket_name)) <= SOCKET_PATH_BYTES_MAX:
        return folder
    uid, gid = user or (os.geteuid(), os.getegid())
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    short = Path(tempfile.gettempdir()) / f"giftstream-{uid}-{name}"
    if len(os.fsencode(short / socket_name)) > SOCKET_PATH_BYTES_MAX:
        short = Path("/tmp") / short.name  # noqa: S108 - private by its mode, checked below
    try:
        short.mkdir(mode=0o700)
        os.chown(short, uid, gid)
    except FileExistsError:
        pass
    found = short.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid or stat.S_IMODE(found.st_mode) != 0o700:
        raise StartError(f"{short} was made by somebody else; remove it, or use a data folder with a shorter path")
    return short


def remove_socket_folder(short: Path, folder: Path) -> None:
    """Remove a folder made by ``socket_folder``; ``folder`` itself stays."""
    if short == folder or not short.is_dir():
        return
    for left in short.iterdir():
        left.unlink()
    short.rmdir()
