"""What was said, done and acknowledged, and what must have come of it: sets of facts, whose order does not count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from server.economy.recharge.payment import CLAIMS, Fact

_ORDER = ("open", "stands", "returned")
_STATES = {Fact.REFUNDED: "stands", Fact.DISPUTED: "open", Fact.LOST: "stands", Fact.RETURNED: "returned"}

INVITED_COINS = INVITER_COINS = 100
GOAL_PIECES, GOAL_COINS = 900, 7
"""The challenge that runs: who gives so many pieces gets so many coins, once."""


@dataclass
class Payment:
    """What must come of a purchase, from the set of what its provider said.

    known: something was said that names the purchase; until then, what only names the payment waits.
    """

    viewer: str
    coins: int
    amount: int
    bonus: int = 0
    known: bool = False
    said: set[Fact] = field(default_factory=set)
    claims: dict[str, tuple[int, str]] = field(default_factory=dict)

    def hear(self, fact: Fact, claim: str | None, amount: int | None, *, named: bool = True) -> None:
        """Notes what was said, once or again."""
        self.known |= named
        self.said.add(fact)
        if claim is not None and amount is not None:
            first, state = self.claims.get(claim, (amount, "open"))
            self.claims[claim] = first, max(state, _STATES[fact], key=_ORDER.index)

    @property
    def paid(self) -> bool:
        return self.known and bool(self.said & {Fact.PAID, *CLAIMS})

    @property
    def granted(self) -> int:
        return self.coins + self.bonus if self.paid else 0

    @property
    def back(self) -> int:
        """Coins that are taken back: the same part of those bought and of those on top, each rounded up."""
        return self._share("open", "stands")

    @property
    def gone(self) -> int:
        """Of these, what is not disputed any more."""
        return self._share("stands")

    def _share(self, *states: str) -> int:
        taken = sum(amount for amount, state in self.claims.values() if state in states) if self.known else 0
        return sum(min(coins, -(-coins * taken // self.amount)) for coins in (self.coins, self.bonus))


@dataclass(frozen=True)
class Spent:
    """Something that was acknowledged. kind: of the item; creator: who gets the diamonds."""

    viewer: str
    kind: str
    room: str
    creator: str
    pieces: int
    coins: int
    diamonds: int


@dataclass
class Facts:
    """Everything that anybody was told, and nothing that was only tried."""

    payments: list[Payment] = field(default_factory=list)
    spent: list[Spent] = field(default_factory=list)
    invited: dict[str, str] = field(default_factory=dict)
    """Invited → inviter, of codes that were taken; that is before the first purchase."""
    corrections: list[tuple[str, int]] = field(default_factory=list)
    ended: dict[str, bool] = field(default_factory=dict)
    """Rooms that ended → whether that cancelled them."""
    payouts: dict[str, tuple[str, int, bool]] = field(default_factory=dict)
    """Payout → creator, diamonds, and whether it is paid in the end."""

    def coins(self, viewer: str) -> int:
        """What a viewer has in the end."""
        return self._granted(viewer) - self.back(viewer) - sum(one.coins for one in self._of(viewer))

    def back(self, viewer: str) -> int:
        """Coins that are taken back of a viewer's purchases."""
        return sum(payment.back for payment in self.payments if payment.viewer == viewer)

    def earned(self, creator: str) -> int:
        """What a creator ever got, less what went with returned tickets."""
        got = sum(one.diamonds for one in self.spent if one.creator == creator)
        return got - sum(one.diamonds for one in self._returned() if one.creator == creator)

    def paid(self, creator: str) -> int:
        """Diamonds that are paid out in the end."""
        return sum(diamonds for owner, diamonds, paid in self.payouts.values() if owner == creator and paid)

    def tickets_open(self, creator: str) -> int:
        """Diamonds of tickets that may still have to be taken back."""
        sold = {(one.room, one.viewer): one for one in self.spent if one.kind == "ticket" and one.creator == creator}
        return sum(one.diamonds for one in sold.values() if one.room not in self.ended)

    def _granted(self, viewer: str) -> int:
        bought = {payment.viewer for payment in self.payments if payment.paid}
        pieces = sum(one.pieces for one in self._of(viewer) if one.kind == "gift")
        return (
            sum(payment.granted for payment in self.payments if payment.viewer == viewer)
            + INVITED_COINS * (viewer in self.invited and viewer in bought)
            + INVITER_COINS * sum(by == viewer and one in bought for one, by in self.invited.items())
            + GOAL_COINS * (pieces >= GOAL_PIECES)
            + sum(coins for user, coins in self.corrections if user == viewer)
            + sum(one.coins for one in self._returned() if one.viewer == viewer)
        )

    def _of(self, viewer: str) -> Iterator[Spent]:
        return (one for one in self.spent if one.viewer == viewer)

    def _returned(self) -> Iterator[Spent]:
        """Tickets of cancelled rooms, all but one of those that a viewer bought for one room, and placements of rooms
        that ended: nobody was shown them here."""
        kept: set[tuple[str, str]] = set()
        for one in self.spent:
            if one.kind == "ticket":
                place = one.room, one.viewer
                if self.ended.get(one.room) or place in kept:
                    yield one
                kept.add(place)
            elif one.kind == "promote" and one.room in self.ended:
                yield one
