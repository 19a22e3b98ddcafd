"""Postgres is away: gifts go on until the backlog is full, then are told when to come back; then all is settled."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any

import pytest

from tests.chaos import shard_states
from tests.chaos.conftest import ROOM, Connect, StartRig
from tests.chaos.rig import Rig
from tests.chaos.size import FULL, size
from tests.chaos.verdict import read_gifts
from tests.web.client import Client

BACKLOG_MAX = size(1000, 20_000)
AT_ONCE = 100
ARRIVING_AT_ONCE = 10
ARRIVING_PAUSE_S = 0.1
"""Gifts go on arriving while the backlog is settled."""

CATCHES_UP_TIMES = 5
DEADLINE_S = 60.0


async def send(client: Client, count: int) -> list[dict[str, Any]]:
    """Send so many gifts of one rose without waiting in between, and return their answers."""
    ids = [uuid.uuid4().hex for _ in range(count)]
    for request_id in ids:
        await client.send(type="gift", id=request_id, room=ROOM, gift="rose", count=1)
    return [
        await client.receive_where(lambda frame, wanted=request_id: frame.get("id") == wanted, "the answer")
        for request_id in ids
    ]


async def catch_up(rig: Rig, client: Client) -> tuple[list[dict[str, Any]], float]:
    """Send gifts at an even pace until nothing older than the last ones waits; answers the acknowledgements, and how
    many times as fast gifts were settled as they came.
    """
    acked: list[dict[str, Any]] = []
    sent = sent_before = 0
    began_s = time.monotonic()
    async with asyncio.timeout(DEADLINE_S):
        while True:
            answers = await send(client, ARRIVING_AT_ONCE)
            acked += [answer for answer in answers if answer["type"] == "gift_ack"]
            sent += len(answers)
            state, now_s = (await shard_states.in_redis(rig.stores, 1))[0], time.monotonic()
            if state["settled"] <= 1:
                began_s, sent_before = now_s, sent
            elif state["number"] - state["settled"] <= 2 * ARRIVING_AT_ONCE:
                took_s = now_s - began_s
                print(
                    f"{(sent - sent_before) / took_s:.0f} gifts/s came, {state['settled'] / took_s:.0f}/s were settled"
                )
                return acked, state["settled"] / (sent - sent_before)
            await asyncio.sleep(ARRIVING_PAUSE_S)


@pytest.mark.slow
async def test_gifts_go_on_without_postgres_up_to_the_backlog_and_catch_up_by_themselves(
    start_rig: StartRig, connect: Connect, record_property: Any
):
    rig = await start_rig(
        viewers=1,
        wallet_shards=1,
        log_backlog_max=BACKLOG_MAX,
        gifts_per_second=100_000.0,
        gifts_burst=100_000,
        frames_per_second=100_000.0,
        frames_burst=100_000,
    )
    client = await connect(rig, "u_0")
    assert (await send(client, 1))[0]["type"] == "gift_ack"
    await shard_states.wait_drained(rig.stores, 1)
    assert rig.stores.postgres.child is not None
    await rig.stores.postgres.child.stop(5)

    answers: list[dict[str, Any]] = []
    while not any(answer["type"] == "gift_nack" for answer in answers):
        answers += await send(client, AT_ONCE)
    acked = [answer for answer in answers if answer["type"] == "gift_ack"]
    refused = [answer for answer in answers if answer["type"] == "gift_nack"]
    assert len(acked) == BACKLOG_MAX
    assert all(answer["code"] == "busy" and answer["retry_ms"] > 0 for answer in refused)

    await rig.stores.postgres.start()
    arrived, caught_up = await catch_up(rig, client)
    acked += arrived
    assert caught_up >= CATCHES_UP_TIMES or not FULL
    await shard_states.wait_drained(rig.stores, 1)
    ledger = {str(row.gift_id) for rows in (await read_gifts(rig.stores)).values() for row in rows}
    assert {answer["gift_id"] for answer in acked} <= ledger
    assert len(ledger) == len(acked) + 1
