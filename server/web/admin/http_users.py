"""Users for admins: finding them, freezing their wallets, banning them, and following what is theirs."""

from aiohttp import web

from server.domain import text
from server.domain.errors import Code, Refusal
from server.domain.ids import USER_ID, GiftId
from server.economy.history.find import find
from server.economy.history.gift_trace import trace_gift
from server.economy.history.purchase_trace import trace_purchase
from server.economy.history.trace import Trace
from server.ledger.admin import users
from server.ledger.admin.record import record
from server.web.admin.shapes import Because, DiamondsHeld, FoundUser, FoundUsers, UserDetails, UserTrace
from server.web.economy.http_history import trace_view
from server.web.http import LIMIT_MAX, admin_of, answer, limit_of, read_body, rfc3339, services_of
from server.web.route import Route
from server.web.shapes import User
from server.web.strict_json import StrictDecoder

REASON_CHARS_MAX = 300

_because = StrictDecoder(Because)


async def find_users(request: web.Request) -> web.Response:
    """Users by id, or by the beginning of their name."""
    await admin_of(request)
    asked = request.query.get("name", "").strip()
    if not 1 <= len(asked) <= 64 or "\0" in asked:
        raise Refusal(Code.BAD_REQUEST, "A name or id has 1 to 64 characters.")
    found = await users.find_users(services_of(request).pool, asked, limit_of(request, most=LIMIT_MAX))
    rows = [FoundUser(User(row.id, row.name), row.frozen, row.banned, rfc3339(row.created_at)) for row in found]
    return answer(FoundUsers(rows))


async def get_user(request: web.Request) -> web.Response:
    """One user: balances in both stores, where the coins came from, diamonds, frozen, banned."""
    await admin_of(request)
    return answer(await _details(request, _user(request)))


async def freeze_user(request: web.Request) -> web.Response:
    """Freeze a wallet: no gifts, from now on."""
    return await _set_frozen(request, frozen=True)


async def unfreeze_user(request: web.Request) -> web.Response:
    """Let a frozen wallet give again."""
    return await _set_frozen(request, frozen=False)


async def ban_user(request: web.Request) -> web.Response:
    """Ban a user: every connection ends, and no token is taken."""
    services, admin, user_id = services_of(request), await admin_of(request), _user(request)
    reason = await reason_of(request)
    async with services.pool.acquire() as conn, conn.transaction():
        await users.ban(conn, admin.user_id, user_id, reason)
    await services.steering.changed()
    return answer(await _details(request, user_id))


async def unban_user(request: web.Request) -> web.Response:
    """Let a banned user in again."""
    services, admin, user_id = services_of(request), await admin_of(request), _user(request)
    reason = await reason_of(request)
    async with services.pool.acquire() as conn, conn.transaction():
        await users.unban(conn, admin.user_id, user_id, reason)
    await services.steering.changed()
    return answer(await _details(request, user_id))


async def trace_for_admin(request: web.Request) -> web.Response:
    """Where something is, whoever it belongs to; what only the log has is found together with its `user`."""
    await admin_of(request)
    services, reference = services_of(request), request.match_info["reference"]
    user_id, shards = request.query.get("user"), services.settings.wallet_shards
    found: Trace | None = None
    if user_id is not None:
        found = await find(services.redis, services.pool, reference, user_id, shards)
    elif reference.isprintable():
        try:
            found = await trace_gift(services.redis, services.pool, GiftId.parse(reference), None, shards)
        except ValueError:
            found = await trace_purchase(services.pool, reference, None)
    if found is None:
        raise Refusal(Code.NOT_FOUND, "Nothing has this reference.")
    return answer(UserTrace(found.user_id, trace_view(found)))


async def reason_of(request: web.Request) -> str:
    """The reason in the body. Raises Refusal (bad_request) when there is none."""
    reason = text.clean((await read_body(request, _because)).reason, REASON_CHARS_MAX)
    if not reason:
        raise Refusal(Code.BAD_REQUEST, "A reason is needed, for the record.")
    return reason


async def _set_frozen(request: web.Request, *, frozen: bool) -> web.Response:
    services, admin, user_id = services_of(request), await admin_of(request), _user(request)
    reason = await reason_of(request)
    async with services.pool.acquire() as conn:
        await users.account(conn, user_id)
    await services.wallets.block(user_id, frozen)
    async with services.pool.acquire() as conn:
        await record(conn, admin.user_id, "user_frozen" if frozen else "user_unfrozen", user_id, {"reason": reason})
    return answer(await _details(request, user_id))


def _user(request: web.Request) -> str:
    user_id = request.match_info["user"]
    if not USER_ID.fullmatch(user_id):
        raise Refusal(Code.NOT_FOUND, "There is no such user.")
    return user_id


async def _details(request: web.Request, user_id: str) -> UserDetails:
    services = services_of(request)
    async with services.pool.acquire() as conn:
        found = await users.account(conn, user_id)
    balance = await services.wallets.balance(user_id)
    return UserDetails(
        user=User(found.id, found.name),
        frozen=found.frozen,
        banned=found.banned,
        region=found.region,
        created_at=rfc3339(found.created_at),
        coins=balance.coins,
        pending=balance.pending,
        settled=found.coins,
        purchased=found.purchased,
        promotional=found.promotional,
        spent=found.spent,
        diamonds=DiamondsHeld(found.diamonds_available, found.diamonds_held, found.diamonds_paid),
        rooms=found.rooms,
        purchases=found.purchases,
    )


def _deed(path: str, handler: object) -> Route:
    return Route(
        method="POST",
        path=f"/admin/users/{{user}}/{path}",
        handler=handler,  # type: ignore[arg-type]
        body=Because,
        answer=UserDetails,
        codes=(Code.NOT_FOUND,),
    )


ROUTES = (
    Route(
        method="GET",
        path="/admin/users",
        handler=find_users,
        answer=FoundUsers,
        query={"name": "an id, or the beginning of a name", "limit": "users at most"},
        codes=(Code.NOT_FOUND,),
    ),
    Route(method="GET", path="/admin/users/{user}", handler=get_user, answer=UserDetails, codes=(Code.NOT_FOUND,)),
    _deed("freeze", freeze_user),
    _deed("unfreeze", unfreeze_user),
    _deed("ban", ban_user),
    _deed("unban", unban_user),
    Route(
        method="GET",
        path="/admin/trace/{reference}",
        handler=trace_for_admin,
        answer=UserTrace,
        query={"user": "whose it is, for what only the log has, requests and credits"},
        codes=(Code.NOT_FOUND,),
    ),
)
