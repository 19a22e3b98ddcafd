"""What a payment provider tells, whichever it is: one event about one payment."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Fact(StrEnum):
    """What happened to a payment."""

    PENDING = "pending"
    PAID = "paid"
    DECLINED = "declined"
    EXPIRED = "expired"
    REFUNDED = "refunded"
    """Money was given back."""
    DISPUTED = "disputed"
    """A bank took the money back, and it is being decided who gets it."""
    LOST = "lost"
    """The dispute was lost."""
    RETURNED = "returned"
    """The money of a refund or dispute came back: it was won, withdrawn, or did not go through."""


CLAIMS = frozenset({Fact.REFUNDED, Fact.DISPUTED, Fact.LOST, Fact.RETURNED})
"""Facts about a claim on a payment that was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentEvent:
    """One thing that a provider told, its signature verified.

    event: unique for the provider; the same one again changes nothing. A payment is found by purchase_id, which comes
    back from what we sent along, by its transaction or its checkout; or, bought in an app, by account and product.
    amount: minor units, of the payment or of the claim; None where it is the whole. claim: the provider's id of a
    refund or dispute. quantity: how many of the product.
    """

    provider: str
    event: str
    fact: Fact
    purchase_id: str | None = None
    transaction: str | None = None
    checkout: str | None = None
    account: str | None = None
    product: str | None = None
    quantity: int = 1
    region: str | None = None
    amount: int | None = None
    currency: str | None = None
    claim: str | None = None
    chargeback: bool = False

    def as_detail(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)

    @classmethod
    def of_detail(cls, detail: dict[str, Any]) -> "PaymentEvent":
        """Reads what `as_detail` wrote."""
        return cls(**detail | {"fact": Fact(detail["fact"])})
