"""Hundreds of sockets that stop reading: what the server keeps for each is bounded, and nobody else notices."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from tests.chaos.conftest import CREATOR, ROOM, Connect, StartRig, small_town
from tests.chaos.findings import Findings
from tests.chaos.raw_socket import RawSocket
from tests.chaos.rig import Rig, rss_bytes
from tests.chaos.room_view import FrameBook, RoomView
from tests.chaos.size import size
from tests.web.client import Client

STALLED = size(300, 1000)
CUT_OFF = 1
"""Stalled readers that ask until they are cut off; the kernel's own buffers have to be filled first."""

AT_ONCE = 50
SOFT_BYTES = 32_768
HARD_BYTES = 65_536
PING_TS = 2**62
PINGS_PER_WRITE = 200
TURNS = size(8, 20)
DEADLINE_S = 90.0


async def stall(rig: Rig, token: str) -> RawSocket:
    """Join the room, and never read again."""
    raw = RawSocket()
    await raw.open(rig.addresses[0])
    await raw.send_json(type="hello", token=token)
    await raw.receive_until(b'"welcome"')
    await raw.send_json(type="join", room=ROOM)
    await raw.receive_until(b'"joined"')
    return raw


async def check_deltas(watcher: Client, view: RoomView) -> None:
    """Take in every delta; the view compares each with the one before."""
    async for message in watcher.socket:
        if '"type":"delta"' in message.data:
            view.delta(message.json(), message.data)


async def ping_until_cut_off(raw: RawSocket) -> int | None:
    """Ask and never listen, until the server has enough; then listen to what it said at last."""
    ping = RawSocket.json_frame(type="ping", ts=PING_TS)
    try:
        async with asyncio.timeout(DEADLINE_S):
            while True:
                await raw.send(ping * PINGS_PER_WRITE)
    except (ConnectionError, TimeoutError):
        return await raw.read_to_end()


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_stalled_readers_cost_bounded_memory_and_nobody_else_notices(start_rig: StartRig, connect: Connect):
    rig = await start_rig(
        viewers=40,
        send_buffer_soft_bytes=SOFT_BYTES,
        send_buffer_hard_bytes=HARD_BYTES,
        connections_per_user_max=2 * STALLED,
        frames_per_second=1e6,
        frames_burst=10**6,
        heartbeat_s=600,
    )
    givers = [await connect(rig, f"u_{number}") for number in range(40)]
    watcher = await connect(rig, CREATOR)
    findings = Findings()
    view = RoomView("watcher", ROOM, FrameBook(findings), findings)
    view.joined({**(await watcher_joined(watcher)), "recovered": False}, None)
    watching = asyncio.ensure_future(check_deltas(watcher, view))

    before = rss_bytes(rig)
    token = small_town(0).token(rig.settings, "u_0")
    stalled: list[RawSocket] = []
    for _ in range(STALLED // AT_ONCE):
        stalled += await asyncio.gather(*(stall(rig, token) for _ in range(AT_ONCE)))
    joined = rss_bytes(rig)
    accepted = 0
    for _ in range(TURNS):
        await asyncio.gather(*(give(giver) for giver in givers))
        accepted += len(givers)
    after = rss_bytes(rig)
    print(
        f"{STALLED} sockets: {(joined - before) / STALLED / 1024:.0f} KiB each when joined,"
        f" {(after - before) / STALLED / 1024:.0f} KiB each after {accepted} gifts that they did not read"
    )
    assert after - before < STALLED * (HARD_BYTES + 65_536)

    codes = await asyncio.gather(*(ping_until_cut_off(raw) for raw in stalled[:CUT_OFF]))
    assert all(code in {4410, None} for code in codes)
    assert await closed_as_too_slow(rig) >= CUT_OFF

    async with asyncio.timeout(DEADLINE_S):
        while view.gifts < accepted:
            await asyncio.sleep(0.05)
    watching.cancel()
    assert not findings, findings.lines
    for raw in stalled:
        raw.close()


async def give(giver: Client) -> None:
    """Send one rose, and ask again with the same id until it is accepted."""
    request_id = uuid.uuid4().hex
    async with asyncio.timeout(DEADLINE_S):
        while (await giver.gift(ROOM, id=request_id))["type"] != "gift_ack":
            await asyncio.sleep(0.1)


async def watcher_joined(watcher: Client) -> dict[str, object]:
    """A fresh snapshot, to compare from."""
    return await watcher.join(ROOM)


async def closed_as_too_slow(rig: Rig) -> float:
    """How many sockets the gateway counts as closed with 4410."""
    lines = (await rig.metrics(rig.gateways[0])).splitlines()
    return sum(
        float(line.rpartition(" ")[2])
        for line in lines
        if line.startswith("giftstream_sockets_closed_total") and 'code="4410"' in line
    )
