"""Who comes in waits for a turn; who is inside does not notice."""

from __future__ import annotations

import asyncio

import pytest

from server.domain.errors import Code, Refusal
from server.web import entrance
from server.web.entrance import ENTERING_MAX, Entrance


async def test_no_more_than_so_many_are_under_way_at_once_and_all_come_in():
    door, inside, most = Entrance(), 0, 0

    async def come_in() -> None:
        nonlocal inside, most
        async with door.turn():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(come_in() for _ in range(10 * ENTERING_MAX)))
    assert most == ENTERING_MAX


async def test_whoever_gets_no_turn_in_time_is_refused_for_now_and_takes_no_turn(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(entrance, "TURN_TIMEOUT_S", 0.02)
    door, leave = Entrance(), asyncio.Event()

    async def stay() -> None:
        async with door.turn():
            await leave.wait()

    staying = [asyncio.create_task(stay()) for _ in range(ENTERING_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(Refusal) as refused:
        async with door.turn():
            pytest.fail("there was no turn left")
    assert refused.value.code is Code.UNAVAILABLE
    leave.set()
    await asyncio.gather(*staying)
    async with door.turn():
        pass
