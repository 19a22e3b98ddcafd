"""Whatever a client sends: an answer or a close code of ours, no exception in the log, and the books are right."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fuzz import http, sockets
from tests.fuzz.target import Target

SEED = 20261122
FRAMES = 6_000
EXAMPLES = 3


@pytest.fixture
async def target(stores_folder: Path) -> AsyncIterator[Target]:
    """A server for this test alone."""
    folder = stores_folder / "fuzz"
    target = Target(folder / "data")
    try:
        await target.settle_in()
        yield target
    finally:
        target.close()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
async def test_no_frame_and_no_request_does_harm(target: Target) -> None:
    """A short run of `make fuzz`."""
    report = await sockets.fuzz(target.address, target.tokens, target.rooms, frames=FRAMES, seed=SEED)
    assert report.problems == []
    assert report.frames >= FRAMES
    assert min(report.answers[kind] for kind in ("gift_ack", "joined", "ack", "error bad_frame", "delta")) > 0
    assert {"1002", "1009", "4401"} <= set(report.closes)
    token, room = target.tokens[0], target.rooms[0]
    found = await http.fuzz(target.url, token, room=room, examples=EXAMPLES, phases="fuzzing", seed=SEED)
    assert found == []
    assert await target.problems() == []
