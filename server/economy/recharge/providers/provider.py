"""What a payment provider has to be able to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from server.economy.recharge.payment import PaymentEvent
from server.ledger.recharge.purchases import Purchase


class BadNotificationError(Exception):
    """A notification whose signature is wrong, or that cannot be read; it may be anybody's."""


class ProviderAwayError(Exception):
    """A provider did not answer, or not as agreed; asked again later it may."""


@dataclass(frozen=True, slots=True)
class Method:
    """A way to pay that buyers choose from."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Site:
    """Where this server is. public: as buyers see it; own: as the process itself is reached, without a proxy."""

    public: str
    own: str


@dataclass(frozen=True, slots=True)
class Checkout:
    """Where a buyer pays. id: the provider's."""

    id: str
    url: str


class Provider(Protocol):
    """A provider that tells what becomes of payments, and can be asked."""

    @property
    def name(self) -> str: ...

    async def read(self, headers: Mapping[str, str], body: bytes) -> list[PaymentEvent]:
        """What a notification says. Raises BadNotificationError, ProviderAwayError."""
        ...

    async def ask(self, purchase: Purchase) -> list[PaymentEvent]:
        """What the provider knows of a purchase by now; nothing as long as it is open. Raises ProviderAwayError."""
        ...

    async def finish(self, purchase: Purchase) -> None:
        """Tells that the coins were delivered, as often as it is told. Raises ProviderAwayError."""
        ...

    async def close(self) -> None:
        """Lets go of connections."""
        ...


class WebProvider(Provider, Protocol):
    """A provider with a checkout of its own, for buyers in a browser."""

    @property
    def methods(self) -> tuple[Method, ...]: ...

    async def begin(self, purchase: Purchase, site: Site) -> Checkout:
        """Where the buyer pays; the same checkout for the same purchase. Raises ProviderAwayError."""
        ...


class AppStore(Provider, Protocol):
    """A provider that sells in apps: buyers hand over its receipts."""

    async def read_receipt(self, receipt: str, product: str) -> list[PaymentEvent]:
        """What a receipt says, its signature verified. Raises BadNotificationError, ProviderAwayError."""
        ...
