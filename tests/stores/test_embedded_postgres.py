"""The embedded PostgreSQL keeps what it committed, comes back, and lets nobody else in."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from server.child import Child
from server.start_error import StartError
from server.stores.embedded_postgres import EmbeddedPostgres
from tests.processes import runs

SMALL = {"shared_buffers": "16MB"}


@pytest.fixture
async def server(stores_folder: Path, request: pytest.FixtureRequest) -> AsyncIterator[EmbeddedPostgres]:
    made = EmbeddedPostgres(stores_folder / f"pg {abs(hash(request.node.name))}", options=SMALL)
    await made.start()
    yield made
    await made.stop()


def _child(server: EmbeddedPostgres) -> Child:
    assert server.child is not None
    return server.child


async def _fetch(server: EmbeddedPostgres, sql: str) -> object:
    connection = await asyncpg.connect(server.url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def _until(server: EmbeddedPostgres, sql: str) -> None:
    async with asyncio.timeout(20):
        while not await _fetch(server, sql):
            await asyncio.sleep(0.02)


async def test_it_commits_to_disk_listens_on_no_address_and_speaks_utf8(server: EmbeddedPostgres) -> None:
    shown = {name: await _fetch(server, f"SHOW {name}") for name in ("synchronous_commit", "fsync", "listen_addresses")}
    assert shown == {"synchronous_commit": "on", "fsync": "on", "listen_addresses": ""}
    assert await _fetch(server, "SHOW server_encoding") == "UTF8"
    assert await _fetch(server, "SELECT current_database()") == "giftstream"


async def test_what_was_committed_survives_kill_9_of_the_server_while_a_query_runs(server: EmbeddedPostgres) -> None:
    connection = await asyncpg.connect(server.url)
    await connection.execute("CREATE TABLE t (n int)")
    await connection.execute("INSERT INTO t SELECT generate_series(1, 1000)")
    backend = await connection.fetchval("SELECT pg_backend_pid()")
    query = asyncio.create_task(connection.execute("SELECT pg_sleep(60)"))
    await _until(server, f"SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = {backend} AND state = 'active'")
    _child(server).signal(signal.SIGKILL)
    assert await _child(server).wait(10) == -signal.SIGKILL
    await server.start()  # waits for the orphaned backends
    with pytest.raises(asyncpg.PostgresConnectionError):
        await query
    connection.terminate()
    assert not runs(backend)
    assert await _fetch(server, "SELECT count(*) FROM t") == 1000


async def test_a_start_waits_for_a_backend_that_outlives_its_server(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = await asyncpg.connect(server.url)
    backend = await connection.fetchval("SELECT pg_backend_pid()")
    os.kill(backend, signal.SIGSTOP)
    try:
        _child(server).signal(signal.SIGKILL)
        assert await _child(server).wait(10) == -signal.SIGKILL
        with monkeypatch.context() as impatient:
            impatient.setattr("server.stores.embedded_postgres.PREDECESSOR_TIMEOUT_S", 0.3)
            with pytest.raises(StartError, match="in use by another process"):
                await server.start()
        assert runs(backend)
    finally:
        os.kill(backend, signal.SIGCONT)
    await server.start()
    assert not runs(backend)
    connection.terminate()


async def test_a_pid_file_whose_pid_is_another_process_now_does_not_stop_it(server: EmbeddedPostgres) -> None:
    pid_file = server.folder / "postmaster.pid"
    left = pid_file.read_text()
    await server.stop()
    owner = server.folder.stat()
    sleeper = Child(["sleep", "60"], user=None if os.geteuid() else (owner.st_uid, owner.st_gid), folder=Path("/"))
    try:
        pid_file.write_text(f"{sleeper.pid}\n" + left.split("\n", 1)[1])
        os.chown(pid_file, owner.st_uid, owner.st_gid)
        await server.start()
        assert await _fetch(server, "SELECT 1") == 1
    finally:
        await sleeper.stop(0)


async def test_a_first_start_that_was_cut_off_leaves_nothing_in_the_way(stores_folder: Path) -> None:
    server = EmbeddedPostgres(stores_folder / "cut-off", options=SMALL)
    half_made = server.folder.with_name("cut-off.new")
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n")
    await server.start()
    assert await _fetch(server, "SELECT 1") == 1
    await server.stop()
    assert not half_made.exists()


async def test_a_cluster_it_cannot_use_ends_the_start_with_the_reason(server: EmbeddedPostgres) -> None:
    await server.stop()
    (server.folder / "PG_VERSION").write_text("9\n")
    with pytest.raises(StartError, match="FATAL") as caught:
        await server.start()
    assert "\n" not in str(caught.value)


async def test_its_folder_is_for_its_own_user_alone(server: EmbeddedPostgres) -> None:
    found = server.folder.stat()
    assert found.st_mode & 0o777 == 0o700
    assert (found.st_uid != 0) if os.geteuid() == 0 else (found.st_uid == os.geteuid())
    assert Path(f"/proc/{_child(server).pid}").stat().st_uid == found.st_uid


async def test_a_long_path_gets_a_short_private_socket_folder(stores_folder: Path) -> None:
    server = EmbeddedPostgres(stores_folder / ("long " * 30) / "pg", options=SMALL)
    await server.start()
    try:
        assert await _fetch(server, "SELECT 1") == 1
        short = Path(str(await _fetch(server, "SHOW unix_socket_directories")))
        assert short != server.folder
        assert short.stat().st_mode & 0o777 == 0o700
    finally:
        await server.stop()
    assert not short.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user for PostgreSQL")
async def test_as_root_it_opens_the_way_to_a_closed_folder_and_says_so(stores_folder: Path) -> None:
    closed = stores_folder / "closed"
    closed.mkdir(mode=0o700)
    server = EmbeddedPostgres(closed / "pg", options=SMALL)
    await server.start()
    try:
        assert closed.stat().st_mode & 0o777 == 0o701
        assert server.note == f"made passable (o+x) for PostgreSQL's system user: {closed}"
    finally:
        await server.stop()
