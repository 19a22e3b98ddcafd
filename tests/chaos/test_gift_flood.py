"""One user sends gifts as fast as it can: it is told to slow down, and nobody else notices."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from itertools import count

import pytest

from tests.chaos.conftest import ROOM, Connect, StartRig
from tests.chaos.size import size
from tests.web.client import Client

FLOOD_S = float(size(3, 20))
FLOODERS = 4
FLOOD_PAUSE_S = 0.002


async def flood(client: Client, until_s: float, answers: Counter[str]) -> None:
    """Send without waiting for answers; count them as they come."""

    async def listen() -> None:
        async for message in client.socket:
            for kind in ("gift_ack", "rate_limited"):
                answers[kind] += f'"{kind}"' in message.data

    listening = asyncio.ensure_future(listen())
    for _ in count():
        if asyncio.get_running_loop().time() > until_s or client.socket.closed:
            break
        await client.send(type="gift", id=uuid.uuid4().hex, room=ROOM, gift="rose", count=1)
        await asyncio.sleep(FLOOD_PAUSE_S)
    await asyncio.sleep(0.3)
    listening.cancel()


@pytest.mark.slow
async def test_a_flood_of_one_user_is_rate_limited_and_all_gifts_of_the_others_are_accepted(
    start_rig: StartRig, connect: Connect
):
    # As many frames as it likes, so that the pace of the wallet is what holds it back, over all its connections.
    rig = await start_rig(
        viewers=5, gifts_per_second=5.0, gifts_burst=10, frames_per_second=100_000.0, frames_burst=100_000
    )
    flooding = [await connect(rig, "u_0") for _ in range(FLOODERS)]
    others = [await connect(rig, f"u_{number}") for number in range(1, 5)]
    answers: Counter[str] = Counter()
    until_s = asyncio.get_running_loop().time() + FLOOD_S
    floods = [asyncio.ensure_future(flood(client, until_s, answers)) for client in flooding]
    sent = 0
    while asyncio.get_running_loop().time() < until_s:
        for other in others:
            request_id = uuid.uuid4().hex
            while (answer := await other.gift(ROOM, id=request_id))["type"] != "gift_ack":
                # A busy machine may be late; the pace of somebody else must not be what refuses it.
                assert answer["code"] == "unavailable", answer
            sent += 1
        await asyncio.sleep(1.0)
    await asyncio.gather(*floods)
    print(f"flood: {dict(answers)}; others: {sent} gifts, all accepted")
    assert answers["rate_limited"] > 0
    lasted_s = FLOOD_S + 10
    assert answers["gift_ack"] <= rig.settings.gifts_burst + rig.settings.gifts_per_second * lasted_s
