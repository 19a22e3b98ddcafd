"""The states of a payout, what may follow each, and where its diamonds are meanwhile."""

from typing import Literal, cast

from server.ledger.creators.payouts import Moved

State = Literal["requested", "held", "review", "sent", "paid", "failed", "returned"]

NEXT: dict[State, frozenset[State]] = {
    "requested": frozenset({"held"}),
    "held": frozenset({"review"}),
    "review": frozenset({"sent", "failed"}),
    "sent": frozenset({"paid", "failed"}),
    "paid": frozenset({"returned"}),
    "failed": frozenset({"returned"}),
    "returned": frozenset(),
}
"""A bank can give money back days after it was paid; whatever fails gives its diamonds back."""

DIAMONDS_IN: dict[State, str] = {
    "requested": "diamonds_available",
    "held": "diamonds_held",
    "review": "diamonds_held",
    "sent": "diamonds_held",
    "paid": "diamonds_paid",
    "failed": "diamonds_held",
    "returned": "diamonds_available",
}
"""State → the creator's account that its diamonds are on; a step from one to another is one posting."""


def step(state: str, to: State) -> Moved:
    """The step from a state to one that may follow it. Raises ValueError for one that may not."""
    before = cast("State", state)
    if to not in NEXT[before]:
        raise ValueError(f"a payout does not go from {before} to {to}")
    source, target = DIAMONDS_IN[before], DIAMONDS_IN[to]
    return Moved(before, to, None if source == target else (source, target))
