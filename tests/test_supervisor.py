"""`giftstream serve` as a user meets it: real processes, really killed."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import urllib.request
from collections.abc import Callable
from pathlib import Path

import asyncpg
import orjson
import pytest
import redis

from server.stores.data_folder import Running
from tests.processes import runs, wait_until_gone
from tests.serve_process import ServeProcess, run_command

pytestmark = pytest.mark.slow

Start = Callable[..., ServeProcess]


def _note(process: ServeProcess) -> Running:
    return Running(**orjson.loads((process.data_dir / "run.json").read_bytes()))


def _readyz(url: str) -> int:
    with urllib.request.urlopen(f"{url}/readyz", timeout=10) as answer:
        return int(answer.status)


def test_serve_is_ready_when_it_says_so_and_leaves_nothing_behind_when_it_stops(start_serve: Start) -> None:
    process = start_serve("--gateways", "3")
    assert _readyz(process.url) == 200
    note = _note(process)
    assert sorted(note.pids) == ["PostgreSQL", "Valkey", "gateway 1", "gateway 2", "gateway 3", "worker"]
    assert stat.S_IMODE((process.data_dir / "run.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((process.data_dir / "token.key").stat().st_mode) == 0o600

    assert process.end(signal.SIGTERM) == 0
    wait_until_gone(list(note.pids.values()))
    assert not (process.data_dir / "run.json").exists()
    assert "Traceback" not in process.output
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(process.url, timeout=2)


def test_a_second_start_gets_the_port_back_and_finds_what_the_first_one_stored(start_serve: Start) -> None:
    first = start_serve("--gateways", "1")
    port = int(first.url.rpartition(":")[2])
    with redis.Redis.from_url(_note(first).redis_url) as client:
        client.set("kept", "1")
    key = (first.data_dir / "token.key").read_text()
    waiting = socket.create_connection(("127.0.0.1", port))
    assert first.end(signal.SIGINT) == 0
    waiting.close()  # leaves the server's side in TIME_WAIT

    second = start_serve("--gateways", "1", data_dir=first.data_dir, port=port)
    assert second.url == first.url
    assert "up to date" in second.output
    assert (second.data_dir / "token.key").read_text() == key
    with redis.Redis.from_url(_note(second).redis_url) as client:
        assert client.get("kept") == b"1"


def test_a_part_that_dies_is_started_again_and_both_are_said(serve: ServeProcess) -> None:
    for name in ("gateway 1", "gateway 2", "worker", "Valkey", "PostgreSQL"):
        os.kill(_note(serve).pids[name], signal.SIGKILL)
        assert serve.wait_for_line(f"{name} ended (SIGKILL)")
        assert serve.wait_for_line(f"{name} is back")
        serve.wait_for(lambda: _is_ready(serve.url), "/readyz")
        assert runs(_note(serve).pids[name])
    assert serve.end() == 0


def _is_ready(url: str) -> bool:
    try:
        return _readyz(url) == 200
    except OSError:
        return False


def test_a_part_that_keeps_dying_ends_everything_with_the_reason(start_serve: Start) -> None:
    serve = start_serve("--gateways", "1")
    assert serve.url
    pids = _note(serve).pids
    for death in range(1, 7):
        os.kill(_note(serve).pids["worker"], signal.SIGKILL)
        what = "giving up" if death == 6 else "worker is back"
        count = 1 if death == 6 else death
        serve.wait_for(lambda what=what, count=count: serve.output.count(what) == count, what)
    assert serve.exit_code() == 1
    assert "giftstream: stopped, because worker could not be kept alive" in serve.output
    wait_until_gone([pid for name, pid in pids.items() if name != "worker"])


def test_nothing_outlives_a_supervisor_that_is_killed_and_the_next_start_works(start_serve: Start) -> None:
    first = start_serve("--gateways", "1")
    assert first.url
    note = _note(first)
    backends = asyncio.run(_backends(note.database_url))
    first.process.kill()
    first.exit_code()
    second = start_serve("--gateways", "1", data_dir=first.data_dir)
    assert second.url
    wait_until_gone([*note.pids.values(), *backends])


async def _backends(database_url: str) -> list[int]:
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    finally:
        await connection.close()
    assert rows
    return [row["pid"] for row in rows]


def test_a_second_ctrl_c_does_not_wait_for_the_drain(start_serve: Start) -> None:
    serve = start_serve("--gateways", "1", GIFTSTREAM_DRAIN_TIMEOUT_S="600")
    assert serve.url
    gateway = _note(serve).pids["gateway 1"]
    os.kill(gateway, signal.SIGSTOP)  # cannot drain
    serve.process.send_signal(signal.SIGINT)
    serve.wait_for_line("Stopping")
    serve.wait_for(lambda: _killed_or_pressed_again(serve), "the end of the gateway")
    assert serve.exit_code(timeout_s=30) == 0
    assert not runs(gateway)


def _killed_or_pressed_again(serve: ServeProcess) -> bool:
    if "gateway 1 was killed" in serve.output:
        return True
    serve.process.send_signal(signal.SIGINT)
    return False


def test_a_stop_during_the_start_is_a_clean_stop(start_serve: Start) -> None:
    serve = start_serve("--gateways", "1")
    serve.wait_for_line("giftstream")
    assert serve.end(signal.SIGTERM) == 0
    assert "Stopped." in serve.output
    assert "Traceback" not in serve.output


def test_a_taken_port_is_refused_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run_command("serve", "--port", port, "--data-dir", str(tmp_path / "data"), folder=tmp_path)
    assert (done.returncode, done.stderr) == (
        1,
        f"giftstream: port {port} on 127.0.0.1 is taken: stop what listens there, or use another --port\n",
    )


@pytest.mark.parametrize(
    ("name", "url"),
    [("REDIS_URL", "redis://u:hunter2@127.0.0.1:1/0"), ("DATABASE_URL", "postgresql://u:hunter2@127.0.0.1:1/x")],
)
def test_a_store_that_does_not_answer_is_one_line_without_its_password(tmp_path: Path, name: str, url: str) -> None:
    done = run_command("serve", "--port", "0", "--data-dir", str(tmp_path / "data"), folder=tmp_path, **{name: url})
    assert done.returncode == 1
    assert done.stderr.startswith(f"giftstream: {name}: no ")
    assert done.stderr.count("\n") == 1
    assert "127.0.0.1" in done.stderr
    assert "hunter2" not in done.stderr + done.stdout


def test_with_both_urls_set_it_starts_no_store_of_its_own(
    start_serve: Start, redis_url: str, empty_database_url: str
) -> None:
    serve = start_serve("--gateways", "1", REDIS_URL=redis_url, DATABASE_URL=empty_database_url)
    assert _readyz(serve.url) == 200
    assert sorted(_note(serve).pids) == ["gateway 1", "worker"]
    assert sorted(path.name for path in serve.data_dir.iterdir()) == ["lock", "run.json", "token.key"]
    assert serve.end() == 0
