"""Combos on screen: many gifts become few entries of a delta, and none is left uncounted."""

from collections.abc import Iterable

from msgspec import Struct

from server.domain.gift import GiftRecord
from server.domain.ids import shard_label

ENTRIES_MAX = 50
"""Most entries that a delta lists, from the public interface; the rest is counted in `more`."""


class DeltaEntry(Struct):
    """Gifts of one combo inside one delta: `count` and `coins` are added here, `combo` runs on.

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
    combo: int
    at_us: int

    def public(self) -> dict[str, object]:
        """As a delta shows it."""
        log = f"{shard_label(self.shard)}-{self.epoch}"
        return {
            "gift_id": f"{log}-{self.number}",
            "from": {"id": self.viewer, "name": self.viewer_name},
            "gift": self.gift,
            "count": self.count,
            "coins": self.coins,
            "combo": self.combo,
            "combo_id": f"{log}-{self.first}",
            "at": self.at_us,
        }


def merge(gifts: Iterable[tuple[int, int, GiftRecord]]) -> list[DeltaEntry]:
    """One entry for each combo, in order of first appearance.

    gifts: (shard, epoch, record), in log order within a shard.
    """
    entries: dict[tuple[int, int, int], DeltaEntry] = {}
    for shard, epoch, gift in gifts:
        number, at_us, _, combo, first, _, viewer, viewer_name, _, _, kind, _, count, coins, _, _ = gift
        entry = entries.get((shard, epoch, first))
        if entry is None:
            entries[shard, epoch, first] = DeltaEntry(
                shard, epoch, number, first, viewer, viewer_name, kind, count, coins, combo, at_us
            )
        else:
            entry.number = number
            entry.count += count
            entry.coins += coins
            entry.combo = combo
            entry.at_us = at_us
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
