"""Reading the wallet shards' logs, in order, by room."""

import re
from collections.abc import Callable, Container, Iterable
from typing import NamedTuple

import msgspec
import orjson
from msgspec import Struct
from redis.asyncio import Redis

from server.domain.gift import GiftRecord, decode_entry
from server.domain.ids import ROOM_ID, GiftId
from server.domain.money import MONEY_MAX
from server.stores import keys

ENTRIES_PER_READ = 64
"""Entries of one shard in one answer; each holds up to `batch_max` gifts."""

_MARK = re.compile(rb"(\d{1,16})-(\d{1,16})")


class Mark(NamedTuple):
    """How far a log was read: the last gift's epoch and number."""

    epoch: int
    number: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.number}"

    @classmethod
    def parse(cls, text: bytes) -> "Mark":
        """Reads `<epoch>-<number>`. Raises ValueError for anything else."""
        match = _MARK.fullmatch(text)
        if match is None:
            raise ValueError(f"not a mark: {text[:40]!r}")
        return cls(int(match[1]), int(match[2]))


START = Mark(0, 0)
"""Before everything."""


def trimmed_past(mark: Mark, trimmed: Mark) -> bool:
    """Whether gifts after `mark` may be gone from a log that is trimmed up to `trimmed`."""
    if trimmed.epoch != mark.epoch and mark != START:
        return trimmed > mark
    return trimmed.number > 0 and trimmed > mark


async def trimmed_marks(redis: Redis, shards: Iterable[int]) -> dict[int, Mark]:
    """Up to where the log of each shard may have been trimmed: what is both settled and applied."""
    shards = list(shards)
    pipeline = redis.pipeline(transaction=False)
    for shard in shards:
        pipeline.hmget(keys.shard(shard), "epoch", "settled", "applied")
    return {
        shard: Mark(int(epoch or 0), min(int(settled or 0), int(applied or 0)))
        for shard, (epoch, settled, applied) in zip(shards, await pipeline.execute(), strict=True)
    }


class RoomGift(Struct, frozen=True, gc=False):
    """A gift with the place it stands at."""

    shard: int
    epoch: int
    record: GiftRecord

    @property
    def mark(self) -> Mark:
        return Mark(self.epoch, self.record.number)

    @property
    def gift_id(self) -> GiftId:
        return GiftId(self.shard, self.epoch, self.record.number)


OnMalformed = Callable[[int, bytes], None]
"""Told of a shard and an entry that could not be read, wholly or in part."""

Entry = tuple[bytes, dict[bytes, bytes]]
"""A log entry: its ID, and its records in the field `g`."""


def by_room(
    shard: int, entries: Iterable[Entry], gifts: dict[str, list[RoomGift]], on_malformed: OnMalformed
) -> Mark | None:
    """Adds the entries' gifts to `gifts`, by room; answers the place behind the last entry, None if there is none.

    What cannot be read is reported by shard and entry, and passed over: the ledger puts it in quarantine.
    """
    place: Mark | None = None
    for entry_id, fields in entries:
        place = Mark.parse(entry_id)
        epoch, last = place
        for record in _records(entry_id, fields, shard, on_malformed):
            if not record.room:
                continue  # an item of the platform's, of no room
            room = gifts.get(record.room)
            if not _sound(record, last) or (room is None and ROOM_ID.fullmatch(record.room) is None):
                on_malformed(shard, entry_id)
                continue
            if room is None:
                room = gifts[record.room] = []
            room.append(RoomGift(shard, epoch, record))
    return place


async def read_again(
    redis: Redis, places: dict[int, Mark], rooms: Container[str], on_malformed: OnMalformed
) -> dict[str, list[RoomGift]]:
    """What the logs hold after these places (shard → mark) for these rooms, to their ends."""
    gifts: dict[str, list[RoomGift]] = {}
    places = dict(places)
    shards = list(places)
    while shards:
        pipeline = redis.pipeline(transaction=False)
        for shard in shards:
            pipeline.xrange(keys.shard_log(shard), f"({places[shard]}", "+", count=ENTRIES_PER_READ)
        full: list[int] = []
        for shard, entries in zip(shards, await pipeline.execute(), strict=True):
            found: dict[str, list[RoomGift]] = {}
            places[shard] = by_room(shard, entries, found, on_malformed) or places[shard]
            for room, some in found.items():
                if room in rooms:
                    gifts.setdefault(room, []).extend(some)
            if len(entries) >= ENTRIES_PER_READ:
                full.append(shard)
        shards = full
    return gifts


def _records(
    entry_id: bytes, fields: dict[bytes, bytes], shard: int, on_malformed: OnMalformed
) -> Iterable[GiftRecord]:
    packed = fields.get(b"g", b"")
    try:
        return decode_entry(packed)
    except ValueError:
        on_malformed(shard, entry_id)
    # One bad record does not take its neighbours with it.
    try:
        rows = orjson.loads(packed)
    except ValueError:
        return []
    return [record for row in rows if (record := _record(row)) is not None] if isinstance(rows, list) else []


def _record(row: object) -> GiftRecord | None:
    try:
        return msgspec.convert(row, GiftRecord)
    except msgspec.ValidationError:
        return None


def _sound(gift: GiftRecord, last_number: int) -> bool:
    """Whether a record is what our own functions write; anything may stand in a log that others can reach."""
    return (
        0 < gift.number <= last_number
        and 0 < gift.count <= MONEY_MAX
        and 0 <= gift.coins <= MONEY_MAX
        and 0 <= gift.diamonds <= MONEY_MAX
        and gift.viewer != ""
    )
