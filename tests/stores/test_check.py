"""A store is looked at before anything starts: what answers, what it promises, or in one line what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from server.start_error import StartError
from server.stores.check import check_postgres, check_redis, shown_url
from server.stores.redis import StoreUnfit

OLD_INFO = b"# Server\r\nredis_version:7.0.15\r\n"


@pytest.fixture
async def old_redis() -> AsyncIterator[str]:
    """A server that speaks the protocol and says it is Redis 7.0: there is no such wheel to run."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (head := await reader.readline()).startswith(b"*"):
            words = []
            for _ in range(int(head[1:])):
                size = int((await reader.readline())[1:])
                words.append((await reader.readexactly(size + 2))[:-2].upper())
            info = b"$%d\r\n%s\r\n" % (len(OLD_INFO), OLD_INFO)
            writer.write(info if words[0] == b"INFO" else b"+OK\r\n")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    await server.wait_closed()


async def test_valkey_says_what_a_crash_could_lose(redis_url: str) -> None:
    said = await check_redis(redis_url)
    assert said.startswith("Valkey 9.")
    assert "a crash loses nothing acknowledged" in said


async def test_a_redis_before_7_2_is_refused(old_redis: str) -> None:
    with pytest.raises((StartError, StoreUnfit), match=r"Redis 7\.0\.15 is too old: 7\.2"):
        await check_redis(old_redis)


async def test_postgres_says_its_version(postgres_url: str) -> None:
    assert (await check_postgres(postgres_url)).startswith("PostgreSQL 18.")


async def test_a_database_that_is_not_there_is_one_line(postgres_url: str) -> None:
    with pytest.raises(StartError, match=r'DATABASE_URL: .* database "nowhere" does not exist') as caught:
        await check_postgres(postgres_url.replace("/giftstream?", "/nowhere?"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://user:hunter2@example.org:6379/3", "redis://example.org:6379/3"),
        ("postgresql://u:hun%40ter2@h/x?sslmode=require&password=hunter2", "postgresql://h/x"),
        ("unix:///run/valkey.sock", "unix:///run/valkey.sock"),
        ("redis://[broken", "that URL"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert shown_url(url) == shown
