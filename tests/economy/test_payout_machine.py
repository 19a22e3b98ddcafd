"""Any order of requests, decisions, outages, deaths and workers at once keeps every diamond on exactly one account."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import HealthCheck
from hypothesis import settings as run_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from server.domain.errors import Refusal
from server.economy.payouts import reviewing
from server.ledger.accounts import account_ids, open_account, post
from server.ledger.auditing.payouts import check_payouts
from server.settings import Settings
from tests.economy.creators import MOODS, WISHES, DiedError, Fickle, Till, till_on

EARNED = 30_000


moods = st.lists(st.sampled_from(MOODS), max_size=3)


class PayoutMachine(RuleBasedStateMachine):
    """One creator on real stores, begun anew for each example."""

    runner: asyncio.Runner
    till: Till
    number = 0

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    @initialize()
    def start(self) -> None:
        """Another creator of the same database, with diamonds out of nowhere: what they earned is for other tests."""
        type(self).number += 1
        self.creator = f"creator{self.number}"
        self.methods = [
            self.run(self.till.add_method(f"{wish}@example.org", "paypal", creator=self.creator)) for wish in WISHES
        ]
        self.payouts: list[str] = []
        self.run(self._endow())

    async def _endow(self) -> None:
        async with self.till.stage.pool.acquire() as conn, conn.transaction():
            await conn.execute("INSERT INTO profiles (user_id, birth_date) VALUES ($1, '1990-01-01')", self.creator)
            await open_account(conn, self.creator, {"diamonds_available": "diamonds", "diamonds_held": "diamonds"})
            own = (await account_ids(conn, "diamonds_available", [self.creator]))[self.creator]
            issued = (await account_ids(conn, "diamonds_issued", ["platform/w00"]))["platform/w00"]
            await post(conn, "reversal", f"endow:{self.creator}", diamonds={own: EARNED, issued: -EARNED})

    @rule(
        amounts=st.lists(st.sampled_from([2_000, 7_001, 16_000]), min_size=1, max_size=3), to=st.sampled_from(range(5))
    )
    def request_at_once(self, amounts: list[int], to: int) -> None:
        async def ask() -> list[Any]:
            asked = [self.till.request(amount, self.methods[to], self.creator) for amount in amounts]
            return await asyncio.gather(*asked, return_exceptions=True)

        for answer in self.run(ask()):
            if isinstance(answer, BaseException):
                assert isinstance(answer, Refusal), answer
            else:
                self.payouts.append(answer.id)

    @rule(at_once=st.integers(1, 3), moods=moods)
    def drive(self, at_once: int, moods: list[str]) -> None:
        async def work() -> None:
            drivers = [self.till.driver(Fickle(self.till, moods)) for _ in range(at_once)]
            for ended in await asyncio.gather(*(self._drive(driver) for driver in drivers), return_exceptions=True):
                assert ended is None, ended

        self.run(work())

    async def _drive(self, driver: Any) -> None:
        await self.till.stage.pool.execute("UPDATE payouts SET ask_at = now() WHERE ask_at IS NOT NULL")
        try:
            await driver.drive()
        except DiedError:
            return

    @rule(which=st.integers(0, 20), approves=st.booleans())
    def decide(self, which: int, approves: bool) -> None:
        if self.payouts:
            self.run(self._decide(self.payouts[which % len(self.payouts)], approves))

    async def _decide(self, payout: str, approves: bool) -> None:
        try:
            async with self.till.stage.pool.acquire() as conn, conn.transaction():
                if approves:
                    await reviewing.approve(conn, payout, "ada")
                else:
                    await reviewing.refuse(conn, payout, "ada", "No.")
        except Refusal:
            return

    @rule(blocked=st.booleans())
    def block(self, blocked: bool) -> None:
        self.run(self.till.stage.pool.execute("UPDATE users SET blocked = $2 WHERE id = $1", self.creator, blocked))

    @invariant()
    def every_diamond_is_somewhere(self) -> None:
        if hasattr(self, "creator"):
            self.run(self._check())

    async def _check(self) -> None:
        async with self.till.stage.pool.acquire() as conn:
            rows = await conn.fetch("SELECT balance FROM accounts WHERE owner = $1", self.creator)
            balances = [row["balance"] for row in rows]
            assert sum(balances) == EARNED
            assert min(balances) >= 0
            check = await check_payouts(conn)
            assert check.ok, check.detail

    def teardown(self) -> None:
        """In the end, with everybody well and deciding, every payout comes to an end."""
        if not self.payouts:
            return
        self.block(False)
        for payout in self.payouts:
            self._decided(payout)
        self.every_diamond_is_somewhere()

    def _decided(self, payout: str) -> None:
        for _ in range(60):
            found = self.run(self.till.get(payout))
            if found.state in {"paid", "returned"}:
                return
            self.run(self._decide(payout, approves=True))
            self.run(self._drive(self.till.driver()))
        raise AssertionError(f"{payout} never ended: {self.run(self.till.story(payout))}")


def test_any_order_of_what_can_happen_keeps_every_diamond(settings: Settings) -> None:
    with asyncio.Runner() as runner:
        opened = till_on(settings)
        PayoutMachine.runner, PayoutMachine.till = runner, runner.run(opened.__aenter__())
        try:
            run_state_machine_as_test(
                PayoutMachine,
                settings=run_settings(
                    max_examples=12, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck)
                ),
            )
        finally:
            runner.run(opened.__aexit__(None, None, None))
