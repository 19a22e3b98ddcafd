"""A whole economy on one stage: all that can be done with coins and diamonds, and what was acknowledged of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import msgspec

from server.domain.controls import Period
from server.domain.errors import Code, Refusal
from server.domain.gift import Accepted, Answer
from server.domain.ids import RoomId, UserId
from server.domain.ticket import RoomTicket
from server.economy.recharge import buying
from server.economy.recharge.applying import apply
from server.economy.recharge.buying import Order
from server.economy.recharge.payment import Fact, PaymentEvent
from server.economy.spending.spending import Spending, Wish
from server.ledger import controls
from server.ledger import rooms as ledger_rooms
from server.ledger.admin import adjustments
from server.ledger.earning import referrals
from server.ledger.recharge.purchases import Purchase
from server.rooms.rooms import RoomInfo
from tests.economy.creators import WISHES
from tests.economy.facts import Facts, Payment, Spent
from tests.economy.market_workers import Workers
from tests.ledger.stage import StageRoom

CREATORS = ("cara", "mia")
VIEWERS = ("ann", "bea", "cleo", "cara")
"""One of the creators is a viewer as well."""
ROOMS = {"r_cara": "cara", "r_mia": "mia", "g_cara": "cara", "g_mia": "mia"}
GALAS = ("g_cara", "g_mia")
TICKET = RoomTicket("ticket_100", 1, 100, 100)
ITEMS = ("highlight_mint", "ticket_100", "promote_500", "badge_note")
ADMINS = ("ada", "bob")
PURCHASES_MAX = 8
SAID = {
    "paid": (Fact.PAID, None, 1),
    "another amount": (Fact.PAID, None, 1),
    "declined": (Fact.DECLINED, None, 1),
    "expired": (Fact.EXPIRED, None, 1),
    "refunded a third": (Fact.REFUNDED, "r", 3),
    "refund failed": (Fact.RETURNED, "r", 3),
    "disputed": (Fact.DISPUTED, "d", 1),
    "won": (Fact.RETURNED, "d", 1),
    "lost": (Fact.LOST, "d", 1),
}
"""What a provider says: the fact, the claim, and which part of the amount it is about."""


@dataclass
class Market(Workers):
    """Each method is something that can happen at any time, alone or together with others.

    dies: whoever does it is gone after its commit, before anything that should have followed.
    """

    spending: Spending
    facts: Facts = field(default_factory=Facts)
    purchases: list[Purchase] = field(default_factory=list)
    heard: list[PaymentEvent] = field(default_factory=list)
    proposed: list[adjustments.Adjustment] = field(default_factory=list)
    told: list[tuple[Any, Accepted]] = field(default_factory=list)
    """Accepted requests as they were asked, and their answers."""
    final: bool = False
    """Refunds became final: diamonds that were held for them may be gone."""
    _numbers: count[int] = field(default_factory=count)

    # Buying, and what providers say.

    async def buy(self, viewer: str) -> None:
        if len(self.purchases) >= PURCHASES_MAX:
            return
        order = Order(package="web_1000", version=1, method="card", region="PT")
        async with self.stage.pool.acquire() as conn, conn.transaction():
            made = await buying.buy(conn, UserId(viewer), order, self.till.cashier.providers, self.stage.settings)
        self.purchases.append(made)
        self.facts.payments.append(Payment(viewer, made.coins, made.amount, made.bonus_coins))

    async def say(self, which: int, said: str, named: bool, dies: bool) -> None:
        place = which % len(self.purchases)
        purchase, (fact, claim, part) = self.purchases[place], SAID[said]
        amount = purchase.amount // part + (said == "another amount")
        event = self.till.event(
            purchase,
            fact,
            purchase_id=purchase.id if named else None,
            claim=None if claim is None else f"{purchase.id}-{claim}",
            amount=amount if claim or fact is Fact.PAID else None,
        )
        if dies:
            async with self.stage.pool.acquire() as conn, conn.transaction():
                await apply(conn, event, hold_s=1e6)
        else:
            await self.till.cashier.hear(event)
        self.heard.append(event)
        if said != "another amount":
            self.facts.payments[place].hear(fact, claim, amount, named=named)

    async def say_all_again(self) -> None:
        for event in reversed(self.heard):
            assert (await self.till.cashier.hear(event)).again

    async def refunds_are_final(self) -> None:
        """The time passes that the diamonds of refunded coins are held for."""
        self.final = True
        await self.stage.pool.execute("UPDATE claims SET final_at = now() WHERE final_at > now()")

    # Giving and spending.

    async def give(self, viewer: str, room: str, pieces: int) -> None:
        request = f"q{next(self._numbers)}"
        answer = await self._give(viewer, room, pieces, request)
        if isinstance(answer, Accepted):
            self.told.append(((self._give, viewer, room, pieces, request), answer))
            self.facts.spent.append(Spent(viewer, "gift", room, ROOMS[room], pieces, pieces, pieces))

    async def _give(self, viewer: str, room: str, pieces: int, request: str) -> Answer:
        return await self.stage.send(viewer, "rose", pieces, StageRoom(room, ROOMS[room]), request)

    async def spend(self, viewer: str, item: str, room: str) -> None:
        request = f"q{next(self._numbers)}"
        answer = await self._spend(viewer, item, room, request)
        if isinstance(answer, Accepted):
            self.told.append(((self._spend, viewer, item, room, request), answer))
            sold = self.spending.catalogue.item(item)
            assert sold is not None
            creator = ROOMS[room] if sold.diamonds else ""
            self.facts.spent.append(Spent(viewer, sold.kind, room, creator, 1, sold.coins, sold.diamonds))

    async def _spend(self, viewer: str, item: str, room: str, request: str) -> Answer:
        creator, ticket = ROOMS[room], TICKET if room in GALAS else None
        info = RoomInfo(room, room, creator, creator, "live", 0, ticket)
        return await self.spending.spend(Wish(viewer, viewer, item, 1, "Hello", info, request))

    async def ask_again(self, which: int) -> None:
        """Somebody who did not get the answer asks once more. Budgets that were near are not told after an outage."""
        if self.told:
            (ask, *asked), first = self.told[which % len(self.told)]
            again = await ask(*asked)
            assert isinstance(again, Accepted), again
            assert msgspec.structs.replace(again, near=first.near) == first

    async def end(self, gala: str, cancels: bool) -> None:
        if await ledger_rooms.end(self.stage.pool, RoomId(gala), 600 if cancels else 0):
            self.facts.ended[gala] = cancels

    # What is given, and what people allow themselves.

    async def invite(self, invited: str, inviter: str) -> None:
        async with self.stage.pool.acquire() as conn, conn.transaction():
            code = await referrals.code_of(conn, inviter)
            await referrals.enter(conn, invited, code, look_at_devices=True)
        self.facts.invited[invited] = inviter

    async def propose(self, viewer: str, coins: int) -> None:
        async with self.stage.pool.acquire() as conn, conn.transaction():
            self.proposed.append(await adjustments.propose(conn, ADMINS[0], viewer, coins, "put right"))

    async def decide(self, which: int, admin: str, approve: bool, dies: bool) -> None:
        if not self.proposed:
            return
        asked = self.proposed[which % len(self.proposed)]
        async with self.stage.pool.acquire() as conn, conn.transaction():
            await adjustments.decide(conn, admin, asked.id, approve=approve)
        if approve:
            self.facts.corrections.append((asked.user_id, asked.coins))
        if not dies:
            await self.stage.wallets.refresh(asked.user_id)

    async def limit(self, viewer: str, period: Period, coins: int | None, dies: bool) -> None:
        async with self.stage.pool.acquire() as conn, conn.transaction():
            await controls.change_limit(conn, UserId(viewer), period, coins)
        if not dies:
            await self.stage.wallets.refresh(viewer)

    # Cashing out.

    async def cash_out(self, creator: str, to: int, diamonds: int) -> None:
        made = await self.desk.request(diamonds, f"pm_{creator}_{to}", creator)
        self.facts.payouts[made.id] = creator, made.diamonds, WISHES[to] in {"cara", "sandbox-lost"}

    async def review(self, which: int, approve: bool) -> None:
        if not self.facts.payouts:
            return None
        payout = list(self.facts.payouts)[which % len(self.facts.payouts)]
        if approve:
            return await self.desk.approve(payout)
        await self.desk.refuse(payout)
        creator, diamonds, _ = self.facts.payouts[payout]
        self.facts.payouts[payout] = creator, diamonds, False
        return None

    async def happen(self, moment: list[tuple[Any, ...]]) -> None:
        """Everything of a moment, at once; what is refused did not happen."""

        async def do(name: str, *what: Any) -> None:
            try:
                await getattr(self, name)(*what)
            except Refusal as refusal:
                if refusal.code is Code.UNAVAILABLE:
                    raise

        for ended in await asyncio.gather(*(do(*step) for step in moment), return_exceptions=True):
            if ended is not None:
                raise ended
