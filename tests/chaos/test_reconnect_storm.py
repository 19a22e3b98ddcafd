"""Everybody comes back at once: all resume where they were, and no gift is refused meanwhile."""

from __future__ import annotations

import asyncio
import random
import re
import time
import uuid
from dataclasses import dataclass, field

import pytest

from tests.chaos.conftest import ROOM, Connect, StartRig, small_town
from tests.chaos.raw_socket import RawSocket
from tests.chaos.rig import Rig
from tests.chaos.size import size
from tests.web.client import Client

STORM = size(400, 5000)
CONNECTIONS_PER_USER = 5
USERS = STORM // CONNECTIONS_PER_USER
GATEWAYS = 2
ARRIVALS_AT_ONCE = 50
"""How many enter together before the storm: those are not under test."""

JITTER_S = 2.0
"""Within which a client comes back whose connection broke, or who is told to come later."""

GIVERS = 4
GIFT_PAUSE_S = 0.5
GIVES_AT_ONCE_EVERY = 10
"""Of those who come back, every tenth sends a gift as soon as it is in."""

DEADLINE_S = float(size(120, 400))

_WELCOME = re.compile(rb'"type":"welcome"')
_JOINED = re.compile(rb'"type":"joined".*?"recovered":(true|false)|"code":"unavailable"')
_ANSWER = re.compile(rb'"type":"gift_(ack|nack)"[^}]*')


@dataclass(slots=True)
class Storm:
    """What came of it. refused: answers other than an acknowledgement. slowest_s: of all gifts."""

    accepted: int = 0
    slowest_s: float = 0.0
    refused: list[object] = field(default_factory=list)
    not_recovered: int = 0
    came_later: int = 0

    def answered(self, began_s: float, *, accepted: bool, answer: object) -> None:
        self.slowest_s = max(self.slowest_s, time.monotonic() - began_s)
        self.accepted += accepted
        if not accepted:
            self.refused.append(answer)


async def say_hello(rig: Rig, number: int, token: str) -> RawSocket:
    """Connect and be welcomed. Raises ConnectionError when the server closes the connection."""
    raw = RawSocket()
    try:
        await raw.open(rig.addresses[number % GATEWAYS])
        await raw.send_json(type="hello", token=token)
        await raw.receive_match(_WELCOME)
    except ConnectionError:
        raw.close()
        raise
    return raw


async def resume(raw: RawSocket, since: str) -> bool:
    """Join the room; answers whether nothing is missing since that position."""
    while True:
        await raw.send_json(type="join", room=ROOM, since=since)
        found = await raw.receive_match(_JOINED)
        if found[1] is not None:
            return found[1] == b"true"
        await asyncio.sleep(random.uniform(0, JITTER_S))


async def shown(giver: Client) -> str:
    """The position that every page shows: of the delta with a gift that was given just now."""
    await giver.gift(ROOM)
    delta = await giver.receive_where(lambda frame: "gifts" in frame and frame["type"] == "delta", "the gift's delta")
    return str(delta["position"])


async def keep_giving(giver: Client, stop: asyncio.Event, storm: Storm) -> None:
    """One gift after another, on a connection that stays."""
    while not stop.is_set():
        began_s = time.monotonic()
        answer = await giver.gift(ROOM, id=uuid.uuid4().hex)
        storm.answered(began_s, accepted=answer["type"] == "gift_ack", answer=answer)
        await asyncio.sleep(GIFT_PAUSE_S)


async def give_at_once(raw: RawSocket, storm: Storm) -> None:
    """One gift from somebody who has just come back."""
    began_s = time.monotonic()
    await raw.send_json(type="gift", id=uuid.uuid4().hex, room=ROOM, gift="rose", count=1)
    found = await raw.receive_match(_ANSWER)
    storm.answered(began_s, accepted=found[1] == b"ack", answer=found[0])


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_a_storm_of_reconnects_resumes_without_a_gap_and_no_gift_is_refused(
    start_rig: StartRig, connect: Connect
):
    rig = await start_rig(viewers=USERS + GIVERS, gateways=GATEWAYS, heartbeat_s=600)
    givers = [await connect(rig, f"u_{USERS + number}", gateway=number % GATEWAYS) for number in range(GIVERS)]
    tokens = [small_town(0).token(rig.settings, f"u_{number}") for number in range(USERS)]
    storm = Storm()
    gate = asyncio.Semaphore(ARRIVALS_AT_ONCE)

    async def arrive(number: int) -> RawSocket:
        async with gate:
            return await say_hello(rig, number, tokens[number % USERS])

    async def come_back(number: int, since: str) -> RawSocket:
        while True:
            await asyncio.sleep(random.uniform(0, JITTER_S))
            try:
                raw = await say_hello(rig, number, tokens[number % USERS])
                storm.not_recovered += not await resume(raw, since)
                break
            except ConnectionError:
                storm.came_later += 1
        if number % GIVES_AT_ONCE_EVERY == 0:
            await give_at_once(raw, storm)
        return raw

    async with asyncio.timeout(DEADLINE_S):
        arrived = await asyncio.gather(*(arrive(number) for number in range(STORM)))
    since = await shown(givers[0])
    stop = asyncio.Event()
    giving = [asyncio.ensure_future(keep_giving(giver, stop, storm)) for giver in givers]
    began_s = time.monotonic()
    for raw in arrived:
        raw.close()
    async with asyncio.timeout(DEADLINE_S):
        back = await asyncio.gather(*(come_back(number, since) for number in range(STORM)))
    took_s = time.monotonic() - began_s
    stop.set()
    await asyncio.gather(*giving)
    for raw in back:
        raw.close()
    print(
        f"{STORM} came back in {took_s:.1f} s, {storm.came_later} times told to come later;"
        f" {storm.accepted} gifts accepted meanwhile, the slowest answered after {storm.slowest_s:.2f} s,"
        f" {len(storm.refused)} refused"
    )
    assert not storm.refused
    assert storm.not_recovered == 0
    assert storm.accepted >= STORM // GIVES_AT_ONCE_EVERY
