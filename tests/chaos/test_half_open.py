"""Connections that never say what they want, or say it a byte at a time: bounded, and nobody else notices."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import pytest

from tests.chaos.conftest import ROOM, Connect, StartRig, small_town
from tests.chaos.raw_socket import RawSocket
from tests.chaos.rig import rss_bytes
from tests.chaos.size import size
from tests.web.client import Client

SILENT = size(1000, 10_000)
AT_ONCE = 100
SILENT_BYTES_MAX = 65_536
"""What one connection that says nothing may cost the gateway."""

SOCKETS_MAX = 60
HELLO_TIMEOUT_S = 1.0
DRIBBLE_PAUSE_S = 0.2
DEADLINE_S = 60.0


async def give(client: Client) -> None:
    """Send one rose; it has to be accepted."""
    async with asyncio.timeout(DEADLINE_S):
        while (await client.gift(ROOM))["type"] != "gift_ack":
            await asyncio.sleep(0.1)


@pytest.mark.slow
async def test_connections_that_say_nothing_keep_nobody_out_cost_little_and_are_ended(
    start_rig: StartRig, connect: Connect
):
    rig = await start_rig(hello_timeout_s=float(size(5, 20)), heartbeat_s=600)
    before = await connect(rig, "u_0")
    rss = rss_bytes(rig)
    silent = [RawSocket() for _ in range(SILENT)]
    try:
        began_s = time.monotonic()
        for start in range(0, SILENT, AT_ONCE):
            await asyncio.gather(*(raw.connect(rig.addresses[0]) for raw in silent[start : start + AT_ONCE]))
        connected_s = time.monotonic() - began_s
        # Half of them begin a request and do not end it.
        await asyncio.gather(*(raw.send(b"GET /ws HTTP/1.1\r\nHost: ") for raw in silent[: SILENT // 2]))
        await give(before)
        await give(await connect(rig, "u_1"))
        each = (rss_bytes(rig) - rss) / SILENT
        async with asyncio.timeout(DEADLINE_S):
            assert set(await asyncio.gather(*(raw.read_to_end() for raw in silent))) == {None}
        await give(before)
    finally:
        for raw in silent:
            raw.close()
    print(f"{SILENT} silent connections within {connected_s:.1f} s, {each / 1024:.0f} KiB each, all ended")
    assert each < SILENT_BYTES_MAX


@pytest.mark.slow
async def test_a_hello_that_comes_byte_by_byte_is_cut_off_in_time(start_rig: StartRig, connect: Connect):
    rig = await start_rig(hello_timeout_s=HELLO_TIMEOUT_S)
    other = await connect(rig, "u_0")
    slow = RawSocket()
    await slow.open(rig.addresses[0])

    async def dribble() -> None:
        hello = RawSocket.json_frame(type="hello", token=small_town(0).token(rig.settings, "u_1"))
        with suppress(ConnectionError):
            for at in range(len(hello)):
                await slow.send(hello[at : at + 1])
                await asyncio.sleep(DRIBBLE_PAUSE_S)

    dribbling = asyncio.ensure_future(dribble())
    async with asyncio.timeout(DEADLINE_S):
        code = await slow.read_to_end()
    dribbling.cancel()
    slow.close()
    assert code == 4408
    await give(other)


@pytest.mark.slow
async def test_sockets_past_the_limit_are_turned_away_and_those_inside_go_on(start_rig: StartRig, connect: Connect):
    rig = await start_rig(connections_per_gateway_max=SOCKETS_MAX, hello_timeout_s=30.0)
    inside = await connect(rig, "u_0")
    waiting = [RawSocket() for _ in range(SOCKETS_MAX)]
    try:
        await asyncio.gather(*(raw.open(rig.addresses[0]) for raw in waiting))
        async with asyncio.timeout(DEADLINE_S):
            ends = [asyncio.ensure_future(raw.read_to_end()) for raw in waiting]
            ended, still_open = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        assert [end.result() for end in ended] == [4409]
        assert len(still_open) == SOCKETS_MAX - 1
        for end in still_open:
            end.cancel()
        await give(inside)
    finally:
        for raw in waiting:
            raw.close()
