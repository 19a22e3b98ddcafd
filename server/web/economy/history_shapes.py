"""JSON objects of a viewer's history: movements, what was spent on whom, and where something is."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from server.web.shapes import Coins, Count, Next, TimeUs, User

MovementId = Annotated[str, Meta(description="a gift id, or `credit-<number>`")]
At = Annotated[str, Meta(description="RFC 3339")]


class MovementView(Struct, frozen=True):
    """One movement of coins. coins: below zero for what left. what: the gift's id, or what the credit was for.

    status: of a gift `accepted` (paid, not settled yet) or `settled`; of a credit `booked` (in the ledger) or `applied`
    (in the wallet). reference: the purchase, or whatever else the credit names.
    """

    id: MovementId
    kind: Literal["gift", "purchase", "promotion", "correction", "return", "refund", "forfeit"]
    coins: int
    at: TimeUs
    status: Literal["accepted", "settled", "booked", "applied"]
    what: str
    count: Annotated[int, Meta(ge=1)]
    room: str | UnsetType = UNSET
    creator: User | UnsetType = UNSET
    reference: str | UnsetType = UNSET


class Movements(Struct, frozen=True):
    """A page of movements, newest first."""

    movements: list[MovementView]
    next: Next


class SpentOn(Struct, frozen=True):
    """What was spent on one creator, for one purpose."""

    creator: User
    purpose: str
    coins: Coins
    gifts: Count


class Spending(Struct, frozen=True):
    """What settled gifts of the last `days` cost, by creator and purpose, the most first."""

    days: Annotated[int, Meta(ge=1)]
    coins: Coins
    spent: list[SpentOn]


class TraceStep(Struct, frozen=True):
    """One station on the way."""

    stage: str
    state: Literal["done", "waiting", "stopped"]
    text: str
    at: At | None


class TraceView(Struct, frozen=True):
    """Where something is: the answer in one sentence, and its stations in order."""

    about: Literal["gift", "purchase", "credit"]
    id: str
    verdict: str
    steps: list[TraceStep]
