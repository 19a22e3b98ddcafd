"""A child process that ends with its parent, stops in two steps, and is watched without threads."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

POLL_S = 0.05
KILL_WAIT_S = 5.0

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Child:
    """One running child process, in a process group of its own: Ctrl-C reaches the parent alone.

    On Linux the kernel sends ``orphan_signal`` to the child when its parent dies, however that happens. Start children
    from the main thread: it is the thread's death that counts.
    """

    def __init__(
        self,
        arguments: Sequence[str | Path],
        *,
        environ: Mapping[str, str] | None = None,
        user: tuple[int, int] | None = None,
        folder: Path | None = None,
        output: IO[bytes] | int | None = None,
        keep_open: Sequence[int] = (),
        stop_signal: signal.Signals = signal.SIGTERM,
        orphan_signal: signal.Signals = signal.SIGKILL,
    ) -> None:
        self._stop_signal = stop_signal
        uid, gid = user or (None, None)
        self._process = subprocess.Popen(
            [str(argument) for argument in arguments],
            env=environ,
            cwd=folder,
            user=uid,
            group=gid,
            extra_groups=None if user is None else [],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output is not None else None,
            pass_fds=keep_open,
            process_group=0,
            # The call between fork and exec is one system call, with everything it needs made before.
            preexec_fn=die_with_parent(orphan_signal),  # noqa: PLW1509
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, the negated signal that ended the process, or None while it runs."""
        return self._process.poll()

    async def wait(self, timeout_s: float | None = None) -> int | None:
        """Wait for the end; None if it did not come within ``timeout_s``."""
        loop = asyncio.get_running_loop()
        deadline = None if timeout_s is None else loop.time() + timeout_s
        while self.exit_code is None:
            if deadline is not None and loop.time() >= deadline:
                return None
            await asyncio.sleep(POLL_S)
        return self.exit_code

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if the process still runs."""
        if self.exit_code is None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """End the process at once."""
        self.signal(signal.SIGKILL)

    async def stop(self, timeout_s: float) -> int:
        """Ask the process to stop; kill it when it has not after ``timeout_s``. Returns its exit code."""
        self.signal(self._stop_signal)
        code = await self.wait(timeout_s)
        if code is None:
            self.kill()
            code = await self.wait(KILL_WAIT_S)
        # A killed process that stays is stuck in the kernel; nothing more can be done about it from here.
        return -signal.SIGKILL if code is None else code


def describe_exit(code: int) -> str:
    """Say how a process ended: ``exit code 3`` or ``SIGKILL``."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def die_with_parent(orphan_signal: signal.Signals) -> Callable[[], None] | None:
    """What a new process does before anything else, so that it gets this signal when we end; None where it cannot."""
    if _libc is None:
        return None
    prctl, parent, number = _libc.prctl, os.getpid(), int(orphan_signal)

    def arm() -> None:
        prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the call
            os._exit(1)

    return arm
