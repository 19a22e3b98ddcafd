"""The clients' own record: what was asked, and every answer that came. It knows nothing of the server's stores."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.chaos.findings import Findings

FINAL = frozenset({"insufficient_coins", "self_gift", "unknown_gift", "bad_count", "limit_exceeded", "room_ended"})
"""Refusals that asking again cannot change."""

FOR_NOW = frozenset({"busy", "unavailable", "rate_limited", "not_joined"})
"""Refusals after which a client asks again, with the same id."""


@dataclass(frozen=True, slots=True)
class Ack:
    """A `gift_ack`, as it stands in the protocol. at_us: microseconds since the epoch, UTC."""

    gift_id: str
    coins: int
    combo: int
    at_us: int


@dataclass(slots=True)
class Request:
    """One gift that a viewer asked for, under its id. coins: what the catalogue says that it costs."""

    id: str
    viewer: str
    room: str
    gift: str
    count: int
    coins: int
    sends: int = 0
    acks: list[Ack] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    refusals_for_now: int = 0
    given_up: bool = False

    @property
    def answered(self) -> bool:
        """Whether the client knows what became of it."""
        return bool(self.acks or self.refusals)


class Book:
    """All requests of a round. forgetful: Redis lost what it remembered, so that an id may be answered anew."""

    def __init__(self, findings: Findings) -> None:
        self.requests: dict[str, Request] = {}
        self.forgetful = False
        self._findings = findings

    def open(self, request: Request) -> Request:
        """Enter a new request."""
        assert request.id not in self.requests
        self.requests[request.id] = request
        return request

    def acked(self, request: Request, ack: Ack) -> None:
        """Enter an acknowledgement. The same id has to get the same answer, whenever and wherever it asks."""
        if ack in request.acks:
            return
        if request.answered and not self.forgetful:
            self._findings.add(f"{request.id} was answered {request.acks or request.refusals} and then {ack}")
        request.acks.append(ack)

    def refused(self, request: Request, code: str) -> None:
        """Enter a refusal. A final one has to stay."""
        if code in FOR_NOW:
            request.refusals_for_now += 1
            # Once answered, a request may be "not now", but never another answer.
            return
        if code not in FINAL:
            self._findings.add(f"{request.id} was refused with {code}, which nothing here should cause")
        if code in request.refusals:
            return
        if request.answered and not self.forgetful:
            self._findings.add(f"{request.id} was answered {request.acks or request.refusals} and then {code}")
        request.refusals.append(code)

    def counts(self) -> dict[str, int]:
        """Gifts sent, acknowledged, retried, refused for good, refused for now, given up unanswered."""
        every = self.requests.values()
        return {
            "sent": len(self.requests),
            "acked": sum(bool(request.acks) for request in every),
            "retried": sum(request.sends > 1 for request in every),
            "refused": sum(bool(request.refusals) for request in every),
            "refused_for_now": sum(request.refusals_for_now for request in every),
            "given_up": sum(request.given_up and not request.answered for request in every),
        }
