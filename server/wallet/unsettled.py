"""A viewer's gifts that are acknowledged and not yet settled, found in the log of its shard."""

from dataclasses import dataclass

from redis.asyncio import Redis

from server.domain.gift import decode_entry
from server.domain.ids import GiftId, shard_of
from server.stores import keys

ENTRIES_PER_READ = 256
"""Entries fetched at a time; the log as a whole is bounded by `log_backlog_max`."""


@dataclass(frozen=True, slots=True)
class UnsettledGift:
    """A gift as the log holds it. coins: of the whole gift; at_us: microseconds, UTC."""

    gift_id: GiftId
    room: str
    creator: str
    gift: str
    count: int
    coins: int
    at_us: int
    request_id: str

    @property
    def epoch(self) -> int:
        return self.gift_id.epoch

    @property
    def number(self) -> int:
        return self.gift_id.number


async def unsettled_gifts(redis: Redis, viewer: str, shards: int) -> list[UnsettledGift]:
    """What the log holds of a viewer, newest first; some of it may be settled already and not yet trimmed.

    Entries that do not name the viewer are passed over without being decoded. Raises RedisError.
    """
    shard = shard_of(viewer, shards)
    name = f'"{viewer}"'.encode()
    found: list[UnsettledGift] = []
    after = "-"
    while True:
        entries: list[tuple[bytes, dict[bytes, bytes]]] = await redis.xrange(  # type: ignore[assignment]
            keys.shard_log(shard), after, "+", count=ENTRIES_PER_READ
        )
        for entry_id, fields in entries:
            if name in fields[b"g"]:
                epoch = int(entry_id.partition(b"-")[0])
                found += [
                    UnsettledGift(
                        GiftId(shard, epoch, row.number),
                        row.room,
                        row.creator,
                        row.gift,
                        row.count,
                        row.coins,
                        row.at_us,
                        row.request_id,
                    )
                    for row in decode_entry(fields[b"g"])
                    if row.viewer == viewer
                ]
        if len(entries) < ENTRIES_PER_READ:
            return found[::-1]
        after = "(" + entries[-1][0].decode()
