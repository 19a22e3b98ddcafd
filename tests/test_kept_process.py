"""A child process ends with its parent, stops in two steps, and comes back a bounded number of times."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import pytest

from server import kept_process
from server.child import Child, describe_exit
from server.kept_process import KeptProcess
from server.start_error import StartError

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(600)"
)


async def test_a_process_that_ignores_the_request_to_stop_is_killed() -> None:
    with_pipe = await asyncio.create_subprocess_exec(  # a reader that tells when the child ignores SIGTERM
        "cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert with_pipe.stdin is not None
    assert with_pipe.stdout is not None
    child = Child([sys.executable, "-c", STUBBORN], output=with_pipe.stdin.get_extra_info("pipe").fileno())
    assert await with_pipe.stdout.readline() == b"on\n"
    assert await child.stop(timeout_s=0.2) == -signal.SIGKILL
    with_pipe.stdin.close()
    await with_pipe.wait()


async def test_a_process_that_stops_gives_its_exit_code() -> None:
    child = Child(["sh", "-c", "exit 3"])
    assert await child.wait(10) == 3
    assert await child.stop(0) == 3


async def test_ctrl_c_reaches_the_parent_alone() -> None:
    child = Child(["sleep", "60"])
    try:
        assert os.getpgid(child.pid) != os.getpgid(0)
    finally:
        await child.stop(5)


@pytest.mark.parametrize(
    ("code", "words"), [(0, "exit code 0"), (3, "exit code 3"), (-9, "SIGKILL"), (-99, "signal 99")]
)
def test_how_a_process_ended_is_said_in_words(code: int, words: str) -> None:
    assert describe_exit(code) == words


async def test_a_process_that_ends_comes_back_until_it_ended_too_often(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_process, "BACKOFF_FIRST_S", 0.001)
    started = 0

    async def spawn() -> Child:
        nonlocal started
        started += 1
        return Child(["sh", "-c", "exit 7"])

    kept = KeptProcess("the part", spawn)
    await kept.spawn()
    with pytest.raises(StartError, match="the part could not be kept alive"):
        await kept.keep()
    assert started == 1 + kept_process.RESTARTS_MAX
    said = capsys.readouterr().out
    assert said.count("the part ended (exit code 7); starting it again") == kept_process.RESTARTS_MAX
    assert "the part ended (exit code 7), 6 times within 60 s: giving up" in said


async def test_a_process_that_cannot_be_started_again_counts_as_ended(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_process, "BACKOFF_FIRST_S", 0.001)
    attempts = 0

    async def spawn() -> Child:
        nonlocal attempts
        attempts += 1
        if attempts > 1:
            raise StartError("no disk left")
        return Child(["true"])

    kept = KeptProcess("the part", spawn)
    await kept.spawn()
    with pytest.raises(StartError):
        await kept.keep()
    assert attempts == 1 + kept_process.RESTARTS_MAX
    assert "the part: no disk left" in capsys.readouterr().out
