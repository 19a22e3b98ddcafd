"""The system user PostgreSQL runs as when we are root: it refuses to be root itself.

Such a user has to reach the data folder and the wheel's programs. What is missing for that is opened, and no more: the
right to pass through (``o+x``) on parent folders, the right to read on the programs.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

from server.start_error import StartError

USER_NAME = "giftstream-postgres"
USERADD_TIMEOUT_S = 20


def postgres_user(cluster: Path) -> tuple[int, int] | None:
    """Return (uid, gid) to run PostgreSQL as, or None for ourselves. Raises StartError.

    As root this is whoever owns the cluster, else a system user that is made on first use, else ``nobody``.
    """
    owner = cluster.stat().st_uid if cluster.exists() else None
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise StartError(
                f"{cluster} belongs to another user (uid {owner}): start as that user, or use another --data-dir"
            )
        return None
    if owner:
        return owner, cluster.stat().st_gid
    entry = _find(USER_NAME) or _make_user() or _find("nobody")
    if entry is None:
        raise StartError("PostgreSQL does not run as root, and no user could be made for it: set DATABASE_URL")
    return entry.pw_uid, entry.pw_gid


def let_pass(folder: Path) -> list[Path]:
    """Make every parent of ``folder`` passable for other users; return those that were not."""
    opened = []
    for parent in folder.parents:
        mode = stat.S_IMODE(parent.stat().st_mode)
        if not mode & stat.S_IXOTH:
            try:
                parent.chmod(mode | stat.S_IXOTH)
            except OSError as error:
                raise StartError(
                    f"PostgreSQL's user cannot pass through {parent} ({error.strerror}): use another --data-dir"
                ) from error
            opened.append(parent)
    return opened


def let_read(folder: Path) -> None:
    """Make everything under ``folder`` readable for other users, programs and folders executable."""
    for path in [folder, *folder.rglob("*")]:
        if path.is_symlink():
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        wanted = mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
        if wanted != mode:
            path.chmod(wanted)


def own(folder: Path, user: tuple[int, int]) -> None:
    """Give a folder and everything in it to a user."""
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, *user, follow_symlinks=False)


def _find(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _make_user() -> pwd.struct_passwd | None:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is not None:
        home = ["--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin"]
        # A failure shows in the look-up: another process may have made the user meanwhile.
        subprocess.run(
            [useradd, "--system", *home, USER_NAME], capture_output=True, check=False, timeout=USERADD_TIMEOUT_S
        )
    return _find(USER_NAME)
