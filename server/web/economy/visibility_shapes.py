"""JSON objects of boards, and of what somebody is as a gifter."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from server.web.shapes import Coins, Count, Diamonds, Level, Next, User

Day = Annotated[str, Meta(description="a day, UTC: 2030-01-31")]


class BoardPlace(Struct, frozen=True):
    """One place: diamonds of a creator, or coins of a gifter."""

    rank: Annotated[int, Meta(ge=1)]
    user: User
    coins: Coins | UnsetType = UNSET
    diamonds: Diamonds | UnsetType = UNSET


class OwnPlace(Struct, frozen=True):
    """Where one stands oneself; the rank is left out for nobody, and far down."""

    rank: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    coins: Coins | UnsetType = UNSET
    diamonds: Diamonds | UnsetType = UNSET


class BoardPage(Struct, frozen=True):
    """A page of a board, the highest first. starts, ends: its first day, and the first after it; own: with a token."""

    board: Literal["creators", "gifters"]
    period: Literal["day", "week", "month"]
    starts: Day
    ends: Day
    places: list[BoardPlace]
    next: Next
    own: OwnPlace | UnsetType = UNSET


class HeldUpgrade(Struct, frozen=True):
    """An upgrade that is not over."""

    item: str
    slot: Literal["frame", "badge", "entrance"]
    look: str
    until: Annotated[str, Meta(description="RFC 3339")]


class GifterLevel(Struct, frozen=True):
    """What somebody is as a gifter. coins: ever spent, but for what may be returned; next_level_at: not on the last."""

    level: Level
    coins: Coins
    level_at: Count
    upgrades: list[HeldUpgrade]
    next_level_at: Count | UnsetType = UNSET
