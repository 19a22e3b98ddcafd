"""The embedded Valkey keeps what it acknowledged, and comes back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis.asyncio as redis

from server.child import Child
from server.start_error import StartError
from server.stores.embedded_valkey import EmbeddedValkey
from tests.processes import runs, wait_until_gone


@pytest.fixture
async def server(stores_folder: Path, request: pytest.FixtureRequest) -> AsyncIterator[EmbeddedValkey]:
    made = EmbeddedValkey(stores_folder / f"valkey {abs(hash(request.node.name))}", memory_mb=256)
    await made.start()
    yield made
    await made.stop()


def _child(server: EmbeddedValkey) -> Child:
    assert server.child is not None
    return server.child


async def test_it_writes_each_command_to_disk_before_the_answer_and_evicts_nothing(server: EmbeddedValkey) -> None:
    async with redis.Redis.from_url(server.url, decode_responses=True) as client:
        config = await client.config_get("append*", "maxmemory*", "save", "no-appendfsync-on-rewrite", "port")
    assert config["appendonly"] == "yes"
    assert config["appendfsync"] == "always"
    assert config["no-appendfsync-on-rewrite"] == "no"
    assert config["maxmemory-policy"] == "noeviction"
    assert config["maxmemory"] == str(256 * 1024 * 1024)
    assert config["port"] == "0"
    assert config["save"] == ""


async def test_what_was_acknowledged_survives_kill_9(server: EmbeddedValkey) -> None:
    async with redis.Redis.from_url(server.url, decode_responses=True) as client:
        for n in range(200):
            await client.set(f"k{n}", n)
        _child(server).signal(signal.SIGKILL)
        assert await _child(server).wait(10) == -signal.SIGKILL
    await server.start()
    async with redis.Redis.from_url(server.url, decode_responses=True) as client:
        assert await client.dbsize() == 200


async def test_a_file_cut_off_by_a_power_failure_loses_its_last_command_only(server: EmbeddedValkey) -> None:
    async with redis.Redis.from_url(server.url, decode_responses=True) as client:
        await client.set("kept", "1")
        await client.set("cut", "x" * 1000)
    await server.stop()
    log = next((server.folder / "appendonlydir").glob("*.incr.aof"))
    os.truncate(log, log.stat().st_size - 500)
    await server.start()
    async with redis.Redis.from_url(server.url, decode_responses=True) as client:
        assert await client.get("kept") == "1"
        assert await client.get("cut") is None


async def test_a_file_it_cannot_read_ends_the_start_with_the_reason(server: EmbeddedValkey) -> None:
    async with redis.Redis.from_url(server.url) as client:
        await client.set("k", "1")
    await server.stop()
    log = next((server.folder / "appendonlydir").glob("*.incr.aof"))
    log.write_bytes(b"no append-only file at all\r\n" * 20)
    with pytest.raises(StartError, match="Bad file format") as caught:
        await server.start()
    assert "\n" not in str(caught.value)
    assert _child(server).exit_code is not None


async def test_its_data_and_socket_are_for_their_owner_alone(server: EmbeddedValkey) -> None:
    assert server.folder.stat().st_mode & 0o777 == 0o700
    assert (server.folder / "valkey.sock").stat().st_mode & 0o077 == 0


async def test_a_long_path_gets_a_short_private_socket_folder(stores_folder: Path) -> None:
    server = EmbeddedValkey(stores_folder / ("long " * 30) / "valkey", memory_mb=256)
    await server.start()
    try:
        async with redis.Redis.from_url(server.url) as client:
            assert await client.ping()
        socket = Path(server.url.removeprefix("unix://"))
        assert socket.parent != server.folder
        assert socket.parent.stat().st_mode & 0o777 == 0o700
    finally:
        await server.stop()
    assert not socket.parent.exists()


async def test_a_second_server_waits_until_the_first_is_gone(
    server: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.stores.embedded_valkey.PREDECESSOR_TIMEOUT_S", 0.2)
    second = EmbeddedValkey(server.folder, memory_mb=256)
    with pytest.raises(StartError, match="in use"):
        await second.start()
    await server.stop()
    await second.start()
    await second.stop()


def test_it_ends_when_its_parent_is_killed(tmp_path: Path, stores_folder: Path) -> None:
    script = (
        "import asyncio, sys, time\nfrom pathlib import Path\n"
        "from server.stores.embedded_valkey import EmbeddedValkey\n"
        "server = EmbeddedValkey(Path(sys.argv[1]), memory_mb=256)\n"
        "asyncio.run(server.start())\nprint(server.child.pid, flush=True)\ntime.sleep(600)\n"
    )
    command = [sys.executable, "-c", script, str(stores_folder / "orphan")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert runs(pid)
        parent.kill()
    wait_until_gone([pid])
