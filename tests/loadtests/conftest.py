"""One server for all of these tests, each with users and rooms of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtests.served import PACE_RAISED
from tests.serve_process import ServeProcess


@pytest.fixture(scope="session")
def load_serve(stores_folder: Path) -> Iterator[ServeProcess]:
    """A ready `serve --demo` with its limits of pace out of the way, without the viewers that the demo plays itself."""
    process = ServeProcess(
        stores_folder / "load-serve" / "data", "--gateways", "1", "--demo", GIFTSTREAM_DEMO_BOTS="0", **PACE_RAISED
    )
    try:
        assert process.url
        yield process
    finally:
        process.close()
        shutil.rmtree(process.data_dir, ignore_errors=True)
