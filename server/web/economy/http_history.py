"""A viewer's history over HTTP: movements with filters, as a table, by creator, and where each of them is."""

import csv
import io
import time
from collections.abc import Iterable
from datetime import UTC, datetime

from aiohttp import web
from msgspec import UNSET

from server.domain.controls import microseconds
from server.domain.errors import Code, Refusal
from server.economy.history.find import find
from server.economy.history.movements import KINDS, Movement, Page, page
from server.economy.history.trace import Trace
from server.ledger import movements as ledger_movements
from server.ledger.history import ALWAYS, Span
from server.web.economy.history_shapes import Movements, MovementView, Spending, SpentOn, TraceStep, TraceView
from server.web.http import LIMIT_MAX, answer, identity_of, limit_of, rfc3339, services_of
from server.web.route import Route
from server.web.shapes import User

CSV_ROWS_MAX = 100_000
"""What one export holds at most; the newest."""
CSV_COLUMNS = ("at", "id", "kind", "coins", "status", "what", "count", "room", "creator", "reference")
DAYS_DEFAULT = 30
DAYS_MAX = 366
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so would be taken for a formula by a spreadsheet."""


async def list_movements(request: web.Request) -> web.Response:
    """Everything that moved one's coins, newest first: gifts from the moment they were acknowledged, and credits."""
    found = await _page(request, limit_of(request), request.query.get("cursor"))
    creators = {movement.creator for movement in found.movements if movement.creator}
    names = await ledger_movements.names_of(services_of(request).pool, creators)
    return answer(Movements([_view(movement, names) for movement in found.movements], found.next))


async def export_movements(request: web.Request) -> web.StreamResponse:
    """The same as a table (CSV, RFC 4180), the newest 100,000 rows."""
    first = await _page(request, LIMIT_MAX, None)
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": 'attachment; filename="giftstream-movements.csv"',
            "Cache-Control": "no-store",
        }
    )
    await response.prepare(request)
    await response.write(_rows([CSV_COLUMNS]))
    found, written = first, 0
    while True:
        await response.write(_rows(_row(movement) for movement in found.movements))
        written += len(found.movements)
        if found.next is None or written >= CSV_ROWS_MAX:
            break
        found = await _page(request, LIMIT_MAX, found.next)
    await response.write_eof()
    return response


async def spending(request: web.Request) -> web.Response:
    """What one's settled gifts of the last days cost, by creator and purpose."""
    services, identity = services_of(request), await identity_of(request)
    days = _days(request)
    since_us = int((time.time() - days * 86_400) * 1_000_000)
    spent = await ledger_movements.spending(services.pool, identity.user_id, since_us, limit_of(request, LIMIT_MAX))
    rows = [SpentOn(User(row.creator_id, row.creator_name), row.purpose, row.coins, row.gifts) for row in spent]
    return answer(Spending(days, sum(row.coins for row in spent), rows))


async def trace(request: web.Request) -> web.Response:
    """Where something of one's own is: by the id of a gift, its request, a purchase, its payment, or a credit."""
    services, identity = services_of(request), await identity_of(request)
    found = await find(
        services.redis,
        services.pool,
        request.match_info["reference"],
        identity.user_id,
        services.settings.wallet_shards,
    )
    if found is None:
        raise Refusal(Code.NOT_FOUND, "Nothing of yours has this id, so nothing was charged under it.")
    return answer(trace_view(found))


def trace_view(found: Trace) -> TraceView:
    """A trace as people see it."""
    steps = [
        TraceStep(step.stage, step.state, step.text, None if step.at is None else rfc3339(step.at))
        for step in found.steps
    ]
    return TraceView(found.about, found.id, found.verdict, steps)


async def _page(request: web.Request, limit: int, cursor: str | None) -> Page:
    services, identity = services_of(request), await identity_of(request)
    kinds = request.query.get("kind")
    return await page(
        services.redis,
        services.pool,
        identity.user_id,
        services.settings.wallet_shards,
        KINDS if kinds is None else kinds.split(","),
        limit,
        cursor,
        _span(request),
    )


def _span(request: web.Request) -> Span:
    since_us, until_us = _moment_us(request, "from", ALWAYS.since_us), _moment_us(request, "to", ALWAYS.until_us)
    if since_us >= until_us:
        raise Refusal(Code.BAD_REQUEST, "`from` is to be before `to`.")
    return Span(since_us, until_us)


def _moment_us(request: web.Request, name: str, default_us: int) -> int:
    given = request.query.get(name)
    if given is None:
        return default_us
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Refusal(Code.BAD_REQUEST, f"`{name}` is a moment, such as 2026-05-01T00:00:00Z.")
    return max(0, microseconds(at))


def _days(request: web.Request) -> int:
    given = request.query.get("days", str(DAYS_DEFAULT))
    if not (given.isascii() and given.isdigit() and len(given) < 4) or not 1 <= int(given) <= DAYS_MAX:
        raise Refusal(Code.BAD_REQUEST, f"Days are a whole number from 1 to {DAYS_MAX}.")
    return int(given)


def _view(movement: Movement, names: dict[str, str]) -> MovementView:
    creator = movement.creator
    return MovementView(
        id=movement.id,
        kind=movement.kind,  # type: ignore[arg-type]
        coins=movement.coins,
        at=movement.at_us,
        status=movement.status,  # type: ignore[arg-type]
        what=movement.what,
        count=movement.count,
        room=movement.room or UNSET,
        creator=User(creator, names.get(creator, creator)) if creator else UNSET,
        reference=movement.reference or UNSET,
    )


def _row(movement: Movement) -> tuple[str | int, ...]:
    at = rfc3339(datetime.fromtimestamp(movement.at_us / 1_000_000, UTC))
    what, room, creator, reference = map(_cell, (movement.what, movement.room, movement.creator, movement.reference))
    numbers = (movement.coins, movement.status, what, movement.count)
    return (at, movement.id, movement.kind, *numbers, room, creator, reference)


def _cell(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA) else value


def _rows(rows: Iterable[tuple[str | int, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


_WHICH = {
    "kind": f"some of {', '.join(KINDS)}, commas between; all unless given",
    "from": "only what was then or later: a moment by RFC 3339, such as 2026-05-01T00:00:00Z",
    "to": "only what was before: a moment as well, later than `from`",
}

ROUTES = (
    Route(method="GET", path="/wallet/movements", handler=list_movements, answer=Movements, pages=True, query=_WHICH),
    Route(
        method="GET",
        path="/wallet/movements.csv",
        handler=export_movements,
        answer=None,
        file="text/csv",
        query=_WHICH,
    ),
    Route(
        method="GET",
        path="/wallet/spending",
        handler=spending,
        answer=Spending,
        query={"days": "how far back, 30 unless given", "limit": "creators at most"},
    ),
    Route(
        method="GET",
        path="/wallet/trace/{reference}",
        handler=trace,
        answer=TraceView,
        codes=(Code.NOT_FOUND,),
    ),
)
