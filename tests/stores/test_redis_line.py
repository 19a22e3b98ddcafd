"""Single calls share one connection, and nobody gets another one's answer, whatever becomes of the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from server.stores import redis, redis_line
from server.stores.redis_client import Client

BLOCKED_S = 0.3
"""How long a call of these tests can keep the line waiting."""


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = await redis.connect(redis_url)
    yield client
    await client.aclose()


async def test_all_calls_share_one_connection_and_each_gets_its_own_answer(client: Redis):
    numbers = range(2 * redis_line.CALLS_MAX)
    assert await asyncio.gather(*(client.incrby(f"key {number}", number) for number in numbers)) == list(numbers)
    assert (await client.info("clients"))["connected_clients"] == 1


async def test_an_error_is_raised_in_the_call_that_it_answers(client: Redis):
    await client.set("text", "a")
    answers = await asyncio.gather(
        client.get("text"), client.lpush("text", "b"), client.get("text"), return_exceptions=True
    )
    assert answers[0] == answers[2] == b"a"
    assert isinstance(answers[1], ResponseError)


async def test_calls_that_are_given_up_leave_the_answers_of_the_others_in_place(client: Redis):
    calls = [asyncio.ensure_future(client.echo(f"{number}")) for number in range(60)]
    for turn in range(3):
        for call in calls[turn::6]:
            call.cancel()
        await asyncio.sleep(0)
    answers = await asyncio.gather(*calls, return_exceptions=True)
    left = [number for number in range(60) if number % 6 > 2]
    assert [answers[number] for number in left] == [str(number).encode() for number in left]


async def test_calls_under_way_fail_with_the_connection_and_the_next_one_makes_another(client: Redis, redis_url: str):
    other = await redis.connect(redis_url)
    number = await client.client_id()
    waiting = asyncio.ensure_future(client.blpop("nothing", timeout=0))
    behind = asyncio.ensure_future(client.ping())
    await asyncio.sleep(0.05)
    await other.client_kill_filter(_id=str(number))
    for call in (waiting, behind):
        with pytest.raises(RedisConnectionError):
            await call
    assert await client.client_id() > number
    await other.aclose()


async def test_a_server_that_does_not_answer_in_time_is_lost(redis_url: str):
    client = Client.from_url(redis_url, protocol=2, socket_timeout=BLOCKED_S / 3)
    late = asyncio.ensure_future(client.blpop("nothing", timeout=BLOCKED_S))
    await asyncio.sleep(0)
    with pytest.raises(RedisTimeoutError):
        await client.ping()
    with pytest.raises(RedisTimeoutError):
        await late
    assert await client.ping()
    await client.aclose()


async def test_a_call_that_gets_no_turn_in_time_breaks_as_without_a_connection(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(redis_line, "CALLS_MAX", 2)
    monkeypatch.setattr(redis_line, "TURN_TIMEOUT_S", 0.02)
    client = await redis.connect(redis_url)
    held = [asyncio.ensure_future(client.blpop("nothing", timeout=BLOCKED_S / 2)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(RedisConnectionError, match="no turn"):
        await client.get("key")
    await asyncio.gather(*held)
    assert await client.get("key") is None
    await client.aclose()


async def test_when_nobody_is_there_all_who_call_hear_it_at_once():
    client = await redis.connect("unix:///nowhere/at/all")
    answers = await asyncio.gather(*(client.ping() for _ in range(50)), return_exceptions=True)
    assert all(isinstance(answer, RedisConnectionError) for answer in answers)
    await client.aclose()


async def test_a_round_trip_brings_errors_as_values_or_raises_the_first(client: Redis):
    pipeline = client.pipeline(transaction=False)
    pipeline.set("text", "a").lpush("text", "b").get("text")
    done, refused, text = await pipeline.execute(raise_on_error=False)
    assert done is True
    assert isinstance(refused, ResponseError)
    assert text == b"a"
    with pytest.raises(ResponseError):
        await client.pipeline(transaction=False).lpush("text", "b").get("text").execute()
    assert await client.pipeline(transaction=False).execute() == []
    assert await client.get("text") == b"a"


async def test_a_round_trip_that_was_cancelled_leaves_no_answers_to_others(client: Redis):
    pipeline = client.pipeline(transaction=False)
    for number in range(500):
        pipeline.echo(f"{number}")
    call = asyncio.ensure_future(pipeline.execute())
    for _ in range(4):
        await asyncio.sleep(0)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    assert await client.pipeline(transaction=False).echo("mine").execute() == [b"mine"]
