"""A cashier on a stage: purchases, what a provider says of them in any order, and gifts bought with the coins."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from server.domain.ids import UserId
from server.economy.recharge.applying import Applied
from server.economy.recharge.cashier import Cashier
from server.economy.recharge.payment import Fact, PaymentEvent
from server.economy.recharge.providers.registry import Providers, build_providers
from server.economy.recharge.sweeper import PurchaseSweeper
from server.ledger import wallets
from server.ledger.profiles import tell_birth_date
from server.ledger.recharge import packages, purchases
from server.ledger.recharge.purchases import Purchase
from server.settings import Settings
from server.stores import postgres
from tests.ledger.stage import Stage

AMOUNT = 999
COINS = 1000


async def grow_up(settings: Settings, *users: str, years: int = 30) -> None:
    """Users tell that they were born so many years ago; outside of demo mode only adults buy."""
    async with await postgres.connect(settings.database_url, size_max=1) as pool, pool.acquire() as conn:
        for user in users:
            await wallets.ensure(conn, UserId(user))
            await tell_birth_date(conn, user, datetime.now(UTC).date() - timedelta(days=years * 365 + 10))


@dataclass
class Till:
    """Everything that is said is about purchases of 1,000 coins for 9.99, unless said otherwise."""

    stage: Stage
    cashier: Cashier
    sweeper: PurchaseSweeper
    told: list[set[str]]
    _events: count[int] = field(default_factory=lambda: count(1))

    @classmethod
    def on(cls, stage: Stage, providers: Providers | None = None, *, hold_days: int = 30) -> Till:
        told: list[set[str]] = []

        async def tell(users: set[str]) -> None:
            told.append(users)

        providers = build_providers(stage.settings, stage.pool) if providers is None else providers
        cashier = Cashier(stage.pool, stage.wallets, providers, hold_days=hold_days, tell=tell)
        return cls(stage, cashier, PurchaseSweeper(stage.pool, cashier), told)

    async def begin(self, user: str = "ann", package: str = "web_1000", provider: str = "sandbox") -> Purchase:
        """A purchase whose buyer was sent to pay."""
        async with self.stage.pool.acquire() as conn, conn.transaction():
            await wallets.ensure(conn, UserId(user))
            found = await packages.newest(conn, package)
            assert found is not None
            return await purchases.add(
                conn,
                found,
                user_id=user,
                provider=provider,
                method="card",
                region="PT",
                coins=found.coins,
                amount=found.amount,
                currency=found.currency,
                expires_s=3600,
            )

    def event(self, purchase: Purchase, fact: Fact, **more: Any) -> PaymentEvent:
        """Something new that the provider says of a purchase."""
        more.setdefault("event", f"e{next(self._events)}")
        more.setdefault("transaction", f"t_{purchase.id}")
        return PaymentEvent(provider=purchase.provider, fact=fact, **{"purchase_id": purchase.id} | more)

    async def say(self, purchase: Purchase, fact: Fact, **more: Any) -> Applied:
        return await self.cashier.hear(self.event(purchase, fact, **more))

    async def bought(self, user: str = "ann", package: str = "web_1000") -> Purchase:
        """A purchase that is paid and credited."""
        purchase = await self.begin(user, package)
        applied = await self.say(purchase, Fact.PAID)
        assert applied.users == {user}
        return purchase

    async def now(self, purchase: Purchase) -> Purchase:
        found = await purchases.get(self.stage.pool, purchase.id)
        assert found is not None
        return found

    async def coins(self, user: str = "ann") -> int:
        """What Redis has."""
        return (await self.stage.wallets.balance(user)).coins

    async def diamonds(self, creator: str = "creator") -> tuple[int, int]:
        """Available and held."""
        return (
            await self.stage.balance(creator, "diamonds_available"),
            await self.stage.balance(creator, "diamonds_held"),
        )

    async def sound(self) -> None:
        """The audit holds."""
        report = await self.stage.audit()
        assert report.ok, report.render()
