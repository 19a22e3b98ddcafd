"""What somebody who pays must be able to do."""

from dataclasses import dataclass
from typing import Literal, Protocol

BUSINESS_DAYS_MIN = 3
BUSINESS_DAYS_MAX = 5
"""How long a transfer takes, as creators are told."""


@dataclass(frozen=True, slots=True)
class TransferOrder:
    """Money to be sent. reference: ours, the same whenever it is the same money; amount: in minor units."""

    reference: str
    kind: Literal["bank", "paypal"]
    holder: str
    destination: str
    amount: int
    currency: str

    def __repr__(self) -> str:
        return f"TransferOrder({self.reference}, {self.amount} {self.currency})"


@dataclass(frozen=True, slots=True)
class Transfer:
    """An order as the provider sees it. transfer: its own id; reason: of a failure or return, for people."""

    transfer: str
    state: Literal["accepted", "paid", "failed", "returned"]
    reason: str | None = None


class ProviderAwayError(Exception):
    """No answer came: the order may be in, or not. It is sent again, under its reference."""


class TransferRefusedError(Exception):
    """The provider does not take this order, and never will: nothing was moved. The message is for people."""


class PayoutProvider(Protocol):
    """Somebody who pays creators out.

    Both calls raise ProviderAwayError; each is bounded by the provider's own timeout.
    """

    name: str

    async def send(self, order: TransferOrder) -> Transfer:
        """Takes an order, once for each reference: asked again, it answers the same transfer.

        Raises TransferRefusedError.
        """
        ...

    async def look_up(self, reference: str) -> Transfer | None:
        """What became of an order; None when there is none of this reference."""
        ...
