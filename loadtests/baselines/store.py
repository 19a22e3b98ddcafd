"""What the baseline's socket asks of its store."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Paid(NamedTuple):
    """A gift that was paid: its number, and the coins that are left."""

    number: int
    coins: int


class Store(Protocol):
    """One way to take coins and to keep the gift."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def pay(self, viewer: str, room: str, gift: str, count: int, request_id: str) -> Paid | None:
        """Take the price and keep the gift, once for each viewer and request; None when the coins do not suffice."""

    async def fund(self, viewers: list[str], coins: int) -> None: ...

    async def settled(self) -> int:
        """Gifts that are in Postgres."""
