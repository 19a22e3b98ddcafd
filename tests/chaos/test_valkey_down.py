"""Valkey is away: gifts are refused soon, sockets stay, and everything goes on by itself when it is back."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest

from tests.chaos import shard_states
from tests.chaos.conftest import ROOM, Connect, StartRig
from tests.chaos.rig import Rig
from tests.chaos.size import FULL
from tests.web.client import Client

DEADLINE_S = 30.0
REFUSED_WITHIN_S = 1.0
"""Held to at full size only: here the machine may have much else to do."""


async def until(client: Client, answer_type: str) -> float:
    """Send gifts until one is answered so; answer the seconds that the last answer took."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            began_s = time.monotonic()
            answer = await client.gift(ROOM)
            if answer["type"] == answer_type:
                assert answer_type == "gift_ack" or answer["code"] == "unavailable"
                return time.monotonic() - began_s
            await asyncio.sleep(0.05)


def kill(rig: Rig) -> None:
    assert rig.stores.valkey.child is not None
    rig.stores.valkey.child.kill()


def stop(rig: Rig) -> None:
    assert rig.stores.valkey.child is not None
    rig.stores.valkey.child.signal(signal.SIGSTOP)


async def start_again(rig: Rig) -> None:
    child = rig.stores.valkey.child
    assert child is not None
    child.signal(signal.SIGCONT)
    if await child.wait(0.2) is not None:
        await rig.stores.valkey.start()


@pytest.mark.slow
@pytest.mark.parametrize("go_away", [kill, stop])
async def test_without_valkey_gifts_are_unavailable_and_the_same_sockets_go_on_when_it_is_back(
    start_rig: StartRig, connect: Connect, go_away: object
):
    rig = await start_rig()
    client = await connect(rig, "u_0")
    await until(client, "gift_ack")
    pids = [role.child.pid for role in (*rig.gateways, *rig.workers) if role.child is not None]
    assert callable(go_away)
    go_away(rig)
    refused_after_s = await until(client, "gift_nack")
    print(f"refused after {refused_after_s:.2f} s")
    assert refused_after_s < REFUSED_WITHIN_S or not FULL
    await start_again(rig)
    await until(client, "gift_ack")
    await shard_states.wait_drained(rig.stores, rig.settings.wallet_shards)
    assert (await client.receive("delta", timeout_s=DEADLINE_S))["room"] == ROOM
    assert pids == [role.child.pid for role in (*rig.gateways, *rig.workers) if role.child is not None]
    assert not client.socket.closed
