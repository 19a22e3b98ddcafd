"""What the clients know: what they asked for, what they were told, and the coins they were given. Nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field

from server.domain.errors import RULES, Code
from server.domain.gift import Accepted, Answer, Refused
from tests.simulation.finding import expect

BARRED = {Code.WALLET_BLOCKED, Code.LIMIT_EXCEEDED}
"""Refusals that stand until a wallet is free, or a budget raised."""
FIRST_ANSWERS_ONLY = {Code.NOT_JOINED, Code.RATE_LIMITED, *BARRED}
"""Refusals for now that a request cannot get once it has a final answer."""


@dataclass
class Ask:
    """One gift that a client asks for, under one request id, until it knows what became of it.

    told: the answer that stands. lost: acknowledgements that went with a Redis that lost something. may_live: one of
    those may be in the ledger all the same, as its settlement was under way when that happened.
    """

    id: str
    viewer: str
    room: str
    creator: str
    gift: str
    count: int
    coins: int
    diamonds: int
    sent_us: int
    told: Accepted | Refused | None = None
    lost: list[Accepted] = field(default_factory=list)
    may_live: bool = False
    sent: int = 0
    barred: bool = False
    """The last answer was one of BARRED: it need not be asked again."""

    def hear(self, answer: Answer) -> None:
        """An answer arrives; the same question never gets two different final ones."""
        self.barred = isinstance(answer, Refused) and answer.code in BARRED
        if isinstance(answer, Accepted):
            answer = Accepted(answer.gift_id, answer.coins, answer.combo, answer.combo_first, answer.at_us, "")
            expect(answer.coins >= 0, f"{self.id}: {self.viewer} was left with {answer.coins} coins")
            expect(self.told in (None, answer), f"{self.id} was told {self.told}, and then {answer}")
            self.told = answer
            if answer in self.lost:
                self.lost.remove(answer)
        elif RULES[answer.code].final and answer.restraint is None:
            answer = Refused(answer.code, answer.coins)
            expect(self.told in (None, answer), f"{self.id} was told {self.told}, and then {answer}")
            self.told = answer
        elif answer.code in FIRST_ANSWERS_ONLY:
            expect(self.told is None, f"{self.id} was told {self.told}, and then {answer}")

    def hear_from_old_primary(self, answer: Answer) -> None:
        """What a server acknowledges that was left behind in a failover is lost, unless it was settled just before."""
        if isinstance(answer, Accepted):
            ack = Accepted(answer.gift_id, answer.coins, answer.combo, answer.combo_first, answer.at_us, "")
            if ack not in (self.told, *self.lost):
                self.lost.append(ack)
                self.may_live = True

    def lose(self, *, may_live: bool) -> None:
        """Redis lost what it knew of this request; the client does not know that."""
        if isinstance(self.told, Accepted):
            self.lost.append(self.told)
        self.told = None
        self.may_live |= may_live


@dataclass
class Grant:
    """Coins that were bought for a viewer. number: the credit's, once the buyer was told."""

    viewer: str
    reference: str
    coins: int
    number: int | None = None


@dataclass
class KnownRoom:
    """A room that somebody was told is open. ended: somebody was told that it has ended; for good, then."""

    creator: str
    ended: bool = False


@dataclass
class Book:
    """All that clients ever did."""

    rooms: dict[str, KnownRoom] = field(default_factory=dict)
    blocked: dict[str, bool] = field(default_factory=dict)
    """Viewers whose wallet somebody was told is blocked, or free again."""
    perhaps_blocked: set[str] = field(default_factory=set)
    """Viewers for whom that was asked and never answered."""

    asks: dict[str, Ask] = field(default_factory=dict)
    open: list[Ask] = field(default_factory=list)
    """Asked within the time that answers are remembered: may be asked again."""
    grants: list[Grant] = field(default_factory=list)

    def add(self, ask: Ask) -> None:
        self.asks[ask.id] = ask
        self.open.append(ask)

    def live_rooms(self) -> list[str]:
        """Rooms that nobody was told have ended."""
        return [room for room, known in self.rooms.items() if not known.ended]

    def close_older(self, elapsed_us: int, dedupe_us: int) -> None:
        """A client gives up on what it asked too long ago."""
        self.open = [ask for ask in self.open if elapsed_us - ask.sent_us < dedupe_us]
