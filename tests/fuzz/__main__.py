"""`make fuzz`: as many frames and requests as asked for, from a seed; 1 if anything was wrong."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz import http, sockets
from tests.fuzz.target import Target

FRAMES_DEFAULT = 200_000
EXAMPLES_DEFAULT = 100


async def _main() -> int:
    frames = int(os.environ.get("FRAMES") or FRAMES_DEFAULT)
    examples = int(os.environ.get("EXAMPLES") or EXAMPLES_DEFAULT)
    seed = int(os.environ.get("SEED") or secrets.randbelow(10**9))
    print(f"SEED={seed} FRAMES={frames} EXAMPLES={examples}", flush=True)
    with tempfile.TemporaryDirectory(prefix="gs-fuzz-") as folder:
        Path(folder).chmod(0o711)
        target = Target(Path(folder) / "data")
        try:
            await target.settle_in()
            began_s = time.monotonic()
            report = await sockets.fuzz(target.address, target.tokens, target.rooms, frames=frames, seed=seed)
            print(f"{report.frames} frames over {report.connections} connections in {time.monotonic() - began_s:.0f} s")
            print("answers:", ", ".join(f"{kind} {count}" for kind, count in report.answers.most_common()))
            print(
                "closed with:", ", ".join(f"{code} {count}" for code, count in report.closes.most_common()), flush=True
            )
            problems = report.problems
            began_s = time.monotonic()
            for room in (None, target.rooms[0]):
                problems += await http.fuzz(
                    target.url, target.tokens[0], room=room, examples=examples, phases="coverage,fuzzing", seed=seed
                )
            print(f"HTTP in {time.monotonic() - began_s:.0f} s", flush=True)
            problems += await target.problems()
        finally:
            target.close()
    for problem in problems:
        print(f"PROBLEM: {problem}")
    print(f"{len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_main()))
