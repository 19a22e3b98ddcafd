"""Reading requests and writing answers: bearer tokens, JSON bodies, pages, RFC 3339."""

from datetime import UTC, datetime
from typing import TypeVar

from aiohttp import web
from msgspec import Struct
from msgspec.json import Encoder

from server.domain.errors import Code, Refusal
from server.domain.ids import ROOM_ID
from server.web.identity import Identity, Role
from server.web.services import SERVICES, Services
from server.web.strict_json import JsonError, StrictDecoder

LIMIT_DEFAULT = 20
LIMIT_MAX = 100
LIMIT_READ_MAX = 999_999_999
"""A larger limit means LIMIT_MAX; past this it is refused."""

T = TypeVar("T", bound=Struct)

_encode = Encoder().encode


def services_of(request: web.Request) -> Services:
    """The gateway's parts."""
    return request.app[SERVICES]


async def identity_of(request: web.Request) -> Identity:
    """Who asks. Raises Refusal (unauthorized; forbidden for a read-only token, which is for the socket alone)."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Refusal(Code.UNAUTHORIZED)
    identity = await services_of(request).tokens.verify(token.strip())
    if identity.read_only:
        raise Refusal(Code.FORBIDDEN)
    if services_of(request).steering.is_banned(identity.user_id):
        raise Refusal(Code.FORBIDDEN, "This account is banned.")
    return identity


async def identity_if_any(request: web.Request) -> Identity | None:
    """Who asks, of a call that needs no token: None without a good one."""
    try:
        return await identity_of(request)
    except Refusal as refusal:
        if refusal.code in {Code.UNAUTHORIZED, Code.FORBIDDEN}:
            return None
        raise


async def admin_of(request: web.Request) -> Identity:
    """Which admin asks. Raises Refusal: not_found where admin calls are off, else unauthorized or forbidden."""
    if not services_of(request).settings.admin:
        raise Refusal(Code.NOT_FOUND)
    identity = await identity_of(request)
    if identity.role is not Role.ADMIN:
        raise Refusal(Code.FORBIDDEN)
    return identity


async def read_body(request: web.Request, decoder: StrictDecoder[T]) -> T:
    """The JSON body. Raises Refusal (bad_request), HTTPUnsupportedMediaType, HTTPRequestEntityTooLarge."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    try:
        return decoder.decode(await request.read())
    except JsonError:
        raise Refusal(Code.BAD_REQUEST) from None


def answer(body: Struct, status: int = 200) -> web.Response:
    """A JSON answer, kept by no cache."""
    return web.Response(
        body=_encode(body), status=status, content_type="application/json", headers={"Cache-Control": "no-store"}
    )


def id_of(request: web.Request, name: str) -> str:
    """An id that the address names. Raises Refusal (not_found) for what can be none."""
    given: str = request.match_info[name]
    if not ROOM_ID.fullmatch(given):
        raise Refusal(Code.NOT_FOUND)
    return given


def limit_of(request: web.Request, default: int = LIMIT_DEFAULT, most: int = LIMIT_MAX) -> int:
    """The query's `limit`, at most `most`. Raises Refusal (bad_request)."""
    given = request.query.get("limit")
    if given is None:
        return default
    if not (given.isascii() and given.isdigit() and len(given) < 10) or not 1 <= int(given) <= LIMIT_READ_MAX:
        raise Refusal(Code.BAD_REQUEST, "A limit is a whole number from 1.")
    return min(int(given), most)


def rfc3339(at: datetime) -> str:
    """A moment as HTTP answers write it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
