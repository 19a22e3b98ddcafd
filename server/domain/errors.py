"""Every way a request can be refused, defined once: code, HTTP status, sentence, and whether it is final.

`server/web/problems.py` maps these to HTTP and `server/web/frames.py` to the socket; nothing else invents codes.
A *final* refusal of a gift is remembered under its request id and given again to a retry; one that is not final
says "not now" and leaves the request id unused.
"""

from dataclasses import dataclass
from enum import StrEnum

from server.domain.controls import Restraint


class Code(StrEnum):
    """The codes of the public interface."""

    BAD_FRAME = "bad_frame"
    BAD_REQUEST = "bad_request"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    ROOM_NOT_FOUND = "room_not_found"
    ROOM_ENDED = "room_ended"
    NOT_JOINED = "not_joined"
    UNKNOWN_GIFT = "unknown_gift"
    BAD_COUNT = "bad_count"
    INSUFFICIENT_COINS = "insufficient_coins"
    SELF_GIFT = "self_gift"
    LIMIT_EXCEEDED = "limit_exceeded"
    RATE_LIMITED = "rate_limited"
    BUSY = "busy"
    IDEMPOTENCY_CONFLICT = "idempotency_conflict"
    WALLET_BLOCKED = "wallet_blocked"
    AGE_RESTRICTED = "age_restricted"
    NOT_ELIGIBLE = "not_eligible"
    STEP_UP_REQUIRED = "step_up_required"
    CONFLICT = "conflict"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a code means: its HTTP status, its sentence, and whether asking again is pointless."""

    status: int
    message: str
    final: bool


RULES: dict[Code, Rule] = {
    Code.BAD_FRAME: Rule(400, "This frame could not be read.", True),
    Code.BAD_REQUEST: Rule(400, "This request could not be read.", True),
    Code.UNAUTHORIZED: Rule(401, "A valid token is needed.", False),
    Code.FORBIDDEN: Rule(403, "This token does not allow that.", False),
    Code.NOT_FOUND: Rule(404, "There is nothing here.", False),
    Code.ROOM_NOT_FOUND: Rule(404, "There is no such room.", False),
    Code.ROOM_ENDED: Rule(409, "This room has ended.", True),
    Code.NOT_JOINED: Rule(409, "Join the room first.", False),
    Code.UNKNOWN_GIFT: Rule(404, "There is no such gift.", True),
    Code.BAD_COUNT: Rule(400, "A count is a whole number from 1 to 9,999.", True),
    Code.INSUFFICIENT_COINS: Rule(402, "There are not enough coins.", True),
    Code.SELF_GIFT: Rule(403, "Creators cannot send gifts to themselves.", True),
    Code.LIMIT_EXCEEDED: Rule(403, "This is more than one gift may cost.", True),
    Code.RATE_LIMITED: Rule(429, "That was too fast.", False),
    Code.BUSY: Rule(503, "Too much is waiting to be settled; come back shortly.", False),
    Code.IDEMPOTENCY_CONFLICT: Rule(409, "This key was used for another request.", True),
    Code.WALLET_BLOCKED: Rule(403, "This wallet is blocked.", False),
    Code.AGE_RESTRICTED: Rule(403, "This is for adults, and this account is not known to be one's.", False),
    Code.NOT_ELIGIBLE: Rule(403, "This account does not qualify for that yet.", False),
    Code.STEP_UP_REQUIRED: Rule(403, "Confirm this with a code of your authenticator app.", False),
    Code.CONFLICT: Rule(409, "This is not possible in its present state.", False),
    Code.UNAVAILABLE: Rule(503, "The stores did not answer; ask again with the same id.", False),
}


class Refusal(Exception):  # noqa: N818 - to be refused is not an error of the program
    """A request that is refused, with its code; nothing was changed by it.

    retry_ms: when to come back, for codes that are not final. restraint: of the viewer's own limits, if these refuse.
    """

    def __init__(
        self,
        code: Code,
        message: str | None = None,
        *,
        retry_ms: int | None = None,
        restraint: Restraint | None = None,
    ) -> None:
        self.code = code
        self.message = message or RULES[code].message
        self.retry_ms = retry_ms
        self.restraint = restraint
        super().__init__(f"{code}: {self.message}")
