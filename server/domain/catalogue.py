"""What can be bought for coins, and its prices. Prices are versioned: a gift keeps the version it was paid at."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Any

import orjson


class ItemKind(StrEnum):
    """What an item of the catalogue is for."""

    GIFT = "gift"
    HIGHLIGHT = "highlight"  # a comment pinned over the chat
    EFFECT = "effect"  # the whole room looks different
    STICKER = "sticker"  # a picture on the stage
    TICKET = "ticket"  # lets its buyer into one exclusive room
    PROMOTE = "promote"  # a placement of a room in the list of rooms
    UPGRADE = "upgrade"  # how its buyer looks to others


SHOWN_KINDS = frozenset({ItemKind.HIGHLIGHT, ItemKind.EFFECT, ItemKind.STICKER})
"""Items that stand on a room's screen for a time."""

PLATFORM_KINDS = frozenset({ItemKind.PROMOTE, ItemKind.UPGRADE})
"""Items bought from the platform: they belong to no room, and no creator has a share in them."""


@dataclass(frozen=True, slots=True)
class CatalogueGift:
    """One kind of gift, or another item, at one version of its price.

    coins, diamonds: per piece. streakable: repeated sends build a combo. effect: how pages draw it, and for items that
    are no gifts what they do. active: can be bought; a retired kind keeps its rows and history.
    """

    id: str
    version: int
    name: str
    coins: int
    diamonds: int
    tier: str
    streakable: bool
    effect: Mapping[str, Any]
    active: bool = True
    kind: ItemKind = ItemKind.GIFT

    def public(self) -> dict[str, Any]:
        """As `GET /gifts` shows it."""
        return {
            "id": self.id,
            "name": self.name,
            "coins": self.coins,
            "diamonds": self.diamonds,
            "tier": self.tier,
            "streakable": self.streakable,
            "effect": dict(self.effect),
        }


class Catalogue:
    """The newest version of every gift and item, by id; in the order of price."""

    def __init__(self, gifts: Iterable[CatalogueGift]) -> None:
        self.take(gifts)

    def take(self, gifts: Iterable[CatalogueGift]) -> None:
        """Offers these from now on."""
        self._items = {gift.id: gift for gift in sorted(gifts, key=lambda gift: (gift.coins, gift.id))}

    def get(self, gift_id: str) -> CatalogueGift | None:
        """The gift, also a retired one; None if there never was one of that id."""
        item = self._items.get(gift_id)
        return item if item is not None and item.kind is ItemKind.GIFT else None

    def item(self, item_id: str) -> CatalogueGift | None:
        """What is no gift, also a retired one; None if there never was an item of that id."""
        item = self._items.get(item_id)
        return item if item is not None and item.kind is not ItemKind.GIFT else None

    def public(self) -> list[dict[str, Any]]:
        """The gifts that can be bought, cheapest first."""
        return [gift.public() for gift in self._items.values() if gift.active and gift.kind is ItemKind.GIFT]

    def items(self) -> list[CatalogueGift]:
        """What else can be bought, cheapest first."""
        return [item for item in self._items.values() if item.active and item.kind is not ItemKind.GIFT]


def seed() -> list[CatalogueGift]:
    """The gifts that a new installation starts with (`catalogue.json`), all at version 1."""
    return [CatalogueGift(version=1, **row) for row in _rows("catalogue.json")]


def seed_items() -> list[CatalogueGift]:
    """What else a new installation sells (`items.json`), all at version 1."""
    return [
        CatalogueGift(version=1, streakable=False, kind=ItemKind(row.pop("kind")), **row) for row in _rows("items.json")
    ]


def _rows(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = orjson.loads(files("server.domain").joinpath(name).read_bytes())
    return rows
