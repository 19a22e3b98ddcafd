"""The stage that the ledger's tests play on."""

from collections.abc import AsyncIterator

import pytest

from server.settings import Settings
from tests.ledger.stage import Stage, stage_on


@pytest.fixture
async def stage(settings: Settings) -> AsyncIterator[Stage]:
    """One room, nobody in it."""
    async with stage_on(settings) as stage:
        await stage.room()
        yield stage
