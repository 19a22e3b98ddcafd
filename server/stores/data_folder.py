"""The data folder of a `serve`: its lock, and the note that says what runs on it."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from server.start_error import StartError
from server.stores.folder_lock import FolderInUseError, is_locked, lock_folder

LOCK_NAME = "lock"
NOTE_NAME = "run.json"


@dataclass(frozen=True, slots=True)
class Running:
    """What a running `serve` says about itself."""

    pid: int
    url: str
    redis_url: str
    database_url: str
    pids: dict[str, int]


def take_data_folder(folder: Path) -> int:
    """Make the data folder if need be and lock it; the lock is held while the descriptor returned is open.

    Raises StartError if it cannot be made, or another `serve` runs on it.
    """
    try:
        if not folder.exists():
            folder.mkdir(parents=True)
            # As root, PostgreSQL's own user passes through to its part.
            folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
        return lock_folder(folder / LOCK_NAME)
    except FolderInUseError as error:
        running = _read_note(folder)
        pid = f" (pid {running.pid})" if running else ""
        raise StartError(
            f"another giftstream serve{pid} runs on {folder}: stop it, or use another --data-dir"
        ) from error
    except OSError as error:
        raise StartError(f"{folder} cannot be used as data folder: {error.strerror}") from error


def write_note(folder: Path, running: Running) -> None:
    """Leave the note, readable for the owner alone: the URLs may hold passwords."""
    path = folder / NOTE_NAME
    aside = path.with_suffix(".new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(orjson.dumps(asdict(running), option=orjson.OPT_INDENT_2))
    aside.replace(path)


def remove_note(folder: Path) -> None:
    """Remove the note, if it is there."""
    (folder / NOTE_NAME).unlink(missing_ok=True)


def running_serve(folder: Path) -> Running | None:
    """Return what runs on the data folder; None if nothing does, whatever a killed one left behind."""
    try:
        return _read_note(folder) if is_locked(folder / LOCK_NAME) else None
    except PermissionError as error:
        raise StartError(f"{folder} belongs to another user") from error


def _read_note(folder: Path) -> Running | None:
    try:
        return Running(**orjson.loads((folder / NOTE_NAME).read_bytes()))
    except (FileNotFoundError, orjson.JSONDecodeError, TypeError):
        return None
