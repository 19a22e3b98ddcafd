"""A whole ``giftstream serve`` as its user sees it: a command, its output, its exit code."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from server.child import die_with_parent

START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 60.0
POLL_S = 0.02

_URL = re.compile(r"https?://[^\s/]+:\d+")


def plain_environ(**more: str) -> dict[str, str]:
    """Return our environment without any setting of giftstream, and with ``more``."""
    settings = ("GIFTSTREAM_", "REDIS_URL", "DATABASE_URL", "NO_COLOR", "FORCE_COLOR")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
    return {**kept, "PYTHONUNBUFFERED": "1", **more}


_end_with_parent = die_with_parent(signal.SIGTERM)


def _as_from_a_terminal() -> None:
    """In the new process: Ctrl-C is heard also where the tests run in the background, which ignores it; and a test run
    that is killed leaves no server behind.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if _end_with_parent is not None:
        _end_with_parent()


class ServeProcess:
    """A running ``giftstream serve`` with its output read line by line."""

    def __init__(self, data_dir: Path, *flags: str, port: int = 0, **environ: str) -> None:
        self.data_dir = data_dir
        self.lines: list[str] = []
        data_dir.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "server", "serve", "--port", str(port), "--data-dir", str(data_dir), *flags]
        self.process = subprocess.Popen(
            command,
            env=plain_environ(**environ),
            cwd=data_dir.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=_as_from_a_terminal,  # noqa: PLW1509 - two system calls, made ready before
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    @property
    def url(self) -> str:
        """The address printed when everything was ready; waits for it."""
        self.wait_for(lambda: "Ready" in self.output, "the URL")
        found = [match for line in self.lines if "Ready" in line for match in _URL.findall(line)]
        return found[-1]

    def wait_for(self, holds: Callable[[], bool], what: str, timeout_s: float = START_TIMEOUT_S) -> None:
        """Wait until something holds; fail with the output if it does not, or the process ends first."""
        deadline = time.monotonic() + timeout_s
        while not holds():
            ended = self.process.poll() is not None and not self._reader.is_alive()
            if (ended and not holds()) or time.monotonic() > deadline:
                raise AssertionError(f"waited for {what}; exit code {self.process.poll()}; output:\n{self.output}")
            time.sleep(POLL_S)

    def wait_for_line(self, text: str, timeout_s: float = START_TIMEOUT_S) -> str:
        """Wait for a line that contains ``text`` and return it."""
        self.wait_for(lambda: any(text in line for line in self.lines), repr(text), timeout_s)
        return next(line for line in self.lines if text in line)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.exit_code()

    def exit_code(self, timeout_s: float = STOP_TIMEOUT_S) -> int:
        """Wait for the end and return the exit code."""
        code = self.process.wait(timeout_s)
        self._reader.join(timeout_s)
        return code

    def close(self) -> None:
        """End the process, whatever state it is in."""
        try:
            self.end()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_TIMEOUT_S)
        self._reader.join(STOP_TIMEOUT_S)
        if self.process.stdout is not None:
            self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))


def run_command(*arguments: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run one of the commands to its end."""
    return subprocess.run(
        [sys.executable, "-m", "server", *arguments],
        env=plain_environ(**environ),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
