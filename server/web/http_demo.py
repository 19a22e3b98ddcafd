"""Coming in without a password, in demo mode only: a fresh viewer, with coins as a promotional credit."""

import asyncio
import hashlib

import msgspec
from aiohttp import web

from server.domain import text
from server.domain.errors import Code, Refusal
from server.domain.ids import UserId, new_id
from server.ledger import wallets as ledger_wallets
from server.stores import keys
from server.web.http import answer, read_body, services_of
from server.web.http_gifts import fingerprint_of, idempotency_id
from server.web.identity import Role
from server.web.limits import BucketTable
from server.web.route import Route
from server.web.services import Services
from server.web.shapes import Login, NewLogin, User
from server.web.strict_json import StrictDecoder
from server.web.tokens import TTL_DEFAULT_S, issue_token

WELCOME_COINS = 10_000
ADDRESSES_REMEMBERED_MAX = 10_000

_LOGINS = web.AppKey("demo logins by address", BucketTable)
_new_login = StrictDecoder(NewLogin)


class _Kept(msgspec.Struct):
    """The answer to a login, and what told its body from others."""

    fingerprint: str
    login: Login


def set_up(app: web.Application, services: Services) -> None:
    """Gives the application what these handlers remember."""
    per_minute = services.settings.demo_logins_per_minute
    app[_LOGINS] = BucketTable(per_minute / 60, per_minute, size_max=ADDRESSES_REMEMBERED_MAX)


async def login(request: web.Request) -> web.Response:
    """Come in as a demo viewer (demo mode only)."""
    services = services_of(request)
    if not services.settings.demo:
        raise Refusal(Code.NOT_FOUND)
    key = idempotency_id(request)
    name = text.clean((await read_body(request, _new_login)).name, text.NAME_CHARS_MAX)
    if not name:
        raise Refusal(Code.BAD_REQUEST, "A viewer needs a name.")
    now_s = asyncio.get_running_loop().time()
    bucket = request.app[_LOGINS].get(request.remote, now_s)
    if not bucket.take(now_s):
        raise Refusal(Code.RATE_LIMITED, retry_ms=bucket.retry_ms())
    if "Idempotency-Key" not in request.headers:
        return answer(await _come_in(services, new_id("u"), name), 201)
    return answer(await _come_in_once(services, key, name), 201)


async def _come_in_once(services: Services, key: str, name: str) -> Login:
    """The same answer for the same key; the viewer's id comes from it, so two requests at once make one viewer."""
    place, fingerprint = keys.demo_login(hashlib.sha256(key.encode()).hexdigest()), fingerprint_of(name)
    secret = services.settings.token_secret
    user_id = "u_" + hashlib.blake2b(key.encode(), key=secret.encode()[:64], digest_size=10).hexdigest()
    kept = await services.redis.get(place)
    if kept is None:
        made = _Kept(fingerprint, await _come_in(services, user_id, name))
        await services.redis.set(place, msgspec.json.encode(made), nx=True, ex=services.settings.dedupe_s)
        kept = await services.redis.get(place)
    found = msgspec.json.decode(kept or b"", type=_Kept)
    if found.fingerprint != fingerprint:
        raise Refusal(Code.IDEMPOTENCY_CONFLICT)
    return found.login


async def _come_in(services: Services, user_id: str, name: str) -> Login:
    await ledger_wallets.remember_user(services.pool, UserId(user_id), name)
    await ledger_wallets.grant(
        services.pool, UserId(user_id), WELCOME_COINS, "promotion", f"welcome:{user_id}", "first coins of a demo viewer"
    )
    balance = await services.wallets.refresh(user_id)
    token = issue_token(services.settings, user_id, name, Role.VIEWER, TTL_DEFAULT_S)
    return Login(token, User(user_id, name), balance.coins)


ROUTES = (
    Route(
        method="POST",
        path="/demo/login",
        handler=login,
        body=NewLogin,
        answer=Login,
        status=201,
        needs_token=False,
        moves_money=True,
        codes=(Code.NOT_FOUND, Code.RATE_LIMITED),
    ),
)
