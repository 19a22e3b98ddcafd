"""Google Play: purchase tokens that apps hand over, and real-time developer notifications, pushed by Pub/Sub.

A notification says only that something changed; what is true is looked up. The push carries an OpenID token that Google
signed. (https://developer.android.com/google/play/billing/rtdn-reference)
"""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any, Protocol

import jwt
import msgspec

from server.domain.errors import Code, Refusal
from server.economy.recharge.payment import Fact, PaymentEvent
from server.economy.recharge.providers.google_play import CANCELED, PURCHASED, PlayPurchase, PlayStore
from server.economy.recharge.providers.provider import BadNotificationError, ProviderAwayError
from server.ledger.recharge.purchases import Purchase

ISSUERS = ("https://accounts.google.com", "accounts.google.com")
LEEWAY_S = 60
ID_TOKEN_CHARS_MAX = 4096
PURCHASE_TOKEN_CHARS_MAX = 1000
ONE_TIME_PRODUCT = 2

_Token = Annotated[str, msgspec.Meta(min_length=1, max_length=PURCHASE_TOKEN_CHARS_MAX)]


class _Message(msgspec.Struct, rename="camel"):
    data: str
    message_id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class _Push(msgspec.Struct):
    message: _Message


class _OneTime(msgspec.Struct, rename="camel"):
    purchase_token: _Token
    sku: str


class _Voided(msgspec.Struct, rename="camel"):
    order_id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    product_type: int


class _Notification(msgspec.Struct, rename="camel"):
    package_name: str
    one_time_product_notification: _OneTime | None = None
    voided_purchase_notification: _Voided | None = None


class Keys(Protocol):
    """Google's public keys."""

    async def find(self, kid: object, algorithm: str) -> jwt.PyJWK:
        """The key that a token names. Raises Refusal: unauthorized, or unavailable while they cannot be read."""
        ...


class Google:
    """Google Play for one app. audience, email: what the OpenID token of a push must name.

    keys: None where no notifications are read.
    """

    name = "google"

    def __init__(self, store: PlayStore, keys: Keys | None, *, package_name: str, audience: str, email: str) -> None:
        self._store = store
        self._keys = keys
        self._package_name = package_name
        self._audience = audience
        self._email = email

    async def read(self, headers: Mapping[str, str], body: bytes) -> list[PaymentEvent]:
        """What a push says, after looking it up. Raises BadNotificationError, ProviderAwayError."""
        await self._verify(headers.get("Authorization", ""))
        try:
            message = msgspec.json.decode(body, type=_Push).message
            said = msgspec.json.decode(b64decode(message.data, validate=True), type=_Notification)
        except (msgspec.MsgspecError, binascii.Error) as error:
            raise BadNotificationError("this is no notification of Google Play's") from error
        if said.package_name != self._package_name:
            raise BadNotificationError("a notification of another app")
        if said.one_time_product_notification is not None:
            changed = said.one_time_product_notification
            return await self._look_up(changed.sku, changed.purchase_token)
        voided = said.voided_purchase_notification
        if voided is None or voided.product_type != ONE_TIME_PRODUCT:
            return []
        return [
            PaymentEvent(
                provider=self.name,
                event=f"push:{message.message_id}",
                fact=Fact.REFUNDED,
                transaction=voided.order_id,
                claim=voided.order_id,
            )
        ]

    async def read_receipt(self, receipt: str, product: str) -> list[PaymentEvent]:
        """What a purchase token stands for. Raises BadNotificationError, ProviderAwayError."""
        if not 0 < len(receipt) <= PURCHASE_TOKEN_CHARS_MAX:
            raise BadNotificationError("no purchase token")
        found = await self._look_up(product, receipt)
        if not found:
            raise BadNotificationError("Google Play knows no such purchase")
        return found

    async def ask(self, purchase: Purchase) -> list[PaymentEvent]:
        """What became of a purchase whose token is known by now. Raises ProviderAwayError."""
        if purchase.checkout is None:
            return []
        return await self._look_up(purchase.package_id, purchase.checkout)

    async def finish(self, purchase: Purchase) -> None:
        """Consumes a purchase; one that is not consumed or acknowledged in three days is given back by Google."""
        if purchase.checkout is not None:
            await self._store.consume(purchase.package_id, purchase.checkout)

    async def close(self) -> None:
        """There is nothing to let go of."""

    async def _look_up(self, product: str, token: str) -> list[PaymentEvent]:
        found = await self._store.look_up(product, token)
        return [] if found is None else [_event(found, product, token)]

    async def _verify(self, authorization: str) -> None:
        """The OpenID token of a push. Raises BadNotificationError, ProviderAwayError while Google's keys are away."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or len(token) > ID_TOKEN_CHARS_MAX or self._keys is None:
            raise BadNotificationError("no token")
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            key = await self._keys.find(kid, "RS256")
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=self._audience,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iss", "aud"]},
            )
        except Refusal as refusal:
            if refusal.code is Code.UNAVAILABLE:
                raise ProviderAwayError("Google's keys cannot be read") from refusal
            raise BadNotificationError("signed with no key of Google's") from refusal
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise BadNotificationError(f"a wrong token: {type(error).__name__}") from error
        sender = (claims["iss"] in ISSUERS, claims.get("email"), claims.get("email_verified"))
        if sender != (True, self._email, True):
            raise BadNotificationError("a token for somebody else")


def _event(found: PlayPurchase, product: str, token: str) -> PaymentEvent:
    """A purchase in a state is one event, however often it is looked up."""
    fact = {PURCHASED: Fact.PAID, CANCELED: Fact.DECLINED}.get(found.state, Fact.PENDING)
    digest = sha256(token.encode()).hexdigest()[:32]
    return PaymentEvent(
        provider=Google.name,
        event=f"{digest}:{fact}",
        fact=fact,
        transaction=found.order_id,
        checkout=token,
        account=found.account,
        product=product,
        quantity=found.quantity,
        region=found.region_code,
    )
