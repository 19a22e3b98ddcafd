"""Gateways as for the tests of the web, and a pool on the same database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from server.settings import Settings
from server.stores import postgres
from server.stores.postgres import Pool
from tests.web.conftest import gateway, pytest_asyncio_loop_factories, start_gateway

__all__ = ["gateway", "pytest_asyncio_loop_factories", "start_gateway"]


@pytest.fixture
async def pool(settings: Settings) -> AsyncIterator[Pool]:
    """A pool on a database with the schema and nothing else."""
    connected = await postgres.connect(settings.database_url, size_max=8)
    yield connected
    await connected.close()
