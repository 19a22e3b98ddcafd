"""What the tests of earning share: terms of promotions and challenges, and purchases without a provider."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from server.domain.challenge import Challenge
from server.domain.promotion import Deal, Promotion
from server.economy.earning.deals import promise
from server.economy.earning.on_purchase import on_purchase
from server.ledger.earning import challenges, promotions
from server.ledger.earning.deals import release
from server.ledger.wallets import book_credit
from server.stores.postgres import Connection, Pool

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)

BONUS = Promotion(
    id="spring",
    version=0,
    name="Spring bonus",
    kind="bonus",
    percent=50,
    coins=None,
    starts_at=NOW - HOUR,
    ends_at=NOW + HOUR,
    regions=None,
    platforms=None,
    packages=None,
    first_purchase_only=False,
    budget_coins=1_000_000,
    uses_max=1_000,
    per_user_max=1,
    active=True,
)

CHALLENGE = Challenge(
    id="roses",
    version=0,
    kind="challenge",
    title="Send ten gifts",
    metric="gifts",
    side="viewer",
    gift_ids=None,
    starts_at=NOW - HOUR,
    ends_at=NOW + HOUR,
    goal=10,
    least=1,
    reward_coins=7,
    winners_max=1_000,
    prizes=None,
    opt_in=False,
)


def bonus(**changes: Any) -> Promotion:
    return replace(BONUS, **changes)


def discount(**changes: Any) -> Promotion:
    terms = {"id": "sale", "kind": "discount", "percent": 20, "budget_coins": None, "platforms": frozenset({"web"})}
    return replace(BONUS, **(terms | changes))


def challenge(**changes: Any) -> Challenge:
    return replace(CHALLENGE, **changes)


def contest(*prizes: int, **changes: Any) -> Challenge:
    terms = {"kind": "contest", "goal": None, "reward_coins": None, "winners_max": None, "prizes": prizes}
    return replace(CHALLENGE, **(terms | changes))


async def make(pool: Pool, *terms: Promotion | Challenge) -> None:
    """Makes promotions and challenges, as an admin would."""
    async with pool.acquire() as conn, conn.transaction():
        for one in terms:
            assert not one.contradiction
            if isinstance(one, Promotion):
                await promotions.add_version(conn, one, "admin")
            else:
                await challenges.add_version(conn, one, "admin")


class Shop:
    """Sells coins, and takes every purchase for paid when it is told to."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self._numbers = itertools.count(1)

    async def order(self, user_id: str, *, coins: int = 100, amount: int = 500, **changes: Any) -> tuple[str, Deal]:
        """Makes a purchase: its id, and what it was promised."""
        purchase_id = changes.pop("purchase_id", f"pu-{next(self._numbers)}")
        bought = {"package": "web.100", "region": "PT", "platform": "web"} | changes
        async with self.pool.acquire() as conn, conn.transaction():
            deal = await promise(conn, purchase_id, user_id, coins=coins, amount=amount, **bought)
            await conn.execute(
                "INSERT INTO packages (package_id, version, platform, region, currency, coins, amount)"
                " VALUES ('web.100', 1, 'web', '*', 'USD', 100, 99) ON CONFLICT DO NOTHING"
            )
            await conn.execute(
                """
                INSERT INTO purchases (id, user_id, provider, method, platform, region, currency, amount, coins,
                                       bonus_coins, package_id, package_version, expires_at)
                VALUES ($1, $2, 'sandbox', 'card', 'web', 'PT', 'USD', $3, $4, $5, 'web.100', 1, now())
                """,
                purchase_id,
                user_id,
                amount - deal.discount,
                coins,
                deal.bonus_coins,
            )
        return purchase_id, deal

    async def credit(self, purchase_id: str) -> None:
        """Credits a purchase and does what follows; often or once, it happens once."""
        async with self.pool.acquire() as conn, conn.transaction():
            await self.credit_in(conn, purchase_id)

    async def credit_in(self, conn: Connection, purchase_id: str) -> None:
        """The same in a transaction of the caller's."""
        user_id, coins = await conn.fetchrow("SELECT user_id, coins FROM purchases WHERE id = $1", purchase_id)
        await conn.execute("SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE", user_id)
        await book_credit(conn, user_id, coins, "purchase", purchase_id, "")
        await on_purchase(conn, purchase_id, user_id)

    async def buy(self, user_id: str, **bought: Any) -> str:
        """Makes a purchase and credits it."""
        purchase_id, _ = await self.order(user_id, **bought)
        await self.credit(purchase_id)
        return purchase_id

    async def fail(self, purchase_id: str) -> None:
        """Nobody paid."""
        async with self.pool.acquire() as conn, conn.transaction():
            await conn.execute("UPDATE purchases SET status = 'expired' WHERE id = $1", purchase_id)
            await release(conn, purchase_id)

    async def coins(self, user_id: str) -> int:
        """A user's balance."""
        balance: int | None = await self.pool.fetchval(
            "SELECT balance FROM accounts WHERE owner = $1 AND kind = 'wallet'", user_id
        )
        return balance or 0

    async def given(self, source: str) -> int:
        """Rewards of one source."""
        return await self.pool.fetchval("SELECT count(*) FROM rewards WHERE source = $1", source)
