"""Questions that are asked together: while one batch is under way, whatever is asked meanwhile forms the next one.

So a question alone goes at once, and a thousand at once go in a few batches, without a timer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Gathering(Generic[Key, Value]):
    """ask: answers a batch of different keys, all of them; what it raises is raised to all who wait for that batch."""

    def __init__(self, ask: Callable[[list[Key]], Awaitable[Mapping[Key, Value]]], *, batch_max: int) -> None:
        self._ask = ask
        self._batch_max = batch_max
        self._waiting: dict[Key, asyncio.Future[Value]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def get(self, key: Key) -> Value:
        """The answer to a question that is asked from now on."""
        answer = self._waiting.get(key)
        if answer is None:
            answer = self._waiting[key] = asyncio.get_running_loop().create_future()
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_waiting(), name="gathering")
        # Whoever gives up leaves the question to the others.
        return await asyncio.shield(answer)

    async def _ask_waiting(self) -> None:
        while self._waiting:
            batch = {key: self._waiting.pop(key) for key in list(self._waiting)[: self._batch_max]}
            try:
                found = await self._ask(list(batch))
                for key, answer in batch.items():
                    answer.set_result(found[key])
            except Exception as error:  # noqa: BLE001 - it belongs to those who asked
                for answer in batch.values():
                    if not answer.done():
                        answer.set_exception(error)
                        answer.exception()  # whoever asked may be gone
            finally:
                for answer in batch.values():
                    answer.cancel()
