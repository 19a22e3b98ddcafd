"""Real stores for the tests: one Valkey and one PostgreSQL for each test process, clean for each test."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import redis

from server.settings import Settings
from server.stores.embedded_postgres import EmbeddedPostgres
from server.stores.embedded_valkey import EmbeddedValkey
from tests.memory_folder import remove_memory_folder, use_memory_folder
from tests.serve_process import ServeProcess
from tests.shares import Shares

TEMPLATE = "giftstream_template"
WALLET_SHARDS = 4
TOKEN_SECRET = "a-secret-that-only-the-tests-use-0123456789"

# Nothing of the machine's settings reaches a test.
for name in [name for name in os.environ if name.startswith("GIFTSTREAM_") or name in ("REDIS_URL", "DATABASE_URL")]:
    del os.environ[name]


_memory_folder = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """The process that starts the others makes the folder that all of them use."""
    if not hasattr(config, "workerinput") and (folder := use_memory_folder()) is not None:
        config.stash[_memory_folder] = folder


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tests that leave files behind fail the run, and the files stay to be looked at."""
    folder = session.config.stash.get(_memory_folder, None)
    if folder is not None and (left := remove_memory_folder(folder)):
        print(f"\nleft behind: {', '.join(map(str, left))}")
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, so that all processes end together."""
    items.sort(key=lambda item: not (item.get_closest_marker("browser") or item.get_closest_marker("slow")))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Shares:
    return Shares(config, log)


@pytest.fixture(scope="session")
def stores_folder() -> Iterator[Path]:
    """A folder with a short path, for sockets; removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="gs-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def valkey(stores_folder: Path) -> Iterator[EmbeddedValkey]:
    """The Valkey of this test process."""
    server = EmbeddedValkey(stores_folder / "valkey", memory_mb=256)
    _run(server.start())
    yield server
    _run(server.stop())


@pytest.fixture
def redis_url(valkey: EmbeddedValkey) -> str:
    """The URL of an empty Valkey without functions."""
    _empty(valkey)
    return valkey.url


@pytest.fixture(scope="session")
def postgres(stores_folder: Path) -> Iterator[EmbeddedPostgres]:
    """The PostgreSQL of this test process. A crash of the machine may lose its data; a killed process may not."""
    options = {"fsync": "off", "shared_buffers": "32MB", "log_min_messages": "panic"}
    server = EmbeddedPostgres(stores_folder / "postgres", options=options)
    _run(server.start())
    yield server
    _run(server.stop())


@pytest.fixture(scope="session")
def postgres_url(postgres: EmbeddedPostgres) -> str:
    """The URL of the server's own database, which is empty and shared."""
    return postgres.url


@pytest.fixture(scope="session")
def template_database(postgres: EmbeddedPostgres) -> str:
    """The name of a database with the schema, to be copied."""
    from server.ledger.migrate import migrate

    async def make() -> None:
        await _execute(postgres, f"CREATE DATABASE {TEMPLATE}")
        await migrate(postgres.database_url(TEMPLATE), wallet_shards=WALLET_SHARDS)

    _run(make())
    return TEMPLATE


@pytest.fixture
async def empty_database_url(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """The URL of a database of this test's own, without a schema."""
    async with _database(postgres, "template1") as url:
        yield url


@pytest.fixture
async def database_url(postgres: EmbeddedPostgres, template_database: str) -> AsyncIterator[str]:
    """The URL of a database of this test's own, with the schema and nothing else."""
    async with _database(postgres, template_database) as url:
        yield url


@pytest.fixture
def settings(redis_url: str, database_url: str, tmp_path: Path) -> Settings:
    """Settings on empty stores; ``dataclasses.replace`` changes some."""
    return Settings(
        redis_url=redis_url,
        database_url=database_url,
        data_dir=tmp_path / "data",
        host="127.0.0.1",
        port=0,
        wallet_shards=WALLET_SHARDS,
        token_secret=TOKEN_SECRET,
        worker_id="test",
        drain_timeout_s=5.0,
    )


FreshSettings = Callable[[], AbstractAsyncContextManager[Settings]]


@pytest.fixture
def fresh_settings(
    settings: Settings, postgres: EmbeddedPostgres, template_database: str, valkey: EmbeddedValkey
) -> FreshSettings:
    """Settings on stores that are empty each time: for a test that begins many times."""

    @asynccontextmanager
    async def begin() -> AsyncIterator[Settings]:
        _empty(valkey)
        async with _database(postgres, template_database) as url:
            yield replace(settings, database_url=url)

    return begin


@pytest.fixture
def start_serve(stores_folder: Path) -> Iterator[Callable[..., ServeProcess]]:
    """Start ``giftstream serve`` processes, ended and removed with the test. Arguments as of ServeProcess."""
    started: list[ServeProcess] = []

    def start(*flags: str, data_dir: Path | None = None, **more: Any) -> ServeProcess:
        folder = data_dir or stores_folder / f"serve-{uuid.uuid4().hex[:8]}" / "data"
        process = ServeProcess(folder, *flags, **more)
        started.append(process)
        return process

    yield start
    for process in started:
        process.close()
        shutil.rmtree(process.data_dir, ignore_errors=True)


@pytest.fixture(scope="session")
def shared_serve(stores_folder: Path) -> Iterator[ServeProcess]:
    """A ready ``giftstream serve --demo`` for tests that leave it as it is."""
    process = ServeProcess(stores_folder / "shared-serve" / "data", "--demo")
    try:
        assert process.url
        yield process
    finally:
        process.close()


@pytest.fixture
def serve(start_serve: Callable[..., ServeProcess]) -> ServeProcess:
    """One ready ``giftstream serve --demo`` on a free port."""
    process = start_serve("--demo")
    assert process.url
    return process


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end on a loop of its own, without touching the loops of the tests."""
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(work)
    finally:
        loop.close()


def _empty(valkey: EmbeddedValkey) -> None:
    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
        client.function_flush()


@asynccontextmanager
async def _database(postgres: EmbeddedPostgres, template: str) -> AsyncIterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    # Copied as files: written through the log, as is the default, it costs four times the CPU, for every test.
    await _execute(postgres, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    try:
        yield postgres.database_url(name)
    finally:
        await _execute(postgres, f"DROP DATABASE {name} WITH (FORCE)")


async def _execute(postgres: EmbeddedPostgres, sql: str) -> None:
    connection = await asyncpg.connect(postgres.database_url("postgres"))
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
