"""A gateway serves only the installation that it was set up for."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from server.gateway import run_gateway
from server.ledger.migrate import MigrationError
from server.settings import Settings


async def test_a_gateway_with_another_number_of_wallet_shards_does_not_start(settings: Settings) -> None:
    """It would find viewers in shards that are not theirs, and give each of them a second wallet."""
    listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    with pytest.raises(MigrationError, match="GIFTSTREAM_WALLET_SHARDS is 8"):
        await run_gateway(replace(settings, wallet_shards=8), stopping=asyncio.Event(), listening=listening)
    assert not listening.done()


async def test_a_gateway_on_a_database_without_a_schema_says_what_to_do(
    settings: Settings, empty_database_url: str
) -> None:
    with pytest.raises(MigrationError, match="run `giftstream migrate`"):
        await run_gateway(replace(settings, database_url=empty_database_url), stopping=asyncio.Event())
