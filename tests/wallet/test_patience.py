"""A process that stood still does not take that for the slowness of others."""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import replace

import pytest

from server.domain.gift import Accepted
from server.settings import Settings
from server.wallet import lane
from server.wallet.patience import LATE_S, Patience
from tests.wallet.test_shards import gateway_on

STOOD_STILL_S = 3 * LATE_S


async def test_an_answer_that_came_while_the_process_stood_still_is_read():
    there, here = socket.socketpair()
    here.setblocking(False)
    loop = asyncio.get_running_loop()

    def stand_still() -> None:
        there.send(b"answer")
        time.sleep(STOOD_STILL_S)

    loop.call_soon(stand_still)
    async with Patience(STOOD_STILL_S / 3) as patience:
        assert await loop.sock_recv(here, 10) == b"answer"
    assert patience.overtime_s > 0
    there.close()
    here.close()


async def test_an_answer_that_does_not_come_is_not_waited_for():
    with pytest.raises(TimeoutError):
        async with Patience(0.01):
            await asyncio.Event().wait()


async def test_who_only_stands_still_is_not_waited_for_without_end():
    loop = asyncio.get_running_loop()

    def stand_still() -> None:
        time.sleep(1.2 * LATE_S)
        loop.call_later(LATE_S, stand_still)

    stand_still()
    with pytest.raises(TimeoutError):
        async with Patience(0.01):
            await asyncio.Event().wait()


async def test_gifts_of_a_gateway_that_stood_still_are_all_accepted(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(lane, "ANSWER_TIMEOUT_S", STOOD_STILL_S / 3)
    # One gift in each call: most of them wait while the process stands still.
    async with gateway_on(replace(settings, batch_max=1)) as gateway:
        await gateway.fund("ann", 1000)
        assert isinstance(await gateway.send("ann", "first"), Accepted)
        answers = [gateway.send("ann", f"gift-{number}") for number in range(20)]
        await asyncio.sleep(0)
        time.sleep(STOOD_STILL_S)  # noqa: ASYNC251 - standing still is what is tested
        assert all(isinstance(answer, Accepted) for answer in await asyncio.gather(*answers))
