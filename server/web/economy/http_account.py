"""One's own account: what one told of oneself, where one came from, and a block on purchases that a PIN lifts."""

from datetime import UTC, date, datetime

from aiohttp import web
from msgspec import UNSET

from server.domain.errors import Code, Refusal
from server.economy.age import old_enough
from server.ledger.care import logins, purchase_blocks
from server.ledger.care.cases import flag
from server.ledger.profiles import profile_of, settle_region, tell_birth_date
from server.ledger.wallets import ensure
from server.stores.postgres import Connection
from server.web.economy.account_shapes import LoginHistory, LoginView, NewProfile, PinGiven, ProfileView
from server.web.http import answer, identity_of, limit_of, read_body, rfc3339, services_of
from server.web.route import Route
from server.web.strict_json import StrictDecoder

BIRTH_YEAR_MIN = 1900

_new_profile = StrictDecoder(NewProfile)
_pin = StrictDecoder(PinGiven)


async def get_profile(request: web.Request) -> web.Response:
    """What one told of oneself."""
    services, identity = services_of(request), await identity_of(request)
    async with services.pool.acquire() as conn:
        return answer(await _profile(conn, identity.user_id))


async def tell_profile(request: web.Request) -> web.Response:
    """Tell one's region and birth date, each once; another one is refused, and a person is told to look."""
    services, identity = services_of(request), await identity_of(request)
    body = await read_body(request, _new_profile)
    born = None if body.birth_date is UNSET else _birth_date(body.birth_date)
    changed = None
    async with services.pool.acquire() as conn, conn.transaction():
        await ensure(conn, identity.user_id)
        if (
            body.region is not UNSET
            and (held := await settle_region(conn, identity.user_id, body.region)) != body.region
        ):
            changed = f"This account is of {held}."
            await flag(conn, "another_region", identity.user_id, {"held": held, "said": body.region})
        if born is not None and await tell_birth_date(conn, identity.user_id, born) != born:
            changed = "This account has another birth date."
            await flag(conn, "another_birth_date", identity.user_id, {"said": born.isoformat()})
        told = await _profile(conn, identity.user_id)
    if changed is not None:
        raise Refusal(Code.CONFLICT, changed)
    await services.ages.learn(identity.user_id)
    return answer(told)


async def list_logins(request: web.Request) -> web.Response:
    """Where one came from, the latest first."""
    services, identity = services_of(request), await identity_of(request)
    found, following = await logins.of_user(
        services.pool, identity.user_id, limit_of(request), request.query.get("cursor")
    )
    rows = [
        LoginView(login.address, login.agent, rfc3339(login.first_at), rfc3339(login.last_at), login.times)
        for login in found
    ]
    return answer(LoginHistory(rows, following))


async def block_purchases(request: web.Request) -> web.Response:
    """Block purchases with a PIN, as a parent may for a child's account."""
    services, identity = services_of(request), await identity_of(request)
    body = await read_body(request, _pin)
    async with services.pool.acquire() as conn, conn.transaction():
        await purchase_blocks.put_on(conn, identity.user_id, body.pin)
        return answer(await _profile(conn, identity.user_id))


async def allow_purchases(request: web.Request) -> web.Response:
    """Lift the block on purchases, with its PIN."""
    services, identity = services_of(request), await identity_of(request)
    body = await read_body(request, _pin)
    async with services.pool.acquire() as conn, conn.transaction():
        lifted = await purchase_blocks.lift(conn, identity.user_id, body.pin)
        told = await _profile(conn, identity.user_id)
    if not lifted:
        raise Refusal(Code.FORBIDDEN, "This is not the PIN.")
    return answer(told)


async def _profile(conn: Connection, user_id: str) -> ProfileView:
    profile = await profile_of(conn, user_id)
    born = profile.birth_date
    return ProfileView(
        region=profile.region,
        birth_date=None if born is None else born.isoformat(),
        adult=None if born is None else old_enough(profile, datetime.now(UTC).date()),
        purchases_blocked=await purchase_blocks.is_blocked(conn, user_id),
    )


def _birth_date(given: str) -> date:
    """Raises Refusal (bad_request) for a day that nobody alive was born on."""
    try:
        born = date.fromisoformat(given)
    except ValueError:
        raise Refusal(Code.BAD_REQUEST, "A day is written YYYY-MM-DD.") from None
    if born.year < BIRTH_YEAR_MIN or born > datetime.now(UTC).date():
        raise Refusal(Code.BAD_REQUEST, "Nobody here was born then.")
    return born


ROUTES = (
    Route(method="GET", path="/account/profile", handler=get_profile, answer=ProfileView),
    Route(
        method="PUT",
        path="/account/profile",
        handler=tell_profile,
        body=NewProfile,
        answer=ProfileView,
        codes=(Code.CONFLICT,),
    ),
    Route(method="GET", path="/account/logins", handler=list_logins, answer=LoginHistory, pages=True),
    Route(
        method="POST",
        path="/account/purchase-block",
        handler=block_purchases,
        body=PinGiven,
        answer=ProfileView,
        codes=(Code.CONFLICT,),
    ),
    Route(
        method="POST",
        path="/account/purchase-block/lift",
        handler=allow_purchases,
        body=PinGiven,
        answer=ProfileView,
        codes=(Code.NOT_FOUND, Code.RATE_LIMITED),
    ),
)
