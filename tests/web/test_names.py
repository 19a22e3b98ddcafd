"""What a gifter goes by is in the ledger, from which rooms are loaded again."""

from __future__ import annotations

import asyncio

import asyncpg

from tests.web.gateways import Gateway


async def name_in_ledger(gateway: Gateway, user_id: str, name: str) -> None:
    """Waits until the ledger has this name of a user."""
    connection = await asyncpg.connect(gateway.settings.database_url)
    try:
        async with asyncio.timeout(20):
            while await connection.fetchval("SELECT name FROM users WHERE id = $1", user_id) != name:
                await asyncio.sleep(0.02)
    finally:
        await connection.close()


async def test_a_gift_brings_its_senders_name_into_the_ledger_and_a_new_name_too(gateway: Gateway):
    room = await gateway.open_room()
    await gateway.coins("vera", 100)
    client = await gateway.enter(gateway.token("vera", name="Véra the Great"), room)
    await client.gift(room)
    await name_in_ledger(gateway, "vera", "Véra the Great")
    renamed = gateway.token("vera", name="Véra the Greater")
    assert (await gateway.post(f"/rooms/{room}/gifts", {"gift": "rose", "count": 1}, renamed))[0] == 201
    await name_in_ledger(gateway, "vera", "Véra the Greater")
