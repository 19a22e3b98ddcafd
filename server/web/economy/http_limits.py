"""Staying in control of what one spends: budgets by the day, week and month, and pauses."""

from datetime import UTC, datetime, timedelta

from aiohttp import web

from server.domain.controls import Controls, Period, moment
from server.domain.errors import Code, Refusal
from server.domain.ids import UserId
from server.ledger import controls as ledger_controls
from server.ledger.controls import Wishes
from server.ledger.notices import notify
from server.web.economy.limits_shapes import BudgetView, LimitsView, NewBudget, NewPause, RaiseView
from server.web.http import answer, identity_of, read_body, rfc3339, services_of
from server.web.route import Route
from server.web.strict_json import StrictDecoder

_new_budget = StrictDecoder(NewBudget)
_new_pause = StrictDecoder(NewPause)


async def get_limits(request: web.Request) -> web.Response:
    """One's budgets with what is spent of them, raises that wait, and a pause if there is one."""
    identity = await identity_of(request)
    return answer(await _limits(request, identity.user_id))


async def set_budget(request: web.Request) -> web.Response:
    """Set the budget of a day, week or month (UTC): a lower one counts at once, a higher one or none after 24 hours."""
    services, identity = services_of(request), await identity_of(request)
    try:
        period = Period(request.match_info["period"])
    except ValueError:
        raise Refusal(Code.NOT_FOUND, "A budget is of a day, a week or a month.") from None
    coins = (await read_body(request, _new_budget)).coins
    async with services.pool.acquire() as conn, conn.transaction():
        at_once = await ledger_controls.change_limit(conn, identity.user_id, period, coins)
        words = "no budget" if coins is None else f"a budget of {coins:,} coins"
        when = "from now on" if at_once else "after 24 hours"
        await notify(conn, identity.user_id, "budget", f"You set {words} for each {period}, {when}.", {"limit": period})
    services.notices.changed(identity.user_id)
    await services.wallets.refresh(identity.user_id)
    return answer(await _limits(request, identity.user_id))


async def pause(request: web.Request) -> web.Response:
    """Pause all spending for some days; it cannot be shortened."""
    services, identity = services_of(request), await identity_of(request)
    until = datetime.now(UTC) + timedelta(days=(await read_body(request, _new_pause)).days)
    async with services.pool.acquire() as conn, conn.transaction():
        held = await ledger_controls.exclude(conn, identity.user_id, until)
        await notify(conn, identity.user_id, "budget", f"You paused spending until {held:%Y-%m-%d %H:%M} UTC.")
    services.notices.changed(identity.user_id)
    await services.wallets.refresh(identity.user_id)
    return answer(await _limits(request, identity.user_id))


async def _limits(request: web.Request, user_id: UserId) -> LimitsView:
    services = services_of(request)
    controls = (await services.wallets.balance(user_id)).controls
    async with services.pool.acquire() as conn:
        wishes = await ledger_controls.wishes_of(conn, user_id)
    return LimitsView(
        budgets=[_budget(period, wishes, controls) for period in Period],
        paused_until=_pause(wishes),
    )


def _pause(wishes: Wishes | None) -> str | None:
    until = None if wishes is None else wishes.excluded_until
    return None if until is None or until <= datetime.now(UTC) else rfc3339(until)


def _budget(period: Period, wishes: Wishes | None, controls: Controls | None) -> BudgetView:
    held = None if controls is None else controls.budgets.get(period)
    waiting = None if wishes is None else wishes.raises.get(period)
    return BudgetView(
        period=period.value,
        coins=None if wishes is None else wishes.limits.get(period),
        spent=0 if held is None else held.spent,
        ends_at=None if held is None else rfc3339(moment(held.ends_us)),
        raised=None if waiting is None else RaiseView(waiting.coins, rfc3339(waiting.effective_at)),
    )


ROUTES = (
    Route(method="GET", path="/account/limits", handler=get_limits, answer=LimitsView),
    Route(
        method="PUT",
        path="/account/limits/{period}",
        handler=set_budget,
        body=NewBudget,
        answer=LimitsView,
        codes=(Code.NOT_FOUND,),
    ),
    Route(method="POST", path="/account/pause", handler=pause, body=NewPause, answer=LimitsView),
)
