"""JSON objects of a creator's analytics over HTTP."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from server.web.economy.payouts_shapes import Day, Moment
from server.web.shapes import Coins, Count, Diamonds, Next, SettledAndPending, User


class Earned(Struct, frozen=True):
    """Settled amounts. gifts: in pieces."""

    diamonds: Diamonds
    coins: Coins
    gifts: Count
    gifters: Count


class EarnedOnDay(Struct, frozen=True):
    """What one day brought, UTC."""

    day: Day
    diamonds: Diamonds
    gifts: Count


class Analytics(Struct, frozen=True):
    """A creator's last days, beside as many before them.

    heat: diamonds by weekday (Monday first) and hour, UTC. diamonds: of all rooms ever, as in GET /creator/earnings.
    """

    from_day: Day
    to_day: Annotated[str, Meta(description="the last day, today")]
    total: Earned
    before: Earned
    days: list[EarnedOnDay]
    heat: Annotated[list[list[Diamonds]], Meta(min_length=7, max_length=7)]
    diamonds: SettledAndPending
    followers: Count


class EarnedByGift(Struct, frozen=True):
    """What one kind of gift brought. gifts: pieces."""

    gift: str
    name: str
    diamonds: Diamonds
    coins: Coins
    gifts: Count


class EarnedByGifts(Struct, frozen=True):
    """What each kind of gift brought, the most first."""

    gifts: list[EarnedByGift]


class EarnedByGifter(Struct, frozen=True):
    """What one viewer gave. diamonds: null for a single room, where coins alone are kept for each viewer."""

    user: User
    diamonds: Annotated[int, Meta(ge=0)] | None
    coins: Coins
    gifts: Count


class EarnedByGifters(Struct, frozen=True):
    """Who gave the most."""

    gifters: list[EarnedByGifter]


class EarnedByRoom(Struct, frozen=True):
    """What a room earned, settled, and what the ten rooms before it did on average (null for a creator's first)."""

    id: str
    title: str
    state: Literal["live", "ended"]
    started_at: Moment
    ended_at: Moment | None
    diamonds: Diamonds
    coins: Coins
    gifts: Count
    gifters: Count
    earlier_diamonds: Annotated[int, Meta(ge=0)] | None
    earlier_gifters: Annotated[int, Meta(ge=0)] | None


class EarnedByRooms(Struct, frozen=True):
    """A page of a creator's rooms, newest first."""

    rooms: list[EarnedByRoom]
    next: Next
