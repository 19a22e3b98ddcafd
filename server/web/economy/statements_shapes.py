"""JSON objects of statements over HTTP."""

from typing import Annotated

from msgspec import Meta, Struct

from server.web.shapes import Diamonds

SignedDiamonds = Annotated[int, Meta(description="whole diamonds")]


class MonthOverview(Struct, frozen=True):
    """A month in diamonds. final: it changes no more. closing: what was not paid out at its end."""

    month: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}$")]
    final: bool
    earned: Diamonds
    paid: Diamonds
    came_back: Diamonds
    given_back: Diamonds
    closing: SignedDiamonds


class Statements(Struct, frozen=True):
    """A creator's months, newest first."""

    statements: list[MonthOverview]
