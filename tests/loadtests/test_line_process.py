"""A child that is in the middle of an order ends with its parent, however that ended."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

PARENT = """
import asyncio
from loadtests.line_process import LineProcess

async def main():
    async with LineProcess("loadtests.bench.bare_fanout") as child:
        await child.tell("listen", None)
        print(child.pid, flush=True)
        await child.tell("write", {"frame_bytes": 300, "tick_s": 0.1, "seconds": 600.0})

asyncio.run(main())
"""


async def test_a_child_amid_an_order_ends_with_a_parent_that_is_killed() -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    child = Path("/proc") / (await parent.stdout.readline()).decode().strip()
    assert child.exists()
    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    async with asyncio.timeout(30):
        while _runs(child):
            await asyncio.sleep(0.05)


def _runs(process: Path) -> bool:
    """Whether it is there; one that has ended and that nobody has waited for does not count."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
