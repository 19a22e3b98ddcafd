"""A market from its opening to its close: its parts on a stage, how it comes to rest, and what must be true then."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from server.domain.catalogue import Catalogue, seed, seed_items
from server.domain.ids import RoomId, UserId
from server.economy.payouts import destinations
from server.economy.payouts.sandbox import SandboxProvider
from server.economy.payouts.terms import Terms
from server.economy.recharge import sweeper
from server.economy.recharge.payment import Fact
from server.economy.sealing import Sealer
from server.economy.spending.spending import Spending
from server.ledger import rooms as ledger_rooms
from server.settings import Settings
from server.wallet import credit_sweeper
from tests.economy.creators import CHANGES, WISHES
from tests.economy.creators import Till as CashDesk
from tests.economy.earning import bonus, challenge, make
from tests.economy.facts import GOAL_COINS, GOAL_PIECES, INVITED_COINS, INVITER_COINS
from tests.economy.market import CREATORS, GALAS, ROOMS, TICKET, VIEWERS, Market
from tests.economy.till import Till, grow_up
from tests.ledger.stage import Stage, stage_on

SETTINGS: dict[str, Any] = CHANGES | {
    "payments": "sandbox",
    "payout_min": 50,
    "referral_invited_coins": INVITED_COINS,
    "referral_inviter_coins": INVITER_COINS,
}
"""Cash-outs begin at 100 diamonds."""
ROUNDS_MAX = 12


class OpenDoor:
    """Lets everybody buy as many tickets as they like, as a gateway does that forgot what it sold."""

    async def claim(self, *_: object) -> None:
        return None

    async def end_claim(self, *_: object) -> None:
        return None


@asynccontextmanager
async def market_on(settings: Settings) -> AsyncIterator[Market]:
    """Everybody is an adult; purchases wait for their payment; nobody has anything yet."""
    settings = replace(settings, **SETTINGS)
    await grow_up(settings, *VIEWERS, *CREATORS)
    with ExitStack() as changed:
        # What somebody who died left behind is found by the next look.
        changed.enter_context(patch.object(credit_sweeper, "CREDIT_AGE_S", 0.0))
        changed.enter_context(patch.object(sweeper, "LOOK_AGAIN_S", 0.0))
        async with stage_on(settings) as stage:
            yield await _open(stage)


async def _open(stage: Stage) -> Market:
    for room, creator in ROOMS.items():
        ticket = TICKET if room in GALAS else None
        await ledger_rooms.create(stage.pool, RoomId(room), UserId(creator), creator, room, ticket)
    soon = datetime.now(UTC) + timedelta(days=1)
    await make(stage.pool, bonus(ends_at=soon))
    await make(stage.pool, challenge(goal=GOAL_PIECES, reward_coins=GOAL_COINS, ends_at=soon))
    terms = Terms.of(stage.settings)
    desk = CashDesk(
        stage, terms, Sealer(stage.settings, destinations.SEALED_AS), SandboxProvider(stage.pool, terms.day_s)
    )
    for creator in CREATORS:
        for wish in WISHES:
            await desk.add_method(f"{wish}.{creator}@example.org", "paypal", creator=creator)
    sold = Catalogue([*seed(), *seed_items()])
    spending = Spending(sold, stage.shards, OpenDoor(), stage.settings)  # type: ignore[arg-type]
    market = Market(stage, Till.on(stage), desk, spending)
    for viewer in VIEWERS:
        await market.buy(viewer)
    return market


async def come_to_rest(market: Market) -> None:
    """Workers do what is left to do, and a person approves what waits for one, until every payout came to its end."""
    for _ in range(ROUNDS_MAX):
        await market.settle()
        await market.add_up()
        await market.reward()
        await market.sweep()
        rows = await market.stage.pool.fetch("SELECT id, state, approved_by FROM payouts")
        for row in rows:
            if row["state"] == "review" and row["approved_by"] is None:
                await market.desk.approve(row["id"])
        await market.drive([])
        ends = {payout: "paid" if paid else "returned" for payout, (_, _, paid) in market.facts.payouts.items()}
        if {row["id"]: row["state"] for row in rows} == ends:
            break
    else:
        raise AssertionError(f"payouts are {[dict(row) for row in rows]}, they should be {ends}")
    await market.stage.reader.drain()


async def compare(market: Market) -> None:
    """Both stores against what was acknowledged, and then the audit."""
    for viewer in VIEWERS:
        await _compare_wallet(market, viewer)
    for creator in CREATORS:
        await _compare_creator(market, creator)
    await _compare_reversals(market)
    await market.till.sound()


async def _compare_wallet(market: Market, viewer: str) -> None:
    """Coins = granted - taken back - spent, and what is owed is held of the diamonds that it became."""
    stage, expected = market.stage, market.facts.coins(viewer)
    found = (await stage.wallets.balance(viewer)).coins, await stage.balance(viewer)
    assert found == (expected, expected), f"{viewer} has {found} in Redis and the ledger, and should have {expected}"
    held = await stage.pool.fetchval(
        "SELECT coalesce(sum(coins), 0)::bigint FROM holds WHERE viewer_id = $1 AND state = 'held'", viewer
    )
    if expected >= 0:
        assert held == 0, f"{viewer} owes nothing, and {held} coins are held"
        return
    row = await stage.pool.fetchrow(_OWED, viewer)
    assert row["covered"] <= row["back"] <= market.facts.back(viewer), f"{viewer}: {dict(row)}"
    if row["covered"] < min(-expected, row["back"]):
        assert row["left"] == 0, f"{viewer} owes {-expected}, not all is held: {dict(row)}"


async def _compare_creator(market: Market, creator: str) -> None:
    """Available + held + paid + taken back = earned, and each of them is what it should be."""
    stage, facts = market.stage, market.facts
    kinds = ("diamonds_available", "diamonds_held", "diamonds_paid")
    available, held, paid = [await stage.balance(creator, kind) for kind in kinds]
    row = await stage.pool.fetchrow(_HOLDS, creator)
    assert available + held + paid + row["reversed"] == facts.earned(creator), f"{creator}: {dict(row)}"
    assert paid == facts.paid(creator)
    assert held == row["held"] + facts.tickets_open(creator)


async def _compare_reversals(market: Market) -> None:
    """Creators gave diamonds back for good for no more than is decided, and for refunds not before their time."""
    rows = await market.stage.pool.fetch(
        "SELECT purchase_id, sum(coins)::bigint AS coins FROM holds WHERE state = 'reversed' GROUP BY 1"
    )
    gone = {row["purchase_id"]: row["coins"] for row in rows}
    for purchase, payment in zip(market.purchases, market.facts.payments, strict=True):
        coins = gone.get(purchase.id, 0)
        decided = payment.gone if market.final or Fact.LOST in payment.said else 0
        assert coins <= decided, f"the diamonds of {coins} coins are gone of {payment}, {decided} are decided"


_OWED = """
    WITH open AS (
        SELECT purchase_id, coins_back + bonus_back AS back FROM recoveries JOIN purchases ON purchases.id = purchase_id
        WHERE recoveries.user_id = $1 AND cleared_at IS NULL
    )
    SELECT (SELECT coalesce(sum(back), 0) FROM open)::bigint AS back,
           (SELECT coalesce(sum(coins), 0) FROM holds JOIN open USING (purchase_id)
            WHERE state <> 'released')::bigint AS covered,
           (SELECT coalesce(sum(gifts.coins), 0) FROM gifts LEFT JOIN tickets USING (shard, epoch, number)
            WHERE gifts.viewer_id = $1 AND (tickets.coins IS NULL OR released_at IS NOT NULL))::bigint
           - (SELECT coalesce(sum(coins), 0) FROM holds WHERE viewer_id = $1 AND state <> 'released')::bigint AS left
"""
"""Coins that were taken back and are not known to be paid, what of them is held, and what could be held besides."""

_HOLDS = """
    SELECT coalesce(sum(diamonds) FILTER (WHERE state = 'held'), 0)::bigint AS held,
           coalesce(sum(diamonds) FILTER (WHERE state = 'reversed'), 0)::bigint AS reversed
    FROM holds WHERE creator_id = $1
"""
