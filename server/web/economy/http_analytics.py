"""What a creator's earnings say: by day and hour, by room, by gift, by gifter; and the same as CSV."""

from collections.abc import Sequence
from datetime import UTC, datetime

from aiohttp import web

from server.domain.errors import Code, Refusal
from server.domain.ids import ROOM_ID
from server.economy import csv_file
from server.economy.creators.periods import DAYS_DEFAULT, DAYS_MAX, Period, by_day, day_start, heat_map
from server.economy.csv_file import Cell
from server.ledger import earnings
from server.ledger.creators import earned
from server.ledger.creators.earned import Sum
from server.ledger.creators.follows import followers_of
from server.web.economy.analytics_shapes import (
    Analytics,
    Earned,
    EarnedByGift,
    EarnedByGifter,
    EarnedByGifters,
    EarnedByGifts,
    EarnedByRoom,
    EarnedByRooms,
    EarnedOnDay,
)
from server.web.http import answer, identity_of, limit_of, rfc3339, services_of
from server.web.http_money import pending_of
from server.web.route import Route
from server.web.services import Services
from server.web.shapes import SettledAndPending, User

GIFTERS_DEFAULT = 20
GIFTERS_MAX = 100
CSV_ROWS_MAX = 10_000
"""Rows of a file: the gifters who gave the most, the newest rooms."""


async def analytics(request: web.Request) -> web.Response:
    """What the last days brought, compared with as many before, and when in the week it came."""
    services, identity, period = services_of(request), await identity_of(request), _period(request)
    async with services.pool.acquire() as conn:
        hours = await earned.by_hour(conn, identity.user_id, period.before.hours[0], period.hours[1])
        now_hours = {hour: each for hour, each in hours.items() if hour >= period.hours[0]}
        before = sum((each for hour, each in hours.items() if hour < period.hours[0]), Sum())
        gifters = [
            await earned.gifters_between(conn, identity.user_id, each.from_day, each.to_day)
            for each in (period, period.before)
        ]
        followers = await followers_of(conn, identity.user_id)
    found = await earnings.earnings(services.pool, identity.user_id)
    days = by_day(now_hours, period)
    return answer(
        Analytics(
            from_day=_day(period.from_day),
            to_day=_day(period.to_day - 1),
            total=_earned(sum(days, Sum()), gifters[0]),
            before=_earned(before, gifters[1]),
            days=[
                EarnedOnDay(_day(day), each.diamonds, each.gifts)
                for day, each in enumerate(days, start=period.from_day)
            ],
            heat=heat_map(now_hours),
            diamonds=SettledAndPending(found.diamonds, await pending_of(services, found.newest)),
            followers=followers,
        )
    )


async def earned_by_gifts(request: web.Request) -> web.Response:
    """What each kind of gift brought in the last days, of one room or of all."""
    return answer(EarnedByGifts(await _gifts(request)))


async def earned_by_gifters(request: web.Request) -> web.Response:
    """Who gave the most in the last days, or in one room."""
    return answer(EarnedByGifters(await _gifters(request, limit_of(request, GIFTERS_DEFAULT, GIFTERS_MAX))))


async def earned_by_rooms(request: web.Request) -> web.Response:
    """What the rooms of the last days earned, newest first, each beside the ten before it."""
    rooms, following = await _rooms(request, limit_of(request), request.query.get("cursor"))
    return answer(EarnedByRooms(rooms, following))


async def gifts_csv(request: web.Request) -> web.Response:
    """What each kind of gift brought, as CSV."""
    rows = [(each.gift, each.name, each.gifts, each.coins, each.diamonds) for each in await _gifts(request)]
    return _file("gifts", ("gift", "name", "pieces", "coins", "diamonds"), rows)


async def gifters_csv(request: web.Request) -> web.Response:
    """Who gave the most, as CSV; the first 10,000."""
    found = await _gifters(request, CSV_ROWS_MAX)
    rows = [(each.user.id, each.user.name, each.gifts, each.coins, each.diamonds) for each in found]
    return _file("gifters", ("user", "name", "pieces", "coins", "diamonds"), rows)


async def rooms_csv(request: web.Request) -> web.Response:
    """What each room earned, as CSV; the newest 10,000."""
    found, _ = await _rooms(request, CSV_ROWS_MAX, None)
    header = ("room", "title", "started_at", "ended_at", "pieces", "gifters", "coins", "diamonds", "earlier_diamonds")
    rows = [
        (
            each.id, each.title, each.started_at, each.ended_at, each.gifts, each.gifters, each.coins, each.diamonds,
            each.earlier_diamonds,
        )
        for each in found
    ]  # fmt: skip
    return _file("rooms", header, rows)


async def hours_csv(request: web.Request) -> web.Response:
    """What each hour with gifts brought, UTC, as CSV."""
    services, identity, period = services_of(request), await identity_of(request), _period(request)
    async with services.pool.acquire() as conn:
        hours = await earned.by_hour(conn, identity.user_id, *period.hours)
    rows = [
        (f"{_day(hour // 24)}T{hour % 24:02d}:00:00Z", each.gifts, each.coins, each.diamonds)
        for hour, each in hours.items()
    ]
    return _file("hours", ("hour", "pieces", "coins", "diamonds"), rows)


async def _gifts(request: web.Request) -> list[EarnedByGift]:
    services, identity, period = services_of(request), await identity_of(request), _period(request)
    async with services.pool.acquire() as conn:
        found = await earned.by_gift(conn, identity.user_id, period.from_day, period.to_day, _room(request))
    return [
        EarnedByGift(gift, _gift_name(services, gift), each.diamonds, each.coins, each.gifts)
        for gift, each in found.items()
    ]


async def _gifters(request: web.Request, limit: int) -> list[EarnedByGifter]:
    services, identity, period = services_of(request), await identity_of(request), _period(request)
    room = _room(request)
    async with services.pool.acquire() as conn:
        if room is None:
            found = await earned.by_gifter(conn, identity.user_id, period.from_day, period.to_day, limit)
        else:
            found = await earned.by_gifter_of_room(conn, identity.user_id, room, limit)
    return [EarnedByGifter(User(each.viewer_id, each.name), each.diamonds, each.coins, each.gifts) for each in found]


async def _rooms(request: web.Request, limit: int, cursor: str | None) -> tuple[list[EarnedByRoom], str | None]:
    services, identity, period = services_of(request), await identity_of(request), _period(request)
    found, following = await earned.by_room(services.pool, identity.user_id, period.begins, limit, cursor)
    rooms = [
        EarnedByRoom(
            id=room.id,
            title=room.title,
            state=room.state,  # type: ignore[arg-type]
            started_at=rfc3339(room.started_at),
            ended_at=None if room.ended_at is None else rfc3339(room.ended_at),
            diamonds=room.diamonds,
            coins=room.coins,
            gifts=room.gifts,
            gifters=room.gifters,
            earlier_diamonds=room.earlier_diamonds,
            earlier_gifters=room.earlier_gifters,
        )
        for room in found
    ]
    return rooms, following


def _period(request: web.Request) -> Period:
    """The query's `days`. Raises Refusal (bad_request)."""
    given = request.query.get("days", str(DAYS_DEFAULT))
    if not (given.isascii() and given.isdigit() and len(given) < 4 and 1 <= int(given) <= DAYS_MAX):
        raise Refusal(Code.BAD_REQUEST, f"Days are a whole number from 1 to {DAYS_MAX}.")
    return Period.last(int(given), datetime.now(UTC))


def _room(request: web.Request) -> str | None:
    """The query's `room`. Raises Refusal (bad_request)."""
    room = request.query.get("room")
    if room is not None and not ROOM_ID.fullmatch(room):
        raise Refusal(Code.BAD_REQUEST, "This is no room's id.")
    return room


def _day(day: int) -> str:
    return day_start(day).date().isoformat()


def _earned(total: Sum, gifters: int) -> Earned:
    return Earned(total.diamonds, total.coins, total.gifts, gifters)


def _gift_name(services: Services, gift: str) -> str:
    return next((kind["name"] for kind in services.catalogue.public() if kind["id"] == gift), gift)


def _file(name: str, header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> web.Response:
    return web.Response(
        body=csv_file.csv_file(header, rows),
        content_type=csv_file.CONTENT_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"},
    )


_DAYS = {"days": f"how many days, today among them; {DAYS_DEFAULT} unless given, at most {DAYS_MAX}"}
_ROOM = {**_DAYS, "room": "of this room of one's own alone"}
_ROOT = "/creator/analytics"

ROUTES = (
    Route(method="GET", path=_ROOT, handler=analytics, answer=Analytics, query=_DAYS),
    Route(method="GET", path=f"{_ROOT}/rooms", handler=earned_by_rooms, answer=EarnedByRooms, pages=True, query=_DAYS),
    Route(method="GET", path=f"{_ROOT}/gifts", handler=earned_by_gifts, answer=EarnedByGifts, query=_ROOM),
    Route(
        method="GET",
        path=f"{_ROOT}/gifters",
        handler=earned_by_gifters,
        answer=EarnedByGifters,
        query={**_ROOM, "limit": f"how many, {GIFTERS_DEFAULT} unless given, at most {GIFTERS_MAX}"},
    ),
    Route(method="GET", path=f"{_ROOT}/rooms.csv", handler=rooms_csv, file=csv_file.CONTENT_TYPE, query=_DAYS),
    Route(method="GET", path=f"{_ROOT}/gifts.csv", handler=gifts_csv, file=csv_file.CONTENT_TYPE, query=_ROOM),
    Route(method="GET", path=f"{_ROOT}/gifters.csv", handler=gifters_csv, file=csv_file.CONTENT_TYPE, query=_ROOM),
    Route(method="GET", path=f"{_ROOT}/hours.csv", handler=hours_csv, file=csv_file.CONTENT_TYPE, query=_DAYS),
)
