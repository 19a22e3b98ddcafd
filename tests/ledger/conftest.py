"""The stage that the ledger's tests play on."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from server.settings import Settings
from tests.ledger.stage import Stage, stage_on


@pytest.fixture
async def stage(settings: Settings) -> AsyncIterator[Stage]:
    """One room, nobody in it; nobody is too fast."""
    async with stage_on(replace(settings, gifts_per_second=1_000_000, gifts_burst=1_000_000)) as stage:
        await stage.room()
        yield stage
