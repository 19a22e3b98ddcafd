"""Boards of creators and gifters, and one's own level and upgrades, over HTTP."""

import time
from datetime import UTC, date, datetime

from aiohttp import web
from msgspec import UNSET, UnsetType

from server.domain.errors import Code, Refusal
from server.domain.levels import THRESHOLDS, next_level_at
from server.ledger.spending import boards
from server.ledger.spending.boards import Board, Period, Place
from server.ledger.spending.looks import gifter
from server.web.economy.visibility_shapes import BoardPage, BoardPlace, GifterLevel, HeldUpgrade, OwnPlace
from server.web.http import answer, identity_of, limit_of, rfc3339, services_of
from server.web.route import Route
from server.web.shapes import User


async def show_board(request: web.Request) -> web.Response:
    """Who earned or gave most in a day, a week or a month; only what is settled."""
    services = services_of(request)
    board, period = _board(request), _period(request)
    starts, ends = period.around(_day(request))
    places, following = await boards.page(
        services.pool, board, period, starts, limit_of(request), request.query.get("cursor")
    )
    own: OwnPlace | UnsetType = UNSET
    if "Authorization" in request.headers:
        identity = await identity_of(request)
        rank, amount = await boards.own_place(services.pool, board, period, starts, identity.user_id)
        own = _own(board, rank, amount)
    page = BoardPage(
        board=board.value,
        period=period.value,
        starts=starts.isoformat(),
        ends=ends.isoformat(),
        places=[_place(board, place) for place in places],
        next=following,
        own=own,
    )
    return answer(page)


async def show_gifter(request: web.Request) -> web.Response:
    """One's own level as a gifter, and the upgrades that are not over."""
    services, identity = services_of(request), await identity_of(request)
    async with services.pool.acquire() as conn:
        found = await gifter(conn, identity.user_id, time.time_ns() // 1_000)
    following = next_level_at(found.coins)
    return answer(
        GifterLevel(
            level=found.level,
            coins=found.coins,
            level_at=THRESHOLDS[found.level - 1] if found.level else 0,
            upgrades=[
                HeldUpgrade(held.item, held.slot, held.look, rfc3339(datetime.fromtimestamp(held.until_us / 1e6, UTC)))  # type: ignore[arg-type]
                for held in found.upgrades
            ],
            next_level_at=UNSET if following is None else following,
        )
    )


def _board(request: web.Request) -> Board:
    try:
        return Board(request.match_info["board"])
    except ValueError:
        raise Refusal(Code.NOT_FOUND, "There are boards of creators and of gifters.") from None


def _period(request: web.Request) -> Period:
    try:
        return Period(request.query.get("period", Period.DAY))
    except ValueError:
        raise Refusal(Code.BAD_REQUEST, "A period is day, week or month.") from None


def _day(request: web.Request) -> date:
    given = request.query.get("at")
    try:
        day = datetime.now(UTC).date() if given is None else date.fromisoformat(given)
        Period.MONTH.around(day)  # the last days of the calendar have no day after
        Period.WEEK.around(day)
    except (ValueError, OverflowError):
        raise Refusal(Code.BAD_REQUEST, "`at` is a day such as 2030-01-31.") from None
    return day


def _place(board: Board, place: Place) -> BoardPlace:
    user = User(place.user_id, place.user_name, place.level or UNSET)
    if board is Board.CREATORS:
        return BoardPlace(place.rank, user, diamonds=place.amount)
    return BoardPlace(place.rank, user, coins=place.amount)


def _own(board: Board, rank: int | None, amount: int) -> OwnPlace:
    shown = UNSET if rank is None else rank
    return OwnPlace(shown, diamonds=amount) if board is Board.CREATORS else OwnPlace(shown, coins=amount)


ROUTES = (
    Route(
        method="GET",
        path="/boards/{board}",
        handler=show_board,
        answer=BoardPage,
        needs_token=False,
        pages=True,
        query={"period": "day (unless given), week or month", "at": "a day in it, UTC; today unless given"},
        codes=(Code.NOT_FOUND, Code.UNAUTHORIZED, Code.FORBIDDEN),
    ),
    Route(method="GET", path="/gifter", handler=show_gifter, answer=GifterLevel),
)
