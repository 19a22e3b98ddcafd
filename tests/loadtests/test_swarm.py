"""The load test as a whole, made short: users play on a running server, and every gift is accounted for."""

import subprocess
import sys
from pathlib import Path

import pytest

import loadtests
from tests.serve_process import ServeProcess, plain_environ

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

ROOT = Path(loadtests.__path__[0]).parent


def run(tmp_path: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "loadtests.run"],
        env={**plain_environ(**environ), "PYTHONPATH": str(ROOT), "LOADTEST_RESULTS": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )


def test_users_play_and_every_gift_is_conserved(load_serve: ServeProcess, tmp_path: Path) -> None:
    done = run(
        tmp_path, USERS="16", SECONDS_MAX="10", HOST=load_serve.url, GIFTSTREAM_DATA_DIR=str(load_serve.data_dir)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "each acknowledged and settled exactly once" in done.stdout
    assert "probe: gift to screen" in done.stdout + done.stderr
    assert list(tmp_path.glob("loadtest-steady-*.html"))


@pytest.mark.parametrize(
    ("variable", "value"),
    [("PROFILE", "calm"), ("USERS", "many"), ("HOST", "http://127.0.0.1:9")],
)
def test_what_cannot_be_played_is_said_in_one_line(variable: str, value: str, tmp_path: Path) -> None:
    environ = {"HOST": "http://127.0.0.1:9", variable: value}
    done = run(tmp_path, **environ)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert (variable if variable != "HOST" else value) in done.stderr
