"""Reports by users; and for admins what waits for a person, reports and patterns that look like fraud."""

from aiohttp import web

from server.domain import text
from server.domain.errors import Code, Refusal
from server.ledger.care import cases
from server.web.economy.account_shapes import (
    Closed,
    FlagList,
    FlagView,
    NewReport,
    Outcome,
    ReportList,
    ReportTaken,
    ReportView,
)
from server.web.http import admin_of, answer, identity_of, limit_of, read_body, rfc3339, services_of
from server.web.route import Route
from server.web.strict_json import StrictDecoder

WORDS_CHARS_MAX = 1000
SUBJECT_CHARS_MAX = 255
OUTCOME_CHARS_MAX = 300

_new_report = StrictDecoder(NewReport)
_outcome = StrictDecoder(Outcome)


async def add_report(request: web.Request) -> web.Response:
    """Report something; a person will look at it."""
    services, identity = services_of(request), await identity_of(request)
    body = await read_body(request, _new_report)
    subject = text.clean(body.subject, SUBJECT_CHARS_MAX)
    if not subject:
        raise Refusal(Code.BAD_REQUEST, "A report is about something.")
    words = text.clean(body.words, WORDS_CHARS_MAX)
    async with services.pool.acquire() as conn, conn.transaction():
        number = await cases.report(
            conn, identity.user_id, (body.subject_kind, subject), reason=body.reason, words=words
        )
    return answer(ReportTaken(str(number)), 201)


async def list_reports(request: web.Request) -> web.Response:
    """Reports that wait for a person, oldest first."""
    await admin_of(request)
    found, following = await cases.open_reports(
        services_of(request).pool, limit_of(request), request.query.get("cursor")
    )
    rows = [
        ReportView(
            str(one.id), one.reporter_id, one.subject_kind, one.subject_id, one.reason, one.words, rfc3339(one.at)
        )
        for one in found
    ]
    return answer(ReportList(rows, following))


async def list_flags(request: web.Request) -> web.Response:
    """Patterns that look like fraud and wait for a person, oldest first."""
    await admin_of(request)
    found, following = await cases.open_flags(services_of(request).pool, limit_of(request), request.query.get("cursor"))
    rows = [FlagView(str(one.id), one.pattern, one.user_id, one.detail, rfc3339(one.at)) for one in found]
    return answer(FlagList(rows, following))


async def close_report(request: web.Request) -> web.Response:
    """Close a report, with what came of it."""
    services, admin, number = services_of(request), await admin_of(request), _number(request)
    outcome = await _outcome_of(request)
    async with services.pool.acquire() as conn, conn.transaction():
        await cases.close_report(conn, admin.user_id, number, outcome)
    return answer(Closed(outcome))


async def close_flag(request: web.Request) -> web.Response:
    """Close a flag, with what came of it."""
    services, admin, number = services_of(request), await admin_of(request), _number(request)
    outcome = await _outcome_of(request)
    async with services.pool.acquire() as conn, conn.transaction():
        await cases.close_flag(conn, admin.user_id, number, outcome)
    return answer(Closed(outcome))


async def _outcome_of(request: web.Request) -> str:
    outcome = text.clean((await read_body(request, _outcome)).outcome, OUTCOME_CHARS_MAX)
    if not outcome:
        raise Refusal(Code.BAD_REQUEST, "What came of it is needed, for the record.")
    return outcome


def _number(request: web.Request) -> int:
    given = request.match_info["number"]
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        raise Refusal(Code.NOT_FOUND)
    return int(given)


ROUTES = (
    Route(
        method="POST",
        path="/reports",
        handler=add_report,
        body=NewReport,
        answer=ReportTaken,
        status=201,
        codes=(Code.RATE_LIMITED,),
    ),
    Route(
        method="GET",
        path="/admin/reports",
        handler=list_reports,
        answer=ReportList,
        pages=True,
        codes=(Code.NOT_FOUND,),
    ),
    Route(
        method="POST",
        path="/admin/reports/{number}/close",
        handler=close_report,
        body=Outcome,
        answer=Closed,
        codes=(Code.NOT_FOUND,),
    ),
    Route(method="GET", path="/admin/flags", handler=list_flags, answer=FlagList, pages=True, codes=(Code.NOT_FOUND,)),
    Route(
        method="POST",
        path="/admin/flags/{number}/close",
        handler=close_flag,
        body=Outcome,
        answer=Closed,
        codes=(Code.NOT_FOUND,),
    ),
)
