"""Stripe: its hosted checkout, its signed webhooks, refunds and disputes, through the official library.

A payment's id here is that of the payment intent, which refunds and disputes name too; our purchase travels along as
the session's `client_reference_id` and in the metadata of both. (https://docs.stripe.com/payments/checkout/fulfillment)
"""

from collections.abc import Mapping
from typing import Any, cast

import stripe
from stripe.params.checkout import SessionCreateParams

from server.economy.recharge.payment import Fact, PaymentEvent
from server.economy.recharge.providers.provider import (
    BadNotificationError,
    Checkout,
    Method,
    ProviderAwayError,
    Site,
)
from server.ledger.recharge.purchases import Purchase

TIMEOUT_S = 20.0
RETRIES_MAX = 2
SIGNATURE_AGE_S = 300
CHECKOUT_AGE_MIN_S = 1800
"""The shortest time that Stripe keeps a checkout open."""

_SESSIONS: dict[str, Fact] = {
    "checkout.session.async_payment_succeeded": Fact.PAID,
    "checkout.session.async_payment_failed": Fact.DECLINED,
    "checkout.session.expired": Fact.EXPIRED,
}
_REFUND_STATES: dict[str, Fact] = {"succeeded": Fact.REFUNDED, "failed": Fact.RETURNED, "canceled": Fact.RETURNED}
_DISPUTE_STATES: dict[str, Fact] = {
    "won": Fact.RETURNED,
    "lost": Fact.LOST,
    "needs_response": Fact.DISPUTED,
    "under_review": Fact.DISPUTED,
}
"""Inquiries (`warning_…`) are not in here: they move no money."""


class Stripe:
    """Stripe as one account of it is configured. api_url: where its API is, if not at Stripe."""

    name = "stripe"
    methods = (Method("stripe", "Card and more"),)

    def __init__(self, key: str, webhook_secret: str, api_url: str = "") -> None:
        self._webhook_secret = webhook_secret
        self._http = stripe.AIOHTTPClient(timeout=TIMEOUT_S)
        self._client = stripe.StripeClient(
            key,
            http_client=self._http,
            max_network_retries=RETRIES_MAX,
            base_addresses={"api": api_url} if api_url else {},
        )

    async def begin(self, purchase: Purchase, site: Site) -> Checkout:
        """A checkout session. The purchase is the idempotency key: asked again, Stripe gives the same session."""
        back = f"{site.public}/wallet#coins/{purchase.id}"
        coins = f"{purchase.coins:,} coins"
        params: SessionCreateParams = {
            "mode": "payment",
            "client_reference_id": purchase.id,
            "metadata": {"purchase": purchase.id},
            "payment_intent_data": {"metadata": {"purchase": purchase.id}, "description": coins},
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": purchase.currency.lower(),
                        "unit_amount": purchase.amount,
                        "product_data": {"name": coins},
                    },
                }
            ],
            "success_url": back,
            "cancel_url": back,
        }
        try:
            session = await self._client.v1.checkout.sessions.create_async(params, {"idempotency_key": purchase.id})
        except stripe.StripeError as error:
            raise ProviderAwayError(f"Stripe: {type(error).__name__}") from error
        if not session.url:
            raise ProviderAwayError("Stripe made a checkout without an address")
        return Checkout(session.id, session.url)

    async def read(self, headers: Mapping[str, str], body: bytes) -> list[PaymentEvent]:
        """What a webhook says, its signature verified; nothing for events that are not about money."""
        try:
            said = self._client.construct_event(
                body, headers.get("Stripe-Signature"), self._webhook_secret, SIGNATURE_AGE_S
            )
            return _read(said.id, said.type, cast("Mapping[str, Any]", said.data.object.to_dict()))
        except (stripe.SignatureVerificationError, ValueError, LookupError, AttributeError, TypeError) as error:
            raise BadNotificationError(f"Stripe: {type(error).__name__}") from error

    async def ask(self, purchase: Purchase) -> list[PaymentEvent]:
        """What became of a checkout session by now. Raises ProviderAwayError."""
        if purchase.checkout is None:
            return []
        try:
            session = await self._client.v1.checkout.sessions.retrieve_async(purchase.checkout)
        except stripe.StripeError as error:
            raise ProviderAwayError(f"Stripe: {type(error).__name__}") from error
        fact = _session_fact(session.to_dict())
        if fact is None:
            return []
        return [_of_session(f"asked:{session.id}:{fact}", fact, session.to_dict())]

    async def finish(self, purchase: Purchase) -> None:
        """Stripe does not ask for it."""

    async def close(self) -> None:
        """Closes the connections to its API."""
        await self._http.close_async()  # type: ignore[no-untyped-call]


def _read(event_id: str, kind: str, what: Mapping[str, Any]) -> list[PaymentEvent]:
    """An event of the kinds that move money, or none."""
    if kind == "checkout.session.completed":
        return [_of_session(event_id, Fact.PAID if what["payment_status"] == "paid" else Fact.PENDING, what)]
    if kind in _SESSIONS:
        return [_of_session(event_id, _SESSIONS[kind], what)]
    if kind in {"refund.created", "refund.updated", "refund.failed"} and what["status"] in _REFUND_STATES:
        return [_of_claim(event_id, _REFUND_STATES[what["status"]], what, chargeback=False)]
    if kind.startswith("charge.dispute.") and what["status"] in _DISPUTE_STATES:
        return [_of_claim(event_id, _DISPUTE_STATES[what["status"]], what, chargeback=True)]
    return []


def _session_fact(session: Mapping[str, Any]) -> Fact | None:
    if session["payment_status"] == "paid":
        return Fact.PAID
    if session["status"] == "expired":
        return Fact.EXPIRED
    return Fact.PENDING if session["status"] == "complete" else None


def _of_session(event_id: str, fact: Fact, session: Mapping[str, Any]) -> PaymentEvent:
    return PaymentEvent(
        provider=Stripe.name,
        event=event_id,
        fact=fact,
        purchase_id=session.get("client_reference_id"),
        checkout=session["id"],
        transaction=session.get("payment_intent"),
        amount=session["amount_total"],
        currency=session["currency"].upper(),
    )


def _of_claim(event_id: str, fact: Fact, claim: Mapping[str, Any], *, chargeback: bool) -> PaymentEvent:
    return PaymentEvent(
        provider=Stripe.name,
        event=event_id,
        fact=fact,
        transaction=claim["payment_intent"],
        claim=claim["id"],
        amount=claim["amount"],
        currency=claim["currency"].upper(),
        chargeback=chargeback,
    )
