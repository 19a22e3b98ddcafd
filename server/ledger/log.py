"""Reading a shard's log for settlement: what follows a number, without a gap, or not at all."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import msgspec
import orjson
from redis.asyncio import Redis

from server.domain.gift import GiftRecord
from server.domain.money import MONEY_MAX
from server.stores import keys

ENTRIES_PER_READ = 64
"""Entries asked for at a time; each holds one batch of gifts, so that an answer stays within a few MiB."""
ENTRY_GIFTS_MAX = 1_024
"""No entry holds more: a wider step in the numbers is a gap, even where an entry cannot be read."""
RECORD_CHARS_MAX = 4_000
"""How much of an unreadable record is kept."""

_decode = msgspec.json.Decoder(list[GiftRecord]).decode


class LogGapError(Exception):
    """The log does not go on with the next number: gifts were lost, and nothing may be settled past them."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A number whose record is not one. viewer, coins: where at least these could be read."""

    number: int
    record: str
    viewer: str | None = None
    coins: int = 0


@dataclass(slots=True)
class Stretch:
    """All of a shard's log from after one number to another. Together, gifts and unreadable are all its numbers."""

    shard: int
    epoch: int
    after: int
    to: int
    gifts: list[GiftRecord] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)

    @property
    def numbers(self) -> int:
        return self.to - self.after

    def taken(self, numbers_max: int) -> Iterator[tuple[int, int, dict[str, int]]]:
        """What viewers paid in it, in pieces of at most so many numbers: (after, to, coins by viewer)."""
        bounds = [*range(self.after, self.to, numbers_max), self.to]
        paid = [(gift.number, gift.viewer, gift.coins) for gift in self.gifts]
        paid += [(bad.number, bad.viewer, bad.coins) for bad in self.unreadable if bad.viewer is not None]
        paid.sort()
        place = 0
        for after, to in pairwise(bounds):
            coins_by_viewer: dict[str, int] = {}
            while place < len(paid) and paid[place][0] <= to:
                _, viewer, coins = paid[place]
                if 0 < coins <= MONEY_MAX:  # else it is in quarantine, and nobody knows what it took
                    coins_by_viewer[viewer] = coins_by_viewer.get(viewer, 0) + coins
                place += 1
            yield after, to, coins_by_viewer


class ForeignRedisError(Exception):
    """This Redis is not the one that the shard was opened on last: a failover left it behind, or its data are older."""


async def read_log(
    redis: Redis,
    shard: int,
    epoch: int,
    after: int,
    *,
    gifts_max: int,
    bytes_max: int,
    to: int | None = None,
    opening: str | None = None,
) -> Stretch:
    """The log past a number, up to `to` or its end; whole entries, until gifts_max or bytes_max is reached.

    opening: the token that the Redis must carry which is read; None reads any. Raises LogGapError when the log does not
    go on with the next number, ForeignRedisError for another token, RedisError when Redis is away.
    """
    stretch = Stretch(shard, epoch, after, after)
    end = f"{epoch}-{'18446744073709551615' if to is None else to}"
    bytes_read = 0
    while stretch.numbers < gifts_max and bytes_read < bytes_max:
        # Asked in one breath: during a failover another connection may reach another server.
        pipeline = redis.pipeline(transaction=False)
        pipeline.hget(keys.shard(shard), "opening")
        pipeline.xrange(keys.shard_log(shard), f"({epoch}-{stretch.to}", end, count=ENTRIES_PER_READ)
        carried, entries = await pipeline.execute()
        if opening is not None and (carried or b"").decode() != opening:
            raise ForeignRedisError(f"the Redis that is read is not the one that shard {shard} was opened on last")
        for entry_id, fields in entries:
            packed = fields.get(b"g", b"")
            _take(stretch, int(entry_id.partition(b"-")[2]), packed)
            bytes_read += len(packed)
            if stretch.numbers >= gifts_max or bytes_read >= bytes_max:
                break
        if len(entries) < ENTRIES_PER_READ:
            break
    return stretch


def _take(stretch: Stretch, last: int, packed: bytes) -> None:
    """Adds an entry, whose last number is its id's, to the stretch."""
    first = stretch.to + 1
    place = f"shard {stretch.shard} epoch {stretch.epoch}"
    if last - stretch.to > ENTRY_GIFTS_MAX:
        raise LogGapError(f"{place}: number {first} is missing from the log, the next entry ends at {last}")
    try:
        gifts = _decode(packed)
    except (msgspec.DecodeError, msgspec.ValidationError):
        _take_what_is_readable(stretch, last, packed)
        return
    if gifts and gifts[0].number > first:
        raise LogGapError(f"{place}: number {first} is missing from the log, it goes on at {gifts[0].number}")
    if [gift.number for gift in gifts] == list(range(first, last + 1)):
        stretch.gifts += gifts
        stretch.to = last
    else:
        _take_what_is_readable(stretch, last, packed)


def _take_what_is_readable(stretch: Stretch, last: int, packed: bytes) -> None:
    """The slow way, record by record: every number that the stretch lacks becomes a gift or unreadable."""
    try:
        rows = orjson.loads(packed)
    except ValueError:
        rows = None
    by_number: dict[int, Any] = {}
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, list) and row and type(row[0]) is int:
            by_number.setdefault(row[0], row)
    rest = packed.decode("utf-8", "backslashreplace")[:RECORD_CHARS_MAX]
    for number in range(stretch.to + 1, last + 1):
        row = by_number.get(number)
        if row is None:
            stretch.unreadable.append(Unreadable(number, rest))
            rest = ""  # kept once for the entry
            continue
        try:
            stretch.gifts.append(msgspec.convert(row, GiftRecord))
        except msgspec.ValidationError:
            stretch.unreadable.append(_unreadable(number, row))
    stretch.to = last


def _unreadable(number: int, row: list[Any]) -> Unreadable:
    text = orjson.dumps(row).decode()[:RECORD_CHARS_MAX]
    viewer_at, coins_at = GiftRecord.__struct_fields__.index("viewer"), GiftRecord.__struct_fields__.index("coins")
    viewer = row[viewer_at] if len(row) > viewer_at else None
    coins = row[coins_at] if len(row) > coins_at else None
    if isinstance(viewer, str) and type(coins) is int and 0 <= coins <= MONEY_MAX:
        return Unreadable(number, text, viewer, coins)
    return Unreadable(number, text)
