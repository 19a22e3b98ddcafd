"""A gateway or worker process: started, killed, started again, and watched for ends that nobody caused."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from server.child import Child, describe_exit
from tests.chaos.findings import Findings

ROOT = Path(__file__).parents[2]
RESTART_AFTER_S = 0.2
STOP_TIMEOUT_S = 30.0


class Role:
    """One process of the installation, kept running between `start` and `stop`. module: what `python -m` runs."""

    def __init__(self, name: str, module: list[str], environ: Mapping[str, str], log: Path, findings: Findings) -> None:
        self.name = name
        self.log = log
        self.child: Child | None = None
        self.starts = 0
        self._module = module
        self._environ = environ
        self._findings = findings
        self._end_expected = False
        self._keeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the process, and again whenever it ends."""
        self._spawn()
        self._keeping = asyncio.ensure_future(self._keep())

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; one that ends the process ends it as expected."""
        assert self.child is not None
        self._end_expected = self._end_expected or number in {signal.SIGKILL, signal.SIGTERM}
        self.child.signal(number)

    async def stop(self) -> None:
        """Ask it to drain, as an operator does; it has to end in good order."""
        if self._keeping is not None:
            self._keeping.cancel()
        if self.child is None or self.child.exit_code is not None:
            return
        self.child.signal(signal.SIGCONT)
        code = await self.child.stop(STOP_TIMEOUT_S)
        if code != 0:
            self._findings.add(f"{self.name} ended with {describe_exit(code)} when asked to stop, see {self.log.name}")

    def abandon(self) -> None:
        """End it at once and do not start it again."""
        if self._keeping is not None:
            self._keeping.cancel()
        if self.child is not None:
            self.child.kill()

    def _spawn(self) -> None:
        self._end_expected = False
        self.starts += 1
        with self.log.open("ab") as log:
            self.child = Child(
                [sys.executable, "-m", *self._module], environ=self._environ, folder=ROOT, output=log.fileno()
            )

    async def _keep(self) -> None:
        while True:
            assert self.child is not None
            code = await self.child.wait()
            if not self._end_expected:
                self._findings.add(f"{self.name} ended by itself ({describe_exit(code or 0)}), see {self.log.name}")
            await asyncio.sleep(RESTART_AFTER_S)
            self._spawn()
