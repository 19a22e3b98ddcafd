"""Combos on screen: many gifts become few entries of a delta, and none is left uncounted."""

from collections.abc import Iterable
from operator import attrgetter
from typing import Protocol

from msgspec import Struct
from msgspec.json import Encoder

from server.domain.gift import GiftRecord
from server.domain.ids import shard_label

ENTRIES_MAX = 50
"""Most entries that a delta lists, from the public interface; the rest is counted in `more`."""


class PlacedGift(Protocol):
    """A gift, and the log that it stands in."""

    @property
    def shard(self) -> int: ...
    @property
    def epoch(self) -> int: ...
    @property
    def record(self) -> GiftRecord: ...


class DeltaEntry(Struct, gc=False):
    """Gifts of one combo inside one delta: `count`, `coins` and `diamonds` are added here, `combo` runs on.

    number: of the newest gift; first: of the combo's first; both of this shard and epoch.
    """

    shard: int
    epoch: int
    number: int
    first: int
    viewer: str
    viewer_name: str
    gift: str
    count: int
    coins: int
    diamonds: int
    combo: int
    at_us: int

    def encoded(self) -> bytes:
        """As a delta shows it."""
        log = f"{shard_label(self.shard)}-{self.epoch}"
        return _encode(
            _Shown(
                f"{log}-{self.number}",
                Person(self.viewer, self.viewer_name),
                self.gift,
                self.count,
                self.coins,
                self.combo,
                f"{log}-{self.first}",
                self.at_us,
            )
        )


class Person(Struct, gc=False):
    """A user as frames show it."""

    id: str
    name: str


class _Shown(Struct, gc=False, rename={"sender": "from"}):
    """What a delta says of an entry."""

    gift_id: str
    sender: Person
    gift: str
    count: int
    coins: int
    combo: int
    combo_id: str
    at: int


_encode = Encoder().encode


def merge(gifts: Iterable[PlacedGift]) -> list[DeltaEntry]:
    """One entry for each combo, in order of first appearance. gifts: in log order within a shard."""
    entries: dict[tuple[int, int, int], DeltaEntry] = {}
    for placed in gifts:
        gift = placed.record
        key = placed.shard, placed.epoch, gift.combo_first
        entry = entries.get(key)
        if entry is None:
            entries[key] = DeltaEntry(
                placed.shard,
                placed.epoch,
                gift.number,
                gift.combo_first,
                gift.viewer,
                gift.viewer_name,
                gift.gift,
                gift.count,
                gift.coins,
                gift.diamonds,
                gift.combo,
                gift.at_us,
            )
        else:
            entry.number = gift.number
            entry.count += gift.count
            entry.coins += gift.coins
            entry.diamonds += gift.diamonds
            entry.combo = gift.combo
            entry.at_us = gift.at_us
    return list(entries.values())


def most_valuable_first(entries: list[DeltaEntry]) -> list[DeltaEntry]:
    """The entries in the order in which a delta lists them; among equals the earlier one."""
    return sorted(entries, key=attrgetter("coins"), reverse=True)


def more(rest: list[DeltaEntry]) -> dict[str, int]:
    """What `more` says of the entries that a delta does not list."""
    return {
        "gifts": len(rest),
        "count": sum(entry.count for entry in rest),
        "coins": sum(entry.coins for entry in rest),
    }
