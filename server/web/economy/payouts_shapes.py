"""JSON objects of cash-out over HTTP."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from server.domain.money import MONEY_MAX
from server.web.economy.purchase_shapes import Money
from server.web.shapes import Count, Diamonds, Next, User

Day = Annotated[str, Meta(description="a day, UTC, such as 2026-05-31")]
Moment = Annotated[str, Meta(description="RFC 3339")]
PayoutState = Literal["requested", "held", "review", "sent", "paid", "failed", "returned"]
MethodKind = Literal["bank", "paypal"]


class CreatorDiamonds(Struct, frozen=True):
    """A creator's settled diamonds: available + held + paid is all that was earned and not taken back.

    maturing: how many of the available ones are too young to be paid out. payable: the others.
    """

    available: Diamonds
    held: Diamonds
    paid: Diamonds
    maturing: Diamonds
    payable: Diamonds


class EligibilityState(Struct, frozen=True):
    """Whether cash-outs are open to a creator, and what they ask for."""

    eligible: bool
    followers: Count
    followers_min: Count
    adult: bool
    blocked: bool


class PayoutMethod(Struct, frozen=True):
    """A destination, masked."""

    id: str
    kind: MethodKind
    holder: str
    destination: str


class CashOut(Struct, frozen=True):
    """What one could cash out now, and how. open: whether this server pays out at all.

    rate: minor units for a diamond, as a fraction; amounts are rounded down. step_up: an authenticator app is set up.
    """

    open: bool
    diamonds: CreatorDiamonds
    worth: Money
    rate: Annotated[str, Meta(pattern=r"^\d+/\d+$")]
    minimum: Money
    daily_maximum: Money
    left_today: Money
    hold_days: Count
    business_days: tuple[int, int]
    eligibility: EligibilityState
    step_up: bool
    methods: list[PayoutMethod]


class NewPayoutMethod(Struct, frozen=True):
    """destination: an IBAN, a US routing number and account (`021000021-123456`), or a PayPal address."""

    kind: MethodKind
    holder: Annotated[str, Meta(min_length=1, max_length=200)]
    destination: Annotated[str, Meta(min_length=1, max_length=300)]


class NewPayout(Struct, frozen=True):
    """Diamonds to cash out. confirmation: of POST /account/step-up/confirmations."""

    method: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    diamonds: Annotated[int, Meta(ge=1, le=MONEY_MAX)]
    confirmation: Annotated[str, Meta(max_length=64)] | None = None


class PayoutEvent(Struct, frozen=True):
    """A step of a payout. detail: why, where there is a reason."""

    state: PayoutState
    at: Moment
    detail: str | None


class Payout(Struct, frozen=True):
    """A cash-out. The money arrives between expected_from and expected_to; reason: of a failure or return."""

    id: str
    state: PayoutState
    diamonds: Diamonds
    money: Money
    rate: str
    method: PayoutMethod
    requested_at: Moment
    changed_at: Moment
    expected_from: Day
    expected_to: Day
    reason: str | None


class PayoutDetails(Struct, frozen=True):
    """A cash-out with what became of it, in order."""

    payout: Payout
    events: list[PayoutEvent]


class Payouts(Struct, frozen=True):
    """A page of cash-outs, newest first."""

    payouts: list[Payout]
    next: Next


class PayoutCase(Struct, frozen=True):
    """A cash-out that waits for a person. flags: why."""

    payout: Payout
    creator: User
    flags: list[str]


class PayoutCases(Struct, frozen=True):
    """A page of cash-outs that wait for a person, longest first."""

    cases: list[PayoutCase]
    next: Next


class PayoutRefusal(Struct, frozen=True):
    """Why a cash-out is refused; its creator reads it."""

    reason: Annotated[str, Meta(min_length=1, max_length=200)]
