"""The part of a shard's log that the two stores do not agree about yet, in memory."""

from collections.abc import Iterator
from sys import intern
from typing import NamedTuple

from redis.asyncio import Redis

from server.ledger.log import read_log

GIFTS_PER_READ = 20_000
BYTES_PER_READ = 16 * 1024 * 1024


class WindowGift(NamedTuple):
    """What counts of a gift. room is empty and at_us 0 where the record cannot be read, viewer too if not even that.

    An item of the platform's has no room either.
    """

    number: int
    viewer: str
    room: str
    pieces: int
    coins: int
    diamonds: int
    at_us: int


class Window:
    """A shard's log from after one number to another, as far as it was read."""

    def __init__(self, shard: int, epoch: int, after: int) -> None:
        self.shard = shard
        self.epoch = epoch
        self.after = after
        self.to = after
        self.by_viewer: dict[str, list[WindowGift]] = {}
        self.by_room: dict[str, list[WindowGift]] = {}

    async def extend(self, redis: Redis) -> None:
        """Reads on to the end of the log. Raises LogGapError when a number is missing."""
        while True:
            stretch = await read_log(
                redis, self.shard, self.epoch, self.to, gifts_max=GIFTS_PER_READ, bytes_max=BYTES_PER_READ
            )
            if stretch.numbers == 0:
                return
            for gift in stretch.gifts:
                room = intern(gift.room)
                self._add(WindowGift(gift.number, gift.viewer, room, gift.count, gift.coins, gift.diamonds, gift.at_us))
            for bad in stretch.unreadable:
                self._add(WindowGift(bad.number, bad.viewer or "", "", 0, bad.coins, 0, 0))
            self.to = stretch.to

    def _add(self, gift: WindowGift) -> None:
        self.by_viewer.setdefault(gift.viewer, []).append(gift)
        if gift.room:
            self.by_room.setdefault(gift.room, []).append(gift)

    def gifts_of(self, viewer: str, after: int, to: int) -> Iterator[WindowGift]:
        """A viewer's gifts in the numbers after+1 … to."""
        return (gift for gift in self.by_viewer.get(viewer, ()) if after < gift.number <= to)

    def coins_of(self, viewer: str, after: int, to: int) -> int:
        """What a viewer paid in the numbers after+1 … to."""
        return sum(gift.coins for gift in self.gifts_of(viewer, after, to))

    def viewers_after(self, number: int) -> Iterator[str]:
        """Viewers with a gift past a number."""
        return (viewer for viewer, gifts in self.by_viewer.items() if viewer and gifts[-1].number > number)
