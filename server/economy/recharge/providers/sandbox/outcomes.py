"""What a buyer can let happen on the pretend checkout: the state a payment gets, and the webhooks that tell of it."""

from dataclasses import dataclass

from server.economy.recharge.payment import Fact

LATE_S = 15.0
PENDING_S = 20.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """before: the state that it is possible in; state: the one after it; webhooks: (delay in s, what is told)."""

    before: str
    state: str
    webhooks: tuple[tuple[float, Fact], ...]


OUTCOMES: dict[str, Outcome] = {
    "success": Outcome("open", "paid", ((0, Fact.PAID),)),
    "decline": Outcome("open", "declined", ((0, Fact.DECLINED),)),
    "pending": Outcome("open", "pending", ((0, Fact.PENDING), (PENDING_S, Fact.PAID))),
    "expired": Outcome("open", "expired", ((0, Fact.EXPIRED),)),
    "late_webhook": Outcome("open", "paid", ((LATE_S, Fact.PAID),)),
    "double_webhook": Outcome("open", "paid", ((0, Fact.PAID), (0, Fact.PAID))),
    "network_loss": Outcome("open", "paid", ()),
    "refund": Outcome("paid", "refunded", ((0, Fact.REFUNDED),)),
    "dispute": Outcome("paid", "disputed", ((0, Fact.DISPUTED),)),
    "dispute_won": Outcome("disputed", "won", ((0, Fact.RETURNED),)),
    "dispute_lost": Outcome("disputed", "lost", ((0, Fact.LOST),)),
}
