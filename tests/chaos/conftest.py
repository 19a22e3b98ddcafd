"""Installations of real processes for the tests of this folder, ended and removed with each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from server.domain import catalogue
from tests.chaos.findings import Findings
from tests.chaos.rig import Rig
from tests.chaos.town import RICH_COINS, Town
from tests.web.client import Client

StartRig = Callable[..., Awaitable[Rig]]
Connect = Callable[..., Awaitable[Client]]

ROOM = "r_0"
CREATOR = "u_creator"


def small_town(viewers: int) -> Town:
    """One room, and so many viewers u_0, u_1 ... with more coins than they can spend."""
    sold = {kind.id: kind for kind in catalogue.seed()}
    names = tuple(f"u_{number}" for number in range(viewers))
    return Town(
        rooms=(ROOM,),
        viewers=(*names, CREATOR),
        creators={ROOM: CREATOR},
        coins=dict.fromkeys((*names, CREATOR), RICH_COINS),
        prices={name: kind.coins for name, kind in sold.items()},
        diamonds={name: kind.diamonds for name, kind in sold.items()},
    )


@pytest.fixture
async def start_rig() -> AsyncIterator[StartRig]:
    """Start an installation with one gateway; keywords as of Rig and Settings."""
    rigs: list[Rig] = []

    async def start(*, viewers: int = 4, **changed: Any) -> Rig:
        rig = Rig(Findings(), **{"gateways": 1, "wallet_shards": 2, "proxied": False, **changed})
        rigs.append(rig)
        await rig.start(small_town(viewers))
        return rig

    yield start
    for rig in rigs:
        try:
            await rig.stop()
        except Exception:
            rig.kill()
            raise
        finally:
            rig.remove()
        assert not rig.findings, rig.findings.lines


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Open a socket of a viewer on the first or another gateway, said hello and in the room."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        clients: list[Client] = []

        async def open_one(rig: Rig, viewer: str, gateway: int = 0) -> Client:
            client = Client(await http.ws_connect(f"http://{rig.addresses[gateway]}/ws", max_msg_size=0))
            clients.append(client)
            await client.hello(small_town(0).token(rig.settings, viewer))
            await client.join(ROOM)
            return client

        yield open_one
        for client in clients:
            await client.close()
