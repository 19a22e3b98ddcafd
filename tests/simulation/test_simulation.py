"""A short simulation in every run of the tests: new seeds would make them fail by luck, so these stay the same."""

import os
import subprocess
import sys

STEPS = 2_400
FIRST_SEED = 1


def simulate(*flags: str) -> subprocess.CompletedProcess[str]:
    """Runs the simulation as a process of its own, which has an event loop and a hash seed of its own."""
    command = [sys.executable, "-m", "tests.simulation", "--no-shrink", *flags]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONHASHSEED": "0"}, check=False
    )


def test_no_promise_is_broken_whatever_happens_between_any_two_calls() -> None:
    run = simulate("--seed", str(FIRST_SEED), "--steps", str(STEPS), "--per-seed", "800")
    assert run.returncode == 0, run.stdout + run.stderr


def test_a_seed_takes_the_same_steps_again() -> None:
    runs = [simulate("--seed", "7", "--steps", "250", "--verbose") for _ in range(2)]
    digests = [[word for word in run.stdout.split() if len(word) == 8 and word.isalnum()] for run in runs]
    assert digests[0], runs[0].stdout + runs[0].stderr
    assert digests[0] == digests[1]
