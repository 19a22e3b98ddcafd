"""JSON objects of items, tickets and what becomes of them."""

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from server.web.shapes import Coins, Count, Diamonds, GiftIdText, PieceCount, TimeUs, User


class Item(Struct, frozen=True):
    """What can be bought beside gifts; coins and diamonds are per piece. effect: what it does."""

    id: str
    kind: Literal["highlight", "effect", "sticker", "ticket", "promote", "upgrade"]
    name: str
    coins: Coins
    diamonds: Diamonds
    tier: str
    effect: dict[str, Any]


class Items(Struct, frozen=True):
    """What can be bought beside gifts, cheapest first."""

    items: list[Item]


class NewSpend(Struct, frozen=True):
    """An item to buy. note: the words of a highlighted comment."""

    item: str
    count: PieceCount = 1
    note: str = ""


class TicketHeld(Struct, frozen=True):
    """Whether one may enter an exclusive room; `item` is the ticket to buy for it, and its price."""

    room: str
    item: str
    coins: Coins
    admitted: bool


class Placement(Struct, frozen=True):
    """A placement of a room in the list of rooms. returned: coins of what was not delivered when the room ended."""

    id: GiftIdText
    coins: Coins
    impressions: Count
    delivered: Count
    returned: Coins
    state: Literal["open", "ended"]
    at: TimeUs


class Placements(Struct, frozen=True):
    """A room's placements, newest first: one's own, or all of them for the room's creator."""

    placements: list[Placement]


class TakenDown(Struct, frozen=True):
    """An item that is not to be seen any more. was_shown: whether it stood on the screen until now."""

    room: str
    id: GiftIdText
    was_shown: bool


class ShownItem(Struct, frozen=True, rename={"from_": "from"}):
    """What stands on a room's screen. id: of the gift that paid for it; text: of a highlighted comment."""

    id: str
    kind: Literal["highlight", "effect", "sticker"]
    item: str
    from_: User
    coins: Coins
    at: TimeUs
    until: TimeUs
    text: str | UnsetType = UNSET
