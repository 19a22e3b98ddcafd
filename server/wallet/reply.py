"""The answer to one order, on its way: cheaper than a future, as there is one for every gift."""

import asyncio
from collections.abc import Callable, Generator
from typing import Any

from server.domain.gift import Answer

Told = Callable[[Answer], None]


class Reply:
    """answer: None until it is there. Whoever waits for it awaits the reply, or is told by `then`; one of the two."""

    __slots__ = ("_told", "answer")

    def __init__(self, answer: Answer | None = None) -> None:
        self.answer = answer
        self._told: Told | None = None

    def then(self, told: Told) -> None:
        """Calls `told` with the answer, at once if it is there already. It must not wait for anything."""
        if self.answer is None:
            self._told = told
        else:
            told(self.answer)

    def give(self, answer: Answer) -> None:
        """Here it is; only the first one counts."""
        if self.answer is None:
            self.answer = answer
            if self._told is not None:
                self._told(answer)

    def __await__(self) -> Generator[Any, None, Answer]:
        if self.answer is None:
            here = asyncio.get_running_loop().create_future()
            self.then(lambda _: None if here.done() else here.set_result(None))
            yield from here
            assert self.answer is not None
        return self.answer
