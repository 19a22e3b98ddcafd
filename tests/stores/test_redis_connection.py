"""A task that speaks to Redis can always be cancelled."""

from __future__ import annotations

import asyncio

import pytest
import uvloop
from redis.asyncio.connection import UnixDomainSocketConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from server.stores import redis

TURNS = 12


@pytest.mark.parametrize("turns", range(TURNS))
async def test_a_command_cancelled_at_any_turn_of_the_loop_stays_cancelled(redis_url: str, turns: int):
    client = await redis.connect(redis_url)
    await client.ping()

    async def talk() -> None:
        while True:
            await client.ping()

    talking = asyncio.create_task(talk())
    for _ in range(turns):
        await asyncio.sleep(0)
    talking.cancel()
    done, _ = await asyncio.wait({talking}, timeout=5)
    ended = talking in done
    while not talking.done():
        talking.cancel()
        await asyncio.sleep(0)
    await client.aclose()
    assert ended


def test_a_connection_that_was_reset_breaks_with_an_error_of_redis(redis_url: str):
    """On uvloop, as the real processes run: it has an error of its own for a transport that is gone."""

    async def write_to_a_lost_connection() -> None:
        client = await redis.connect(redis_url)
        connection = client.connection_pool.make_connection()
        await connection.connect()
        connection._writer.transport.abort()
        await asyncio.sleep(0)
        try:
            with pytest.raises(RedisError):
                await connection.send_command("PING")
        finally:
            await client.aclose()

    uvloop.run(write_to_a_lost_connection())


async def test_a_server_that_became_a_replica_is_a_lost_connection_and_its_successor_is_found(redis_url: str):
    """A failover keeps the old server's connections open: who went on writing to it would be refused for ever."""
    client, other = await redis.connect(redis_url), await redis.connect(redis_url)
    await client.set("a", 1)
    connection = client.connection_pool.make_connection()
    await connection.connect()
    await other.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        await connection.send_command("SET", "a", 2)
        with pytest.raises(RedisConnectionError):
            await connection.read_response()
        assert not connection.is_connected
    finally:
        await other.execute_command("REPLICAOF", "NO", "ONE")
    await connection.send_command("SET", "a", 3)
    assert await connection.read_response() == b"OK"
    await connection.disconnect()
    await client.aclose()
    await other.aclose()


async def test_commands_leave_as_the_protocol_has_them(redis_url: str):
    """Word by word and byte by byte, whatever their arguments are, one command or many."""
    commands = [("CONFIG GET", "maxmemory"), ("SET", "schlüssel", b"\x00\r\n$3"), ("FCALL", b"f", 1, 2.5, "")]
    client = await redis.connect(redis_url)
    ours, theirs = client.connection_pool.make_connection(), UnixDomainSocketConnection(path="/nowhere")
    for command in commands:
        assert b"".join(ours.pack_command(*command)) == b"".join(theirs.pack_command(*command))
    assert b"".join(ours.pack_commands(commands)) == b"".join(theirs.pack_commands(commands))
    await client.aclose()
