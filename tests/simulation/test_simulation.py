"""A short simulation in every run of the tests: new seeds would make them fail by luck, so these stay the same."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

STEPS = 2_000


def simulate(*flags: str) -> subprocess.CompletedProcess[str]:
    """Runs the simulation as a process of its own, which has an event loop and a hash seed of its own."""
    command = [sys.executable, "-m", "tests.simulation", "--no-shrink", *flags]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_no_promise_is_broken_whatever_happens_between_any_two_calls() -> None:
    run = simulate("--seed", "1", "--steps", str(STEPS), "--per-seed", "1000")
    assert run.returncode == 0, run.stdout + run.stderr


def test_a_seed_takes_the_same_steps_again() -> None:
    run = simulate("--seed", "7", "--steps", "150", "--again")
    assert run.returncode == 0, run.stdout + run.stderr
