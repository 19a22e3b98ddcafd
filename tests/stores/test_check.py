"""A store is looked at before anything starts: what answers, what it promises, or in one line what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import redis.asyncio as redis

from server.start_error import StartError
from server.stores.check import check_postgres, check_redis, shown_url
from server.stores.redis import StoreUnfit, connect, durability

Configure = Callable[..., Awaitable[None]]

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


@pytest.fixture
async def configure(redis_url: str) -> AsyncIterator[Configure]:
    """Changes settings of the server, put right with the test."""
    client = redis.Redis.from_url(redis_url, decode_responses=True)
    before: dict[str, str] = {}

    async def change(**settings: str) -> None:
        for key, value in settings.items():
            name = key.replace("_", "-")
            before.setdefault(name, (await client.config_get(name))[name])
            await client.config_set(name, value)

    yield change
    for name, value in before.items():
        await client.config_set(name, value)
    await client.aclose()


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize(
    ("settings", "said", "waits"),
    [
        ({}, "fsync before each answer: a crash loses nothing", False),
        ({"appendfsync": "everysec"}, "each gift waits for WAITAOF", True),
        ({"appendonly": "no"}, "NO append-only file: a crash loses gifts", False),
    ],
)
async def test_what_a_gift_must_wait_for_follows_from_the_configuration(
    redis_url: str, configure: Configure, settings: dict[str, str], said: str, *, waits: bool, hidden: bool
) -> None:
    """hidden: CONFIG is not allowed, so that every gift waits if there is a file to wait for."""
    await configure(**settings)
    client = await connect(redis_url)
    try:
        if hidden:
            await client.execute_command("ACL", "SETUSER", "us", "on", "nopass", "~*", "&*", "+@all", "-config")  # type: ignore[no-untyped-call]
            await client.execute_command("AUTH", "us", "")  # type: ignore[no-untyped-call]
        found = await durability(client)
    finally:
        await client.aclose()
    if hidden and "appendonly" not in settings:
        said, waits = "configuration hidden: each gift waits for WAITAOF", True
    assert said in found.sentence
    assert found.wait_aof is waits


@pytest.mark.parametrize(
    ("settings", "why"),
    [({"maxmemory_policy": "allkeys-lru"}, "may evict keys"), ({"appendfsync": "no"}, "never says when")],
)
async def test_a_redis_that_can_keep_no_promise_is_refused(
    redis_url: str, configure: Configure, settings: dict[str, str], why: str
) -> None:
    await configure(**settings)
    with pytest.raises(StartError, match=why) as caught:
        await check_redis(redis_url)
    assert "\n" not in str(caught.value)


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
