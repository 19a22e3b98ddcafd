"""JSON objects of budgets and pauses."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from server.domain.money import MONEY_MAX
from server.web.shapes import Coins

At = Annotated[str, Meta(description="RFC 3339")]


class RaiseView(Struct, frozen=True):
    """A budget that counts from a moment on; null for none."""

    coins: Coins | None
    effective_at: At


class BudgetView(Struct, frozen=True):
    """The budget of a period of the calendar (UTC). coins: null for none. spent: in the period that runs."""

    period: Literal["day", "week", "month"]
    coins: Coins | None
    spent: Coins
    ends_at: At | None
    raised: RaiseView | None


class LimitsView(Struct, frozen=True):
    """All budgets, and until when spending is paused."""

    budgets: list[BudgetView]
    paused_until: At | None


class NewBudget(Struct, frozen=True):
    """Coins that may be spent in the period; null for as many as there are."""

    coins: Annotated[int, Meta(ge=0, le=MONEY_MAX)] | None


class NewPause(Struct, frozen=True):
    """For how many days nothing is spent."""

    days: Annotated[int, Meta(ge=1, le=1_830)]
