"""A creator's statements over HTTP: the list, and each month as CSV and as PDF."""

import asyncio
from datetime import UTC, datetime

from aiohttp import web

from server.domain.errors import Code
from server.economy import csv_file
from server.economy.statements import monthly
from server.economy.statements.monthly import Month, Statement
from server.economy.statements.table import as_csv
from server.web.economy.statements_shapes import MonthOverview, Statements
from server.web.http import answer, identity_of, services_of
from server.web.route import Route

PDF = "application/pdf"
PDFS_AT_ONCE_MAX = 1
"""A PDF takes a tenth of a second of this process's time: others wait, and gifts go on in between."""

_PDFS = web.AppKey("PDFs at once", asyncio.Semaphore)


def set_up(app: web.Application) -> None:
    """Gives the application what these handlers remember."""
    app[_PDFS] = asyncio.Semaphore(PDFS_AT_ONCE_MAX)


async def list_statements(request: web.Request) -> web.Response:
    """One's own months since the first gift, newest first."""
    services, identity = services_of(request), await identity_of(request)
    async with services.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        found = await monthly.overviews(conn, identity.user_id, datetime.now(UTC))
    return answer(
        Statements(
            [
                MonthOverview(
                    month=str(each.month),
                    final=each.final,
                    earned=each.moves.earned,
                    paid=each.moves.paid,
                    came_back=each.moves.came_back,
                    given_back=each.moves.given_back,
                    closing=each.closing,
                )
                for each in found
            ]
        )
    )


async def statement_csv(request: web.Request) -> web.Response:
    """A month's statement as CSV."""
    statement = await _statement(request)
    return _file(statement, as_csv(statement), csv_file.CONTENT_TYPE, "csv")


async def statement_pdf(request: web.Request) -> web.Response:
    """A month's statement as PDF."""
    # What writes PDFs is large, and most processes never need it.
    from server.economy.statements.pdf import as_pdf

    statement = await _statement(request)
    async with request.app[_PDFS]:
        return _file(statement, await asyncio.to_thread(as_pdf, statement), PDF, "pdf")


async def _statement(request: web.Request) -> Statement:
    services, identity = services_of(request), await identity_of(request)
    month = Month.parse(request.match_info["month"])
    async with services.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        return await monthly.statement(conn, identity.user_id, month, datetime.now(UTC))


def _file(statement: Statement, body: bytes, content_type: str, ending: str) -> web.Response:
    name = f"statement-{statement.month}.{ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return web.Response(body=body, content_type=content_type, headers=headers)


_ROOT = "/creator/statements"

ROUTES = (
    Route(method="GET", path=_ROOT, handler=list_statements, answer=Statements),
    Route(
        method="GET",
        path=f"{_ROOT}/{{month}}.csv",
        handler=statement_csv,
        file=csv_file.CONTENT_TYPE,
        codes=(Code.NOT_FOUND,),
    ),
    Route(method="GET", path=f"{_ROOT}/{{month}}.pdf", handler=statement_pdf, file=PDF, codes=(Code.NOT_FOUND,)),
)
