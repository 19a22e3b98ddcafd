"""Sampled stacks of a Python process, added up by the functions of this project that they were in."""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

SAMPLES_PER_S = 250

_FRAME = re.compile(r"(?P<function>.+) \((?P<file>[^:()]+):\d+\)")
_OWN = re.compile(r"server/(?!commands\.py|__main__\.py)")
LOOP = "event loop and system calls"


class NoSamplesError(Exception):
    """The process cannot be looked into; one line says why."""


async def sample(pid: int, seconds: float) -> Counter[str]:
    """Samples of a running process, by `place`. Raises NoSamplesError."""
    with tempfile.TemporaryDirectory(prefix="gs-profile-") as folder:
        raw = Path(folder) / "stacks"
        flags = ["record", "--format", "raw", "--output", str(raw), "--rate", str(SAMPLES_PER_S)]
        flags += ["--pid", str(pid), "--duration", str(max(1, round(seconds)))]
        try:
            process = await asyncio.create_subprocess_exec(
                Path(sys.executable).with_name("py-spy"),
                *flags,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
        except FileNotFoundError:
            raise NoSamplesError("py-spy is not installed") from None
        _, complaint = await process.communicate()
        if process.returncode != 0 or not raw.exists():
            said = complaint.decode(errors="replace").split("\n")
            last = next((line.strip() for line in reversed(said) if line.strip()), "")
            raise NoSamplesError(last or f"py-spy ended with {process.returncode} and said nothing")
        return by_place(raw.read_text())


def by_place(raw: str) -> Counter[str]:
    """Lines of `frame;frame;… count`, outermost first, as counts by `place`."""
    counts: Counter[str] = Counter()
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        counts[place(stack.split(";"))] += int(count)
    return counts


def place(stack: list[str]) -> str:
    """The innermost function of this project, with its file, also where a library is inside it; else the library."""
    innermost = ""
    for frame in reversed(stack):
        match = _FRAME.fullmatch(frame)
        if match is None:
            continue
        if _OWN.match(match["file"]):
            return f"`{match['function']}` ({match['file'].removeprefix('server/')})"
        innermost = innermost or match["file"].split("/")[0]
    return LOOP if innermost in {"", "asyncio", "uvloop"} else f"{innermost}, called by the event loop"
