"""The business in figures, for admins, and the books beside a payment provider's report."""

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta

from aiohttp import web

from server.domain.errors import Code, Refusal
from server.ledger.admin import figures
from server.ledger.admin.figures import ReportLine
from server.ledger.admin.record import record
from server.web.admin.shapes import (
    DiamondsHeld,
    DifferenceLine,
    Figures,
    OutstandingSums,
    Reconciliation,
    RevenueLine,
)
from server.web.economy.purchase_shapes import Money
from server.web.http import admin_of, answer, services_of
from server.web.route import Route

DAYS_DEFAULT = 30
LINES_MAX = 50_000
REPORT_BYTES_MAX = 8_388_608
PROVIDERS = ("sandbox", "stripe", "apple", "google")
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_TRANSACTION = re.compile(r"[!-~]{1,255}", re.ASCII)


async def get_figures(request: web.Request) -> web.Response:
    """Revenue from one day to before another (UTC), the last 30 unless given; and what is outstanding now."""
    await admin_of(request)
    today = datetime.now(UTC).date()
    since = _day(request.query.get("since") or (today - timedelta(days=DAYS_DEFAULT)).isoformat())
    until = _day(request.query.get("until") or (today + timedelta(days=1)).isoformat())
    async with (
        services_of(request).pool.acquire() as conn,
        conn.transaction(isolation="repeatable_read", readonly=True),
    ):
        sold = await figures.revenue(conn, since, until)
        held = await figures.outstanding(conn)
    lines = [
        RevenueLine(
            line.provider,
            Money(line.amount, line.currency),
            Money(line.taken_back, line.currency),
            line.purchases,
            line.coins,
        )
        for line in sold
    ]
    sums = OutstandingSums(
        coins=held.coins,
        coins_owed=held.coins_owed,
        coins_purchased=held.coins_purchased,
        coins_promotional=held.coins_promotional,
        coins_corrected=held.coins_corrected,
        coins_spent=held.coins_spent,
        diamonds=DiamondsHeld(held.diamonds_available, held.diamonds_held, held.diamonds_paid),
    )
    return answer(Figures(since.isoformat(), until.isoformat(), lines, sums))


async def reconcile(request: web.Request) -> web.Response:
    """Compare a provider's report with our purchases of a period: differences out.

    The report is a table with the columns transaction, amount (minor units, less refunds) and currency.
    """
    services, admin = services_of(request), await admin_of(request)
    provider = request.query.get("provider", "")
    if provider not in PROVIDERS:
        raise Refusal(Code.BAD_REQUEST, f"A provider is one of {', '.join(PROVIDERS)}.")
    since, until = _day(request.query.get("since", "")), _day(request.query.get("until", ""))
    lines = _lines(await _read_report(request))
    async with services.pool.acquire() as conn, conn.transaction():
        found = await figures.differences(conn, provider, since, until, lines)
        detail = {"since": f"{since}", "until": f"{until}", "lines": len(lines), "differences": len(found)}
        await record(conn, admin.user_id, "report_reconciled", provider, detail)
    differences = [
        DifferenceLine(line.transaction, line.purchase_id, line.theirs, line.ours, line.currency) for line in found
    ]
    return answer(Reconciliation(not differences, len(lines), differences))


async def _read_report(request: web.Request) -> str:
    """The body, which may be larger than others. Raises Refusal (bad_request), HTTPException."""
    if request.content_type != "text/csv":
        raise web.HTTPUnsupportedMediaType
    read = bytearray()
    async for chunk in request.content.iter_any():
        read += chunk
        if len(read) > REPORT_BYTES_MAX:
            raise web.HTTPRequestEntityTooLarge(REPORT_BYTES_MAX, len(read))
    try:
        return read.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refusal(Code.BAD_REQUEST, "A report is UTF-8.") from None


def _day(given: str) -> date:
    try:
        return datetime.strptime(given, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise Refusal(Code.BAD_REQUEST, "A day is written YYYY-MM-DD.") from None


def _lines(text: str) -> list[ReportLine]:
    """The lines of a report. Raises Refusal (bad_request), which names the line that could not be read."""
    lines: list[ReportLine] = []
    for number, row in enumerate(csv.DictReader(io.StringIO(text)), start=2):
        transaction, amount, currency = row.get("transaction"), row.get("amount"), row.get("currency")
        if number - 1 > LINES_MAX:
            raise Refusal(Code.BAD_REQUEST, f"A report has {LINES_MAX:,} lines at most.")
        if (
            not transaction
            or not _TRANSACTION.fullmatch(transaction)
            or not currency
            or not _CURRENCY.fullmatch(currency)
            or not re.fullmatch(r"-?\d{1,12}", amount or "", re.ASCII)
        ):
            raise Refusal(Code.BAD_REQUEST, f"Line {number} has no transaction, amount and currency.")
        lines.append(ReportLine(transaction, int(amount or 0), currency))
    return lines


ROUTES = (
    Route(
        method="GET",
        path="/admin/figures",
        handler=get_figures,
        answer=Figures,
        query={"since": "YYYY-MM-DD", "until": "YYYY-MM-DD, not included"},
        codes=(Code.NOT_FOUND,),
    ),
    Route(
        method="POST",
        path="/admin/reconciliation",
        handler=reconcile,
        upload="text/csv",
        query={"provider": "whose report it is", "since": "YYYY-MM-DD", "until": "YYYY-MM-DD, not included"},
        answer=Reconciliation,
        codes=(Code.NOT_FOUND,),
    ),
)
