"""`python -m tests.chaos`: rounds of chaos, one after another; exit 0 only when every one of them is clean."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
from collections import Counter

from tests.chaos.plan import KINDS, draw_plan
from tests.chaos.round import Report, run_round

ROUNDS_DEFAULT = len(KINDS)


def main() -> int:
    """Run the rounds that the flags ask for."""
    flags = _flags()
    reports: list[Report] = []
    for number in range(flags.rounds):
        plan = draw_plan(flags.seed + number, kind=flags.kind, short=flags.short)
        report = asyncio.run(run_round(plan))
        reports.append(report)
        print(report.line(), flush=True)
        if not report.ok:
            _explain(report, flags)
            if not flags.keep_going:
                break
    _sum_up(reports)
    return 0 if all(report.ok for report in reports) else 1


def _explain(report: Report, flags: argparse.Namespace) -> None:
    for line in report.findings.lines:
        print(f"     {line}")
    if report.findings.count > len(report.findings.lines):
        print(f"     … and {report.findings.count - len(report.findings.lines)} more")
    more = "".join([f" --kind {flags.kind}" if flags.kind else "", " --short" if flags.short else ""])
    print(f"     again: python -m tests.chaos --rounds 1 --seed {report.plan.seed}{more}")
    print(f"     logs and data: {report.folder}", flush=True)


def _sum_up(reports: list[Report]) -> None:
    strikes = Counter(
        strike.fault
        for report in reports
        for strike in report.plan.strikes
        if not any(line.startswith(strike.fault) for line in report.skipped)
    )
    strikes["two_workers"] = sum(report.plan.greedy for report in reports)
    totals: Counter[str] = Counter()
    for report in reports:
        totals.update(report.counts)
        totals.update(settled=report.settled, lost=report.lost, incidents=report.incidents)
    clean = sum(report.ok for report in reports)
    print(f"{clean} of {len(reports)} rounds clean, {sum(report.took_s for report in reports):.0f} s")
    print("gifts: " + ", ".join(f"{number} {name}" for name, number in totals.items()))
    print("faults: " + ", ".join(f"{number} {name}" for name, number in sorted(strikes.items())))


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    rounds, seed = os.environ.get("ROUNDS"), os.environ.get("SEED")
    parser.add_argument(
        "--rounds", type=int, default=int(rounds or ROUNDS_DEFAULT), help="default $ROUNDS, else one of each kind"
    )
    parser.add_argument(
        "--seed", type=int, default=int(seed) if seed else random.SystemRandom().randrange(10**6),
        help="of the first round, the next ones count on; default $SEED, else a random one",
    )  # fmt: skip
    parser.add_argument("--kind", choices=KINDS, help="strike with this in every round")
    parser.add_argument("--short", action="store_true", help="outages of seconds")
    parser.add_argument("--keep-going", action="store_true", help="go on after a round that failed")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
