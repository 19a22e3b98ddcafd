"""Everything that moves money, in any order and at once: buying, giving, refunds, rewards, payouts, outages, deaths.

EXAMPLES says how many days of a market are tried, SEED from which seed on (else a random one):
`make test TESTS=tests/economy/test_money_together.py EXAMPLES=300`.
"""

from __future__ import annotations

import os
from random import SystemRandom
from typing import Any

import pytest

from server.economy.recharge import debts, taking_back
from server.ledger.accounts import post
from server.ledger.creators import payouts
from server.ledger.spending import tickets
from server.stores.postgres import Connection
from server.wallet.credit_sweeper import CreditSweeper
from tests.conftest import FreshSettings
from tests.economy.market_day import come_to_rest, compare, market_on
from tests.economy.market_steps import Moment, moments

EXAMPLES = int(os.environ.get("EXAMPLES") or 3)
SEED = int(os.environ.get("SEED") or SystemRandom().randrange(10**6))
LENGTH = 150
"""Moments of a day."""
SECONDS_PER_EXAMPLE_MAX = 30
SHORTER_TRIES_MAX = 150


async def a_day(fresh_settings: FreshSettings, happens: list[Moment]) -> None:
    async with fresh_settings() as settings, market_on(settings) as market:
        for moment in happens:
            await market.happen(moment)
        await come_to_rest(market)
        await compare(market)


@pytest.mark.timeout(EXAMPLES * SECONDS_PER_EXAMPLE_MAX + 300)
async def test_whatever_happens_in_whatever_order(fresh_settings: FreshSettings) -> None:
    for seed in range(SEED, SEED + EXAMPLES):
        happens = moments(seed, LENGTH)
        if (wrong := await _wrong(fresh_settings, happens)) is not None:
            happens, wrong = await _shortest(fresh_settings, happens, wrong)
            pytest.fail(f"seed {seed}, of which these suffice: {happens}\n{wrong!r}")


async def _wrong(fresh_settings: FreshSettings, happens: list[Moment]) -> Exception | None:
    """What goes wrong on such a day, if anything does."""
    try:
        await a_day(fresh_settings, happens)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        return error
    return None


async def _shortest(
    fresh_settings: FreshSettings, happens: list[Moment], wrong: Exception
) -> tuple[list[Moment], Exception]:
    """A part of the day that still goes wrong: some moments are left out, then fewer, as long as it does."""
    size, tries = len(happens) // 2, 0
    while size and tries < SHORTER_TRIES_MAX:
        start = 0
        while start < len(happens):
            fewer, tries = happens[:start] + happens[start + size :], tries + 1
            if (still := await _wrong(fresh_settings, fewer)) is None:
                start += size
            else:
                happens, wrong = fewer, still
        size //= 2
    return happens, wrong


async def nothing(*_: Any, **__: Any) -> None:
    return None


async def posted_again_when_returned(conn: Connection, kind: str, reference: str, **moved: Any) -> None:
    for name in (reference, f"{reference}:again") if reference.endswith(":returned") else (reference,):
        await post(conn, kind, name, **moved)


ANN_BUYS: list[Moment] = [[("say", 0, "paid", True, False)]]
ANN_GIVES: list[Moment] = [*ANN_BUYS, [("give", "ann", "r_cara", 700)], [("settle",)]]
PROTECTIONS: dict[str, tuple[Any, str, Any, list[Moment]]] = {
    "what a payout returns is booked once": (
        payouts, "post", posted_again_when_returned,
        [*ANN_GIVES, [("spend", "ann", "ticket_100", "g_cara")], [("cash_out", "cara", 1, 100)]],
    ),
    "what a refund lacks is held": (
        debts.holds, "place", nothing, [*ANN_GIVES, [("say", 0, "disputed", True, False)]],
    ),
    "a ticket goes back with its diamonds": (
        tickets, "post", nothing, [*ANN_BUYS, [("spend", "ann", "ticket_100", "g_mia")], [("end", "g_mia", True)]],
    ),
    "a claim is heard in its furthest state": (
        taking_back, "_ORDER", ("returned", "stands", "open"),
        [*ANN_BUYS, [("say", 0, "won", True, False)], [("say", 0, "disputed", True, False)]],
    ),
    "somebody who dies leaves nothing undone": (
        CreditSweeper, "sweep", nothing, [*ANN_BUYS, [("propose", "ann", 250)], [("decide", 0, "bob", True, True)]],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PROTECTIONS)
async def test_money_is_found_wrong_without(
    fresh_settings: FreshSettings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    where, what, broken, moments = PROTECTIONS[name]
    await a_day(fresh_settings, moments)
    monkeypatch.setattr(where, what, broken)
    with pytest.raises(AssertionError):
        await a_day(fresh_settings, moments)
