"""What is asked at once is asked together, and each gets its own answer or the failure of its batch."""

from __future__ import annotations

import asyncio

import pytest

from server.stores.gathering import Gathering


class Asked:
    """Answers the square; keeps the batches. held: until it is set, no batch is answered."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.held = asyncio.Event()

    async def __call__(self, numbers: list[int]) -> dict[int, int]:
        self.batches.append(numbers)
        await self.held.wait()
        if 13 in numbers:
            raise ConnectionError("thirteen")
        return {number: number * number for number in numbers}


async def test_the_first_goes_at_once_and_what_is_asked_meanwhile_goes_together():
    asked = Asked()
    gathering = Gathering(asked, batch_max=4)
    first = asyncio.ensure_future(gathering.get(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    others = [asyncio.ensure_future(gathering.get(number)) for number in (2, 3, 2, 4, 5, 6)]
    await asyncio.sleep(0)
    asked.held.set()
    assert await asyncio.gather(first, *others) == [1, 4, 9, 4, 16, 25, 36]
    assert asked.batches == [[1], [2, 3, 4, 5], [6]]


async def test_a_question_asked_again_while_it_is_under_way_is_asked_anew():
    """The answer that is on its way may be older than the question."""
    asked = Asked()
    gathering = Gathering(asked, batch_max=4)
    questions = []
    for _ in range(2):
        questions.append(asyncio.ensure_future(gathering.get(7)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    asked.held.set()
    assert await asyncio.gather(*questions) == [49, 49]
    assert asked.batches == [[7], [7]]


async def test_a_batch_that_fails_is_raised_to_its_own_and_to_nobody_else():
    asked = Asked()
    gathering = Gathering(asked, batch_max=2)
    first = asyncio.ensure_future(gathering.get(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    others = [asyncio.ensure_future(gathering.get(number)) for number in (2, 13, 3)]
    await asyncio.sleep(0)
    others[0].cancel()
    asked.held.set()
    assert await first == 1
    with pytest.raises(ConnectionError):
        await others[1]
    assert await others[2] == 9
