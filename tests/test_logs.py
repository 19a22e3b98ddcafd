"""A log line is one JSON object that names its process; for people at a terminal it is text."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from tests.serve_process import plain_environ

SECRET = "hunter222222222"
SCRIPT = """
import logging, structlog
from server.logs import set_up_logging
from server.settings import load_settings
set_up_logging(load_settings(), "gateway-1")
log = structlog.get_logger()
log.debug("not shown")
log.info("listening", port=8080, text="two\\nlines")
logging.getLogger("asyncio").info("not shown either")
logging.getLogger("somebody").warning("theirs %d", 7)
token = "hunter" + "2" * 9
try:
    1 / 0
except ZeroDivisionError:
    log.exception("failed")
"""


def _logged(folder: Path, **environ: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=plain_environ(**environ),
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_each_line_is_one_json_object_with_process_level_and_time(tmp_path: Path) -> None:
    listening, theirs, failed = [orjson.loads(line) for line in _logged(tmp_path)]
    assert (listening["event"], listening["port"], listening["text"]) == ("listening", 8080, "two\nlines")
    assert (theirs["event"], theirs["level"]) == ("theirs 7", "warning")
    assert "ZeroDivisionError" in failed["exception"]
    assert all(line["process"] == "gateway-1" and line["timestamp"] for line in (listening, theirs, failed))


def test_the_level_is_a_setting(tmp_path: Path) -> None:
    assert len(_logged(tmp_path, GIFTSTREAM_LOG_LEVEL="error")) == 1
    assert "not shown" in _logged(tmp_path, GIFTSTREAM_LOG_LEVEL="debug")[0]


def test_a_traceback_shows_no_values_whatever_else_is_installed(tmp_path: Path) -> None:
    """Rich is, with the tests, and would show what every variable holds."""
    pytest.importorskip("rich")
    for form in ("console", "json"):
        logged = "\n".join(_logged(tmp_path, GIFTSTREAM_LOG_FORMAT=form))
        assert "ZeroDivisionError" in logged
        assert SECRET not in logged


def test_for_people_it_is_text_and_without_a_terminal_no_colour(tmp_path: Path) -> None:
    lines = _logged(tmp_path, GIFTSTREAM_LOG_FORMAT="console")
    assert "listening" in lines[0]
    assert not lines[0].startswith("{")
    assert not any("\033" in line for line in lines)
