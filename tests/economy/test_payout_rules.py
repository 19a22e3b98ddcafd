"""Rules of cash-outs that need no store: amounts, business days, destinations, states."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.errors import Refusal
from server.domain.money import in_words
from server.economy.payouts import business_days, destinations
from server.economy.payouts.provider import TransferOrder
from server.economy.payouts.states import DIAMONDS_IN, NEXT, step
from server.economy.payouts.terms import Rate


@given(diamonds=st.integers(1, 2**53), numerator=st.integers(1, 10**9), denominator=st.integers(1, 10**9))
def test_an_amount_is_never_worth_more_than_its_diamonds_and_none_of_them_is_taken_in_vain(
    diamonds: int, numerator: int, denominator: int
) -> None:
    rate = Rate(numerator, denominator, "USD")
    amount = rate.amount(diamonds)
    taken = rate.diamonds(amount)
    assert amount * denominator <= diamonds * numerator < (amount + 1) * denominator
    assert taken <= diamonds
    assert rate.amount(taken) == amount
    assert taken == 0 or rate.amount(taken - 1) < amount


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-05-04", 3, "2026-05-07"),
        ("2026-05-04", 5, "2026-05-11"),
        ("2026-05-08", 1, "2026-05-11"),
        ("2026-05-09", 3, "2026-05-13"),
        ("2026-05-10", 5, "2026-05-15"),
    ],
)
def test_weekends_are_no_business_days(start: str, days: int, end: str) -> None:
    at = datetime.fromisoformat(start).replace(hour=9, tzinfo=UTC)
    assert business_days.after(at, days).date().isoformat() == end


@pytest.mark.parametrize(
    ("kind", "typed", "kept", "shown"),
    [
        ("bank", "de89 3704 0044 0532 0130 00", "DE89370400440532013000", "DE…3000"),
        ("bank", "GB29 NWBK 6016 1331 9268 19", "GB29NWBK60161331926819", "GB…6819"),
        ("bank", "021000021-123456789", "021000021-123456789", "…6789"),
        ("paypal", " Ann.Lee@Example.org", "ann.lee@example.org", "a…@example.org"),
    ],
)
def test_a_destination_is_kept_in_one_way_and_shown_masked(kind: str, typed: str, kept: str, shown: str) -> None:
    assert destinations.normal(kind, typed) == kept  # type: ignore[arg-type]
    assert destinations.masked(kind, kept) == shown  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        ("bank", "DE88 3704 0044 0532 0130 00"),
        ("bank", "021000022-123456789"),
        ("bank", "021000021-12"),
        ("bank", "ann@example.org"),
        ("paypal", "DE89370400440532013000"),
        ("paypal", "ann@localhost"),
        ("paypal", "a@b@example.org"),
        ("paypal", f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 63}.org"),
    ],
)
def test_what_is_no_destination_is_refused(kind: str, typed: str) -> None:
    with pytest.raises(Refusal):
        destinations.normal(kind, typed)  # type: ignore[arg-type]


def test_states_lead_to_an_end_and_no_step_is_there_that_is_not_allowed() -> None:
    for state, following in NEXT.items():
        for to in NEXT:
            if to in following:
                assert step(state, to).accounts == (
                    None if DIAMONDS_IN[state] == DIAMONDS_IN[to] else (DIAMONDS_IN[state], DIAMONDS_IN[to])
                )
            else:
                with pytest.raises(ValueError, match="does not go"):
                    step(state, to)


def test_an_order_does_not_say_where_it_goes_when_it_is_logged() -> None:
    order = TransferOrder("po_1", "bank", "Cara Doe", "DE89370400440532013000", 123_456, "USD")
    assert repr(order) == "TransferOrder(po_1, 123456 USD)"
    assert in_words(order.amount, order.currency) == "1,234.56 USD"
