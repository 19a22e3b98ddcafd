"""The pretend provider, from both sides: what we know of it through its interface, and what happens behind it."""

import asyncio
import secrets
from collections.abc import Mapping

import msgspec

from server.domain.errors import Code, Refusal
from server.economy.recharge.payment import Fact, PaymentEvent
from server.economy.recharge.providers.provider import BadNotificationError, Checkout, Method, Site
from server.economy.recharge.providers.sandbox.outcomes import OUTCOMES, PENDING_S
from server.economy.recharge.providers.sandbox.signing import HEADER, is_signed
from server.ledger.recharge import sandbox as books
from server.ledger.recharge.purchases import Purchase
from server.ledger.recharge.sandbox import SandboxPayment
from server.stores.postgres import Pool

WEBHOOK_PATH = "/api/v1/webhooks/sandbox"

METHODS = (
    Method("card", "Card"),
    Method("paypal", "PayPal"),
    Method("apple_pay", "Apple Pay"),
    Method("google_pay", "Google Pay"),
    Method("mobile_wallet", "Mobile wallet"),
)

_KNOWN: dict[str, tuple[Fact, ...]] = {
    "pending": (Fact.PENDING,),
    "paid": (Fact.PAID,),
    "declined": (Fact.DECLINED,),
    "expired": (Fact.EXPIRED,),
    "refunded": (Fact.PAID, Fact.REFUNDED),
    "disputed": (Fact.PAID, Fact.DISPUTED),
    "won": (Fact.PAID, Fact.DISPUTED, Fact.RETURNED),
    "lost": (Fact.PAID, Fact.LOST),
}
"""What asking shows of a payment's state."""


class _Webhook(msgspec.Struct, frozen=True):
    """What a webhook of the pretend provider says."""

    id: str
    fact: Fact
    purchase: str
    transaction: str
    amount: int
    currency: str
    claim: str | None = None


class Sandbox:
    """The pretend provider of this installation."""

    name = "sandbox"
    methods = METHODS

    def __init__(self, pool: Pool, secret: bytes) -> None:
        self.pool = pool
        self.secret = secret
        self.posted = asyncio.Event()
        """Set when there is a webhook to carry."""

    async def begin(self, purchase: Purchase, site: Site) -> Checkout:
        """Where the buyer pays: a page of this server, which plays the provider's."""
        payment = SandboxPayment(
            purchase_id=purchase.id,
            transaction=f"sbx_{secrets.token_hex(8)}",
            amount=purchase.amount,
            currency=purchase.currency,
            method=purchase.method,
            state="open",
        )
        await books.open_payment(self.pool, payment, site.own + WEBHOOK_PATH)
        return Checkout(f"checkout_{purchase.id}", f"/checkout/{purchase.id}")

    async def read(self, headers: Mapping[str, str], body: bytes) -> list[PaymentEvent]:
        """What a webhook says. Raises BadNotificationError."""
        if not is_signed(self.secret, body, headers.get(HEADER, "")):
            raise BadNotificationError("the signature is wrong or old")
        try:
            said = msgspec.json.decode(body, type=_Webhook)
        except msgspec.MsgspecError as error:
            raise BadNotificationError("this is no webhook of the sandbox") from error
        return [_event(said)]

    async def ask(self, purchase: Purchase) -> list[PaymentEvent]:
        """What became of a purchase by now."""
        payment = await books.payment_of(self.pool, purchase.id)
        if payment is None:
            return []
        return [_event(_webhook(payment, fact)) for fact in _KNOWN.get(payment.state, ())]

    async def finish(self, purchase: Purchase) -> None:
        """The pretend provider does not care."""

    async def close(self) -> None:
        """There is nothing to let go of."""

    async def let_happen(self, purchase_id: str, outcome_id: str) -> SandboxPayment:
        """Plays one of OUTCOMES: the payment moves on, and its webhooks are on their way.

        Raises Refusal: not_found, bad_request for an outcome that there is not, conflict for one not possible now.
        """
        outcome = OUTCOMES.get(outcome_id)
        if outcome is None:
            raise Refusal(Code.BAD_REQUEST, f"An outcome is one of {', '.join(OUTCOMES)}.")
        async with self.pool.acquire() as conn, conn.transaction():
            payment = await books.lock_payment(conn, purchase_id)
            if payment is None:
                raise Refusal(Code.NOT_FOUND)
            if payment.state != outcome.before:
                raise Refusal(Code.CONFLICT, f"This payment is {payment.state}.")
            await books.move(conn, purchase_id, outcome.state, PENDING_S if outcome.state == "pending" else None)
            for delay_s, fact in outcome.webhooks:
                body = msgspec.json.encode(_webhook(payment, fact)).decode()
                await books.post(conn, purchase_id, body, delay_s)
            moved = await books.payment_of(conn, purchase_id)
        self.posted.set()
        assert moved is not None
        return moved

    async def payment(self, purchase_id: str) -> SandboxPayment:
        """A payment as the pretend checkout shows it. Raises Refusal (not_found)."""
        payment = await books.payment_of(self.pool, purchase_id)
        if payment is None:
            raise Refusal(Code.NOT_FOUND)
        return payment


def _webhook(payment: SandboxPayment, fact: Fact) -> _Webhook:
    """The same fact of the same payment is the same event, however often and wherever it is told."""
    claimed = fact in {Fact.REFUNDED, Fact.DISPUTED, Fact.LOST, Fact.RETURNED}
    claim = ("refund_" if fact is Fact.REFUNDED else "dispute_") + payment.transaction
    return _Webhook(
        id=f"{payment.transaction}.{fact}",
        fact=fact,
        purchase=payment.purchase_id,
        transaction=payment.transaction,
        amount=payment.amount,
        currency=payment.currency,
        claim=claim if claimed else None,
    )


def _event(said: _Webhook) -> PaymentEvent:
    return PaymentEvent(
        provider=Sandbox.name,
        event=said.id,
        fact=said.fact,
        purchase_id=said.purchase,
        transaction=said.transaction,
        amount=said.amount,
        currency=said.currency,
        claim=said.claim,
    )
