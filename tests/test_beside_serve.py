"""What can be done beside a running `giftstream serve`, which stays as it is."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from tests.serve_process import ServeProcess, run_command

pytestmark = pytest.mark.slow


def test_a_second_serve_on_the_same_data_folder_is_refused_in_one_line(shared_serve: ServeProcess) -> None:
    done = run_command(
        "serve", "--port", "0", "--data-dir", str(shared_serve.data_dir), folder=shared_serve.data_dir.parent
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"giftstream: another giftstream serve (pid {shared_serve.process.pid}) runs on {shared_serve.data_dir}: "
        "stop it, or use another --data-dir\n"
    )


def test_another_serve_does_not_silently_share_the_port(shared_serve: ServeProcess, tmp_path: Path) -> None:
    port = shared_serve.url.rpartition(":")[2]
    done = run_command("serve", "--port", port, "--data-dir", str(tmp_path / "data"), folder=tmp_path)
    assert done.returncode == 1
    assert "is taken" in done.stderr


def test_the_other_commands_find_the_stores_of_a_running_serve(shared_serve: ServeProcess) -> None:
    folder, place = shared_serve.data_dir.parent, ("--data-dir", str(shared_serve.data_dir))
    migrated = run_command("migrate", *place, folder=folder)
    assert (migrated.returncode, migrated.stdout) == (0, "The schema is up to date.\n")
    token = run_command("token", "--user", "u1", *place, folder=folder)
    assert (token.returncode, token.stdout.count(".")) == (0, 2)
    audited = run_command("audit", "--json", *place, folder=folder)
    report = orjson.loads(audited.stdout)
    assert (audited.returncode, report["ok"]) == (0, True)
    assert {"ok", "checks", "totals"} <= set(report)


def test_output_that_is_no_terminal_has_no_colour(shared_serve: ServeProcess) -> None:
    assert "\033" not in shared_serve.output
