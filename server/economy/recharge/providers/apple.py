"""Apple's App Store: signed transactions that apps hand over, and Server Notifications V2 about payments and refunds.

(https://developer.apple.com/documentation/appstoreservernotifications)
"""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from server.domain.currencies import to_minor
from server.economy.recharge.payment import Fact, PaymentEvent
from server.economy.recharge.providers.apple_jws import AppleRoot
from server.economy.recharge.providers.provider import BadNotificationError
from server.ledger.recharge.purchases import Purchase

CONSUMABLE = "Consumable"

_FACTS: dict[str, Fact] = {
    "ONE_TIME_CHARGE": Fact.PAID,
    "REFUND": Fact.REFUNDED,
    "REFUND_REVERSED": Fact.RETURNED,
}
"""Notifications that move money; the others are taken note of and not acted on."""

_Quantity = Annotated[int, msgspec.Meta(ge=1, le=10)]


class _Body(msgspec.Struct, rename="camel"):
    signed_payload: str


class _Data(msgspec.Struct, rename="camel"):
    bundle_id: str
    environment: str
    signed_transaction_info: str | None = None


class _Notification(msgspec.Struct, rename="camel"):
    notification_type: str
    notification_uuid: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] = msgspec.field(
        name="notificationUUID"
    )
    data: _Data | None = None


class _Transaction(msgspec.Struct, rename="camel"):
    """price: thousandths of a unit of the currency."""

    transaction_id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    bundle_id: str
    environment: str
    product_id: str
    type: str
    app_account_token: str | None = None
    quantity: _Quantity = 1
    revocation_date: int | None = None
    price: Annotated[int, msgspec.Meta(ge=1)] | None = None
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$")] | None = None


class Apple:
    """The App Store for one app. environment: `Production` or `Sandbox`, and only what is signed for it counts."""

    name = "apple"

    def __init__(self, root: AppleRoot, bundle_id: str, environment: str) -> None:
        self._root = root
        self._bundle_id = bundle_id
        self._environment = environment

    async def read(self, headers: Mapping[str, str], body: bytes) -> list[PaymentEvent]:  # noqa: ARG002
        """What a notification says. Raises BadNotificationError."""
        try:
            signed = msgspec.json.decode(body, type=_Body).signed_payload
            said = msgspec.convert(self._root.open(signed), _Notification)
        except msgspec.MsgspecError as error:
            raise BadNotificationError("this is no notification of Apple's") from error
        if said.data is None or said.data.signed_transaction_info is None:
            return []
        self._check(said.data.bundle_id, said.data.environment)
        transaction = self._transaction(said.data.signed_transaction_info)
        fact = _FACTS.get(said.notification_type)
        if fact is None or transaction.type != CONSUMABLE:
            return []
        return [_event(said.notification_uuid, fact, transaction)]

    async def read_receipt(self, receipt: str, product: str) -> list[PaymentEvent]:  # noqa: ARG002
        """What a signed transaction says that an app hands over. Raises BadNotificationError."""
        transaction = self._transaction(receipt)
        if transaction.type != CONSUMABLE:
            raise BadNotificationError("not a purchase of coins")
        events = [_event(f"receipt:{transaction.transaction_id}", Fact.PAID, transaction)]
        if transaction.revocation_date is not None:
            events.append(_event(f"revoked:{transaction.transaction_id}", Fact.REFUNDED, transaction))
        return events

    async def ask(self, purchase: Purchase) -> list[PaymentEvent]:  # noqa: ARG002
        """Nothing: a payment that the app did not hand over is told by a notification."""
        return []

    async def finish(self, purchase: Purchase) -> None:
        """Apple does not ask for it: the app finishes the transaction."""

    async def close(self) -> None:
        """There is nothing to let go of."""

    def _transaction(self, signed: str) -> _Transaction:
        try:
            transaction = msgspec.convert(self._root.open(signed), _Transaction)
        except msgspec.MsgspecError as error:
            raise BadNotificationError("this is no transaction of Apple's") from error
        self._check(transaction.bundle_id, transaction.environment)
        return transaction

    def _check(self, bundle_id: str, environment: str) -> None:
        """What is signed for another app, or for Apple's test environment, buys nothing here."""
        if (bundle_id, environment) != (self._bundle_id, self._environment):
            raise BadNotificationError("signed for another app or environment")


def _event(event_id: str, fact: Fact, transaction: _Transaction) -> PaymentEvent:
    price, currency = transaction.price, transaction.currency
    if fact is not Fact.PAID or price is None:
        currency = None
    return PaymentEvent(
        provider=Apple.name,
        event=event_id,
        fact=fact,
        transaction=transaction.transaction_id,
        account=None if transaction.app_account_token is None else transaction.app_account_token.lower(),
        product=transaction.product_id,
        quantity=transaction.quantity,
        amount=None if price is None or currency is None else to_minor(currency, price, digits=3),
        currency=currency,
        claim=None if fact is Fact.PAID else transaction.transaction_id,
    )
