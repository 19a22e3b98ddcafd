"""A creator who earned, and what becomes of their cash-outs, on real stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from server.economy.payouts import destinations, requesting
from server.economy.payouts.driving import PayoutDriver
from server.economy.payouts.provider import ProviderAwayError, Transfer, TransferOrder
from server.economy.payouts.sandbox import SandboxProvider
from server.economy.payouts.terms import Terms
from server.economy.sealing import Sealer
from server.ledger.creators import payout_methods, payouts
from server.ledger.creators.payouts import Payout
from server.ledger.creators.rollup import Rollup
from server.ledger.profiles import tell_birth_date
from server.settings import Settings
from tests.ledger.stage import CREATOR, Stage, stage_on

WISHES = ("cara", "sandbox-fail", "sandbox-return", "sandbox-refuse", "sandbox-lost")
"""Destinations, and what becomes of money that is sent there."""
MOODS = ("well", "away", "lost", "dies")
IBAN = "DE89 3704 0044 0532 0130 00"
DAY_S = 0.002
"""Five business days and two weekends are over before anybody looks."""

CHANGES: dict[str, Any] = {
    "payout_provider": "sandbox",
    "payout_followers_min": 0,
    "payout_hold_days": 0,
    "payout_daily_max": 100_000_000,
    "payout_day_s": DAY_S,
    "gifts_per_second": 1_000_000,
    "gifts_burst": 1_000_000,
}


@dataclass
class Till:
    """The stage's creator, who earns and cashes out."""

    stage: Stage
    terms: Terms
    sealer: Sealer
    provider: SandboxProvider
    method: str = ""

    async def earn(self, diamonds: int, creator: str = CREATOR) -> None:
        """Lets a viewer give roses worth this much; settled and added up."""
        await self.stage.viewer("ann", diamonds)
        for count in [9_999] * (diamonds // 9_999) + [diamonds % 9_999]:
            if count:
                await self.stage.give("ann", "rose", count)
        await self.stage.settle()
        await Rollup(self.stage.pool, self.stage.settings.wallet_shards).add_up()

    async def add_method(
        self, destination: str = IBAN, kind: str = "bank", holder: str = "Cara Doe", creator: str = CREATOR
    ) -> str:
        normal = destinations.normal(kind, destination)  # type: ignore[arg-type]
        async with self.stage.pool.acquire() as conn, conn.transaction():
            made = await payout_methods.add(
                conn,
                f"pm_{creator}_{len(await payout_methods.of_creator(conn, creator))}",
                creator,
                kind,
                holder,
                self.sealer.seal(normal),
                destinations.masked(kind, normal),  # type: ignore[arg-type]
                self.sealer.fingerprints(normal)[0],
            )
        return made.id

    async def request(self, diamonds: int, method: str | None = None, creator: str = CREATOR) -> Payout:
        async with self.stage.pool.acquire() as conn, conn.transaction():
            return await requesting.request(
                conn, self.terms, creator, method or self.method, diamonds, datetime.now(UTC)
            )

    def driver(self, provider: Any = None) -> PayoutDriver:
        """Another worker's driver."""
        used = provider or self.provider
        return PayoutDriver(self.stage.pool, self.terms, self.sealer, {"sandbox": used})

    async def approve(self, payout: str, by: str = "ada") -> None:
        from server.economy.payouts import reviewing

        async with self.stage.pool.acquire() as conn, conn.transaction():
            await reviewing.approve(conn, payout, by)

    async def refuse(self, payout: str, reason: str = "Not like this.", by: str = "ada") -> None:
        from server.economy.payouts import reviewing

        async with self.stage.pool.acquire() as conn, conn.transaction():
            await reviewing.refuse(conn, payout, by, reason)

    async def driven_to(self, payout: str, state: str, driver: PayoutDriver | None = None) -> Payout:
        """Drives until a payout is there; a person approves what waits for one."""
        driver = driver or self.driver()
        for _ in range(200):
            found = await self.get(payout)
            if found.state == state:
                return found
            if found.state == "review" and found.approved_by is None:
                await self.approve(payout)
            await self.stage.pool.execute("UPDATE payouts SET ask_at = now() WHERE ask_at IS NOT NULL")
            await driver.drive()
        raise AssertionError(f"it is {found.state} and not {state}: {await self.story(payout)}")

    async def get(self, payout: str) -> Payout:
        found = await payouts.get(self.stage.pool, payout)
        assert found is not None
        return found

    async def story(self, payout: str) -> list[str]:
        return [event.state for event in await payouts.events(self.stage.pool, payout)]

    async def diamonds(self, creator: str = CREATOR) -> tuple[int, int, int]:
        """Available, held and paid."""
        kinds = ("diamonds_available", "diamonds_held", "diamonds_paid")
        return tuple([await self.stage.balance(creator, kind) for kind in kinds])  # type: ignore[return-value]

    async def transfers(self) -> int:
        counted: int = await self.stage.pool.fetchval("SELECT count(*) FROM sandbox_transfers")
        return counted


class DiedError(BaseException):
    """The worker is gone."""


class Fickle(SandboxProvider):
    """Answers, is away before or after it took an order, or takes the worker with it."""

    def __init__(self, till: Till, moods: list[str]) -> None:
        super().__init__(till.stage.pool, till.terms.day_s)
        self.moods = moods

    async def send(self, order: TransferOrder) -> Transfer:
        mood = self.moods.pop() if self.moods else "well"
        if mood == "away":
            raise ProviderAwayError("before it took it")
        transfer = await super().send(order)
        if mood != "well":
            raise ProviderAwayError("after it took it") if mood == "lost" else DiedError
        return transfer


@asynccontextmanager
async def till_on(settings: Settings, **changes: Any) -> AsyncIterator[Till]:
    """An adult creator with a bank account; nothing is earned yet."""
    settings = replace(settings, **{**CHANGES, **changes})
    async with stage_on(settings) as stage:
        await stage.room()
        terms = Terms.of(settings)
        till = Till(stage, terms, Sealer(settings, destinations.SEALED_AS), SandboxProvider(stage.pool, terms.day_s))
        async with stage.pool.acquire() as conn:
            await tell_birth_date(conn, CREATOR, date(1990, 1, 1))
        till.method = await till.add_method()
        yield till
