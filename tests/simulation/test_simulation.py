"""A short simulation in every run of the tests: new seeds would make them fail by luck, so these stay the same."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
import structlog

from tests.simulation.fibers import Loop
from tests.simulation.run import run_seed
from tests.simulation.stores import Stores

pytestmark = pytest.mark.slow

STEPS = 2_000

FOUND_WITHIN_SEEDS = 40
"""Commonly one of the first five; sets of strings go another way in each process, and with them the steps of a seed."""
STEPS_PER_SEED = 500
MISSING = {
    "a request is answered once": (
        "giftstream_wallet",
        "answered[request] or lately[i] or before[i]",
        "nil",
    ),
    "the log is trimmed behind the slower reader": (
        "giftstream_wallet",
        "math.min(tonumber(held[2]), tonumber(held[3]))",
        "math.max(tonumber(held[2]), tonumber(held[3]))",
    ),
    "a budget is not overspent": (
        "giftstream_wallet",
        "if spent + cost > limit then over = period end",
        "",
    ),
    "a wallet with budgets counts what it spends": (
        "giftstream_wallet",
        "controls[3 * period + 1] = spent + cost",
        "controls[3 * period + 1] = cost",
    ),
    "a gift is counted once in its room": (
        "giftstream_rooms",
        "if (held[#TICKED + i] or '0-0') ~= expected[i] then",
        "if false then",
    ),
    "a room that is loaded again is another one": (
        "giftstream_rooms",
        "math.max(now_us(), last_incarnation + 1) + draw()",
        "1",
    ),
}
"""Protections: the library, the line, and what stands there without it."""


def simulate(*flags: str) -> subprocess.CompletedProcess[str]:
    """Runs the simulation as a process of its own, which has an event loop and a hash seed of its own."""
    command = [sys.executable, "-m", "tests.simulation", "--no-shrink", *flags]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_no_promise_is_broken_whatever_happens_between_any_two_calls() -> None:
    run = simulate("--seed", "1", "--steps", str(STEPS), "--per-seed", "1000")
    assert run.returncode == 0, run.stdout + run.stderr


def test_a_seed_takes_the_same_steps_again() -> None:
    run = simulate("--seed", "7028", "--steps", "300", "--per-seed", "150", "--again")
    assert run.returncode == 0, run.stdout + run.stderr


async def find_missing(stores: Stores, library: str, line: str, instead: str) -> str | None:
    """What the first seed finds that finds anything while a line is missing."""

    def edit(code: str) -> str:
        assert code.count(line) == 1, "this protection stands elsewhere now"
        return code.replace(line, instead)

    for seed in range(1, FOUND_WITHIN_SEEDS + 1):
        report = await run_seed(stores, seed, STEPS_PER_SEED, edits={library: edit})
        if report.finding is not None:
            return report.finding
    return None


async def find_all_missing() -> dict[str, str | None]:
    stores = Stores()
    await stores.start()
    try:
        return {name: await find_missing(stores, *protection) for name, protection in MISSING.items()}
    finally:
        await stores.stop()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_is_missing_is_found() -> None:
    """The checker is not blind: it finds within a few seeds that one of these protections was taken out."""
    before = structlog.get_config()
    try:
        with asyncio.Runner(loop_factory=Loop) as runner:
            found = runner.run(find_all_missing())
    finally:
        structlog.configure(**before)
    assert [name for name, finding in found.items() if finding is None] == []
