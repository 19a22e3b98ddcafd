"""A gateway for each test, and a worker for those that ask for one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
import uvloop

from server.rooms.apply import RoomsReader
from server.settings import Settings
from server.stores import postgres, redis
from tests.web.gateways import Gateway, running_gateway

StartGateway = Callable[..., Awaitable[Gateway]]


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop that gateways run on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def start_gateway(settings: Settings) -> AsyncIterator[StartGateway]:
    """Starts gateways on the same stores, with changed settings; each drains at the end of the test."""
    async with AsyncExitStack() as stack:
        started = 0

        async def start(**changes: Any) -> Gateway:
            nonlocal started
            started += 1
            changes.setdefault("worker_id", f"gateway-{started}")
            return await stack.enter_async_context(running_gateway(replace(settings, **changes)))

        yield start


@pytest.fixture
async def gateway(start_gateway: StartGateway) -> Gateway:
    """One gateway with the settings as they are."""
    return await start_gateway()


@pytest.fixture
async def worker(settings: Settings) -> AsyncIterator[RoomsReader]:
    """Brings gifts from the logs into the rooms while the test runs."""
    client = await redis.connect(settings.redis_url)
    await redis.load_functions(client)
    pool = await postgres.connect(settings.database_url, size_max=4)
    stop = asyncio.Event()
    reader = RoomsReader(client, pool, settings, "test-worker")
    running = asyncio.create_task(reader.run(stop))
    yield reader
    stop.set()
    await running
    await pool.close()
    await client.aclose()
