"""What stands on a room's screen for a time, as its delta lists it and as the room keeps it until it is over."""

from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from server.domain.catalogue import ItemKind

LASTING_S_MAX = 7 * 24 * 3600
"""Nothing is shown longer than this in one go, however many pieces were bought."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One item that was bought. id: its gift id; person: the buyer, as JSON; coins: of all its pieces."""

    id: str
    kind: ItemKind
    item: str
    person: bytes
    text: str
    coins: int
    at_us: int
    lasting_s: int

    @property
    def goes_on(self) -> bool:
        """Whether the same item bought again only lasts longer; each comment stands by itself."""
        return self.kind is not ItemKind.HIGHLIGHT

    @property
    def key(self) -> str:
        """What tells it apart from the others of its room."""
        return self.item if self.goes_on else self.id

    @property
    def lasting_us(self) -> int:
        return min(self.lasting_s, LASTING_S_MAX) * 1_000_000

    def head(self) -> str:
        """Its JSON object without the end of it, which the room adds: `,"until":…}`."""
        fields = {"id": self.id, "kind": self.kind, "item": self.item, "from": orjson.Fragment(self.person)}
        if self.kind is ItemKind.HIGHLIGHT:
            fields["text"] = self.text
        return orjson.dumps({**fields, "coins": self.coins, "at": self.at_us}).decode()[:-1]


def kept(shown: Iterable[Shown], now_us: int) -> dict[str, str]:
    """What of this is not over, as `{r:<room>}:shown` keeps it; in the order in which it was bought."""
    until: dict[str, int] = {}
    entries: dict[str, str] = {}
    for item in shown:
        begins_us = max(item.at_us, until.get(item.key, 0)) if item.goes_on else item.at_us
        until[item.key] = begins_us + item.lasting_us
        entries[item.key] = f"{until[item.key]} {item.coins} {item.head()}"
    return {key: entry for key, entry in entries.items() if until[key] > now_us}
