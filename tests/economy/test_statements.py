"""A month's statement adds up, from the opening balance to the closing one, and is the same as CSV and PDF."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta

import pytest

from server.domain.errors import Code, Refusal
from server.economy.statements import monthly
from server.economy.statements.monthly import Line, Month, Statement
from server.economy.statements.pdf import as_pdf
from server.economy.statements.table import as_csv
from server.ledger.accounts import post
from server.ledger.creators.balances import balances
from server.ledger.creators.rollup import Rollup
from server.ledger.creators.statements import Moves
from server.settings import Settings
from tests.economy.creators import CHANGES, till_on
from tests.ledger.stage import CREATOR
from tests.web.conftest import StartGateway


def rows(raw: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))


async def test_a_statement_follows_every_diamond_through_its_month(
    settings: Settings, start_gateway: StartGateway
) -> None:
    now = datetime.now(UTC)
    month = Month.of(now)
    earlier = month.begins - timedelta(days=20)
    async with till_on(settings) as till:
        stage = till.stage
        await stage.viewer("ann", 100_000)
        await stage.forge("ann", count=5_000, coins=5_000, diamonds=5_000, at_us=int(earlier.timestamp() * 1e6))
        await stage.settle()
        await till.earn(20_000)
        await till.driven_to((await till.request(8_000)).id, "paid")
        bounced = await till.add_method("sandbox-return@example.org", kind="paypal")
        await till.driven_to((await till.request(2_000, method=bounced)).id, "returned")
        await till.request(3_000)
        async with stage.pool.acquire() as conn, conn.transaction():
            own = (await balances(conn, CREATOR)).accounts["diamonds_available"]
            issued = await conn.fetchval(
                "SELECT id FROM accounts WHERE owner = 'platform/w00' AND kind = 'diamonds_issued'"
            )
            await post(conn, "reversal", "refund", diamonds={own: -500, issued: 500})
        await Rollup(stage.pool, stage.settings.wallet_shards).add_up()

        async with stage.pool.acquire() as conn:
            made = await monthly.statement(conn, CREATOR, month, now)
            newest, *_ = await monthly.overviews(conn, CREATOR, now)
            before = await monthly.statement(conn, CREATOR, Month.of(earlier), now)
        assert (before.opening, before.closing, before.final) == (0, 5_000, now >= month.begins + timedelta(days=1))
        assert made.opening == 5_000
        assert made.moves == Moves(earned=20_000, paid=10_000, came_back=2_000, given_back=500)
        assert made.closing == newest.closing == made.lines[-1].balance == 16_500
        available, held, _ = await till.diamonds()
        assert available + held == made.closing, "what is reserved is not paid yet"
        assert not made.final

        gateway = await start_gateway(**{name: value for name, value in CHANGES.items() if name.startswith("payout")})
        cara = gateway.token(CREATOR, "creator")
        _, listed = await gateway.get("/creator/statements", cara)
        assert [each["month"] for each in listed["statements"]] == [str(month), str(Month.of(earlier))]
        _, raw = await gateway.get(f"/creator/statements/{month}.csv", cara)
        table = rows(raw)
        assert table[1][1:5] == ["Opening balance", "", "", "5000"]
        assert table[-1][1:5] == ["Closing balance", "", "", "16500"]
        assert sum(int(row[3] or 0) for row in table[1:]) == made.closing - made.opening
        assert [row[5:] for row in table if row[5] and row[5] != "amount_minor"] == [
            ["4000", "USD"],
            ["1000", "USD"],
            ["-1000", "USD"],
        ]
        status, pdf = await gateway.get(f"/creator/statements/{month}.pdf", cara)
        assert (status, pdf[:5]) == (200, b"%PDF-")
        for wrong in ("2026-13", "1969-12", "26-01", "9999-12", "2026-1", "2026-\u0660\u0661"):
            assert (await gateway.get(f"/creator/statements/{wrong}.csv", cara))[0] == 404, wrong


def test_a_long_statement_has_several_pages_and_any_name() -> None:
    lines = [
        Line(date(2026, 5, 1) + timedelta(days=n % 31), "12 gifts", f"po_{n}", n - 40, 1_000 + n, n - 40 or None, "USD")
        for n in range(120)
    ]
    statement = Statement(
        creator_id="cara",
        creator_name="Łukasz 世界 🎁",
        month=Month(2026, 5),
        made_at=datetime(2026, 6, 3, tzinfo=UTC),
        final=True,
        opening=1_000,
        moves=Moves(10, 20, 30, 40),
        lines=lines,
    )
    pdf = as_pdf(statement)
    assert pdf.count(b"/Type /Page\n") >= 3
    assert b"/Lang (en)" in pdf
    assert len(rows(as_csv(statement))) == 123


@pytest.mark.parametrize(
    ("text", "ends"), [("2026-05", "2026-06-01"), ("2026-12", "2027-01-01"), ("2028-02", "2028-03-01")]
)
def test_months(text: str, ends: str) -> None:
    month = Month.parse(text)
    assert (str(month), month.ends.date().isoformat()) == (text, ends)
    assert month.following.earlier(1) == month
    assert Month(2026, 1).earlier(14) == Month(2024, 11)


async def test_months_that_have_not_begun_have_no_statement(settings: Settings) -> None:
    async with till_on(settings) as till, till.stage.pool.acquire() as conn:
        now = datetime(2026, 5, 31, 23, 59, tzinfo=UTC)
        with pytest.raises(Refusal) as refused:
            await monthly.statement(conn, CREATOR, Month(2026, 6), now)
        assert refused.value.code is Code.NOT_FOUND
        assert await monthly.overviews(conn, CREATOR, now) == []
