"""Combos on screen: many gifts become few entries of a delta, and none is left uncounted."""

from collections.abc import Iterable
from dataclasses import dataclass

from server.domain.gift import GiftRecord
from server.domain.ids import GiftId

ENTRIES_MAX = 50
"""Most entries that a delta lists, from the public interface; the rest is counted in `more`."""


@dataclass(slots=True)
class DeltaEntry:
    """Gifts of one combo inside one delta: `count` and `coins` are added here, `combo` runs on."""

    gift_id: GiftId
    combo_id: GiftId
    viewer: str
    viewer_name: str
    gift: str
    count: int
    coins: int
    combo: int
    at_us: int

    def public(self) -> dict[str, object]:
        """As a delta shows it."""
        return {
            "gift_id": str(self.gift_id),
            "from": {"id": self.viewer, "name": self.viewer_name},
            "gift": self.gift,
            "count": self.count,
            "coins": self.coins,
            "combo": self.combo,
            "combo_id": str(self.combo_id),
            "at": self.at_us,
        }


def merge(gifts: Iterable[tuple[int, int, GiftRecord]]) -> list[DeltaEntry]:
    """One entry for each combo, in order of first appearance.

    gifts: (shard, epoch, record), in log order within a shard.
    """
    entries: dict[tuple[int, int, int], DeltaEntry] = {}
    for shard, epoch, gift in gifts:
        key = shard, epoch, gift.combo_first
        entry = entries.get(key)
        if entry is None:
            entries[key] = DeltaEntry(
                gift_id=GiftId(shard, epoch, gift.number),
                combo_id=GiftId(*key),
                viewer=gift.viewer,
                viewer_name=gift.viewer_name,
                gift=gift.gift,
                count=gift.count,
                coins=gift.coins,
                combo=gift.combo,
                at_us=gift.at_us,
            )
        else:
            entry.gift_id = GiftId(shard, epoch, gift.number)
            entry.count += gift.count
            entry.coins += gift.coins
            entry.combo = gift.combo
            entry.at_us = gift.at_us
    return list(entries.values())


def most_valuable_first(entries: list[DeltaEntry]) -> list[DeltaEntry]:
    """The entries in the order in which a delta lists them; among equals the earlier one."""
    return sorted(entries, key=lambda entry: -entry.coins)


def more(rest: list[DeltaEntry]) -> dict[str, int]:
    """What `more` says of the entries that a delta does not list."""
    return {
        "gifts": len(rest),
        "count": sum(entry.count for entry in rest),
        "coins": sum(entry.coins for entry in rest),
    }
