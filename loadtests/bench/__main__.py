"""``make bench``, the same as ``python -m loadtests.bench``: all parts measured, a table, JSON and a chart.

BENCH=wallet,fanout selects parts; QUICK=1 takes a short look instead of the median of three.
"""

from __future__ import annotations

import asyncio
import gc
import os
import platform
import subprocess
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import orjson

from loadtests.bench import end_to_end, fanout, growth, hot_room, memory, settlement, stages, wallet, wallets
from loadtests.bench.bench_run import BenchRun
from loadtests.bench.chart import chart
from loadtests.bench.measure import Measure
from loadtests.bench.table import table
from loadtests.served import PACE_RAISED

RESULTS = Path(__file__).resolve().parent.parent / "results"

PARTS: dict[str, Callable[[BenchRun], Awaitable[list[Measure]]]] = {
    "wallet": wallet.measure,
    "endtoend": end_to_end.measure,
    "hotroom": hot_room.measure,
    "fanout": fanout.measure,
    "memory": memory.measure,
    "wallets": wallets.measure,
    "settlement": settlement.measure,
    "growth": growth.measure,
    "stages": stages.measure,
}


def main() -> int:
    """Measure; 0 when every part could be measured, whether or not its goals were reached."""
    chosen = [name for name in os.environ.get("BENCH", "").replace(" ", "").split(",") if name] or list(PARTS)
    unknown = [name for name in chosen if name not in PARTS]
    if unknown:
        print(f"BENCH: there is no {', '.join(unknown)}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    run = BenchRun(quick=os.environ.get("QUICK", "") not in {"", "0"})
    measures: list[Measure] = []
    failed: list[str] = []
    for name in chosen:
        run.say(f"== {name}")
        try:
            measures += asyncio.run(_measured(name, run))
        except Exception:  # noqa: BLE001 - the other parts are worth having
            traceback.print_exc()
            failed.append(name)
        gc.collect()
    measures.sort(key=lambda measure: measure.part)
    about = _about(run)
    print(f"\n{about['machine']}; {about['when']}; commit {about['commit']}{'; QUICK' if run.quick else ''}")
    print(f"Raised for the load: {', '.join(f'{name}={value}' for name, value in PACE_RAISED.items())}\n")
    if measures:
        print(table(measures))
        _write(measures, about)
    for name in failed:
        print(f"\n{name} could not be measured; see above", file=sys.stderr)
    return 1 if failed else 0


async def _measured(name: str, run: BenchRun) -> list[Measure]:
    return await PARTS[name](run)


def _about(run: BenchRun) -> dict[str, object]:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} × {model}, Linux {platform.release()}, Python {platform.python_version()}",
        "commit": commit.stdout.strip() or "unknown",
        "quick": run.quick,
        "raised": PACE_RAISED,
        "seconds": round(time.monotonic() - run.began_s),
    }


def _write(measures: list[Measure], about: dict[str, object]) -> None:
    RESULTS.mkdir(exist_ok=True)
    stem = RESULTS / f"bench-{str(about['when']).replace(':', '').replace('+0000', 'Z')}"
    written = {"about": about, "measures": [measure.as_dict() for measure in measures]}
    stem.with_suffix(".json").write_bytes(orjson.dumps(written, option=orjson.OPT_INDENT_2))
    stem.with_suffix(".svg").write_text(chart(measures, f"giftstream, {about['machine']}"))
    print(f"\nWritten: {stem.with_suffix('.json')} and .svg")


if __name__ == "__main__":
    sys.exit(main())
