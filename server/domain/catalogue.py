"""The kinds of gift and their prices. Prices are versioned: a gift keeps the version it was paid at."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class CatalogueGift:
    """One kind of gift at one version of its price.

    coins, diamonds: per piece. streakable: repeated sends build a combo. effect: how pages draw it.
    active: can be bought; a retired kind keeps its rows and history.
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
    """The newest version of every gift, by id; in the order of price."""

    def __init__(self, gifts: Iterable[CatalogueGift]) -> None:
        self._gifts = {gift.id: gift for gift in sorted(gifts, key=lambda gift: (gift.coins, gift.id))}

    def get(self, gift_id: str) -> CatalogueGift | None:
        """The gift, also a retired one; None if there never was one of that id."""
        return self._gifts.get(gift_id)

    def public(self) -> list[dict[str, Any]]:
        """What can be bought, cheapest first."""
        return [gift.public() for gift in self._gifts.values() if gift.active]


def seed() -> list[CatalogueGift]:
    """The gifts that a new installation starts with (`catalogue.json`), all at version 1."""
    rows = orjson.loads(files("server.domain").joinpath("catalogue.json").read_bytes())
    return [CatalogueGift(version=1, **row) for row in rows]
