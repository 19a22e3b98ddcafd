"""`python -m tests.simulation`: seeds, one after another, until so many steps are taken or a promise is broken."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
from collections import Counter

from tests.simulation.fibers import Loop
from tests.simulation.run import Report, run_seed
from tests.simulation.stores import Stores

STEPS_DEFAULT = 20_000
STEPS_PER_SEED = 2_000


def main() -> int:
    """Run what the flags ask for; 0 when no promise was broken."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets of strings must be the same when a seed is repeated.
        os.execve(
            sys.executable,
            [sys.executable, "-m", "tests.simulation", *sys.argv[1:]],
            {**os.environ, "PYTHONHASHSEED": "0"},
        )
    flags = _flags()
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(_simulate(flags))


async def _simulate(flags: argparse.Namespace) -> int:
    stores = Stores()
    await stores.start()
    totals: Counter[str] = Counter()
    seeds = failed = steps = 0
    took_s = 0.0
    try:
        while steps < flags.steps:
            length = min(flags.per_seed, flags.steps - steps)
            report = await run_seed(stores, flags.seed + seeds, length, watch=print if flags.trace else None)
            if flags.again:
                again = await run_seed(stores, report.seed, length)
                if again.digest != report.digest:
                    report.finding = report.finding or "the same seed took other steps the second time"
            seeds += 1
            steps += report.steps
            took_s += report.took_s
            totals.update(report.counts)
            if report.finding is not None:
                failed += 1
                _explain(report if flags.no_shrink else await _shortest(stores, report), flags)
                if not flags.keep_going:
                    break
            elif flags.verbose:
                print(
                    f"seed {report.seed}: {report.steps} steps, {report.took_s:.1f} s, digest {report.digest:08x}",
                    flush=True,
                )
    finally:
        await stores.stop()
    print(f"{seeds - failed} of {seeds} seeds clean, {steps:,} steps, {steps / took_s:.0f} a second")
    print(", ".join(f"{count:,} {kind}" for kind, count in sorted(totals.items())))
    return 1 if failed else 0


async def _shortest(stores: Stores, report: Report) -> Report:
    """The same seed with fewer steps, by halving: after these, coming to rest breaks a promise already."""
    kept, broken = 0, report
    while broken.steps - kept > 1:
        middle = await run_seed(stores, report.seed, (kept + broken.steps) // 2)
        if middle.finding is None:
            kept = middle.steps
        else:
            broken = middle
    return broken


def _explain(report: Report, flags: argparse.Namespace) -> None:
    print(f"seed {report.seed} broke a promise at step {report.steps}: {report.finding}")
    for line in report.trace[-flags.tail :]:
        print(f"    {line}")
    print(f"again: python -m tests.simulation --seed {report.seed} --steps {report.steps}", flush=True)


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    steps, seed = os.environ.get("STEPS"), os.environ.get("SEED")
    parser.add_argument("--steps", type=int, default=int(steps or STEPS_DEFAULT), help="default $STEPS")
    parser.add_argument("--per-seed", type=int, default=STEPS_PER_SEED, help="steps of one seed")
    parser.add_argument(
        "--seed", type=int, default=int(seed) if seed else random.SystemRandom().randrange(10**6),
        help="of the first, the next ones count on; default $SEED, else a random one",
    )  # fmt: skip
    parser.add_argument("--tail", type=int, default=40, help="steps to show of a seed that broke a promise")
    parser.add_argument("--keep-going", action="store_true", help="go on after a broken promise")
    parser.add_argument("--again", action="store_true", help="take each seed twice: the steps must be the same")
    parser.add_argument("--no-shrink", action="store_true", help="do not look for fewer steps that suffice")
    parser.add_argument("--trace", action="store_true", help="print every step")
    parser.add_argument("--verbose", action="store_true", help="a line for each seed")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
