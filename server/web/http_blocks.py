"""A creator's block list over HTTP: whom it names can neither enter any of the creator's rooms nor give there."""

from aiohttp import web

from server.domain.errors import Code, Refusal
from server.ledger import moderation as ledger_moderation
from server.ledger.moderation import Kind
from server.web.http import answer, identity_of, services_of
from server.web.http_moderation import pace, page_of, target_of
from server.web.identity import Identity, Role
from server.web.moderation_shapes import Block, People
from server.web.route import Route
from server.web.services import Services


async def block(request: web.Request) -> web.Response:
    """Keep somebody out of all of one's own rooms."""
    services, identity, user_id = await _creator(request)
    if user_id == identity.user_id:
        raise Refusal(Code.FORBIDDEN, "Nobody can block themselves.")
    await ledger_moderation.put(services.pool, Kind.BLOCK, identity.user_id, user_id, by_id=identity.user_id)
    await services.moderation.changed(Kind.BLOCK, identity.user_id)
    return answer(Block(user_id, blocked=True))


async def unblock(request: web.Request) -> web.Response:
    """Let somebody into one's own rooms again."""
    services, identity, user_id = await _creator(request)
    await ledger_moderation.remove(services.pool, Kind.BLOCK, identity.user_id, user_id)
    await services.moderation.changed(Kind.BLOCK, identity.user_id)
    return answer(Block(user_id, blocked=False))


async def list_blocks(request: web.Request) -> web.Response:
    """Whom one keeps out of one's own rooms."""
    services, identity = services_of(request), await identity_of(request)
    return await page_of(request, services, Kind.BLOCK, identity.user_id)


async def _creator(request: web.Request) -> tuple[Services, Identity, str]:
    """Who asks, and about whom. Raises Refusal."""
    services, identity = services_of(request), await identity_of(request)
    if identity.role is Role.VIEWER and not services.settings.demo:
        raise Refusal(Code.FORBIDDEN)
    user_id = target_of(request)
    pace(request, identity)
    return services, identity, user_id


_CODES = (Code.BAD_REQUEST, Code.RATE_LIMITED)

ROUTES = (
    Route(method="GET", path="/creator/blocks", handler=list_blocks, answer=People, pages=True),
    Route(
        method="PUT", path="/creator/blocks/{user}", handler=block, answer=Block, codes=(*_CODES, Code.LIMIT_EXCEEDED)
    ),
    Route(method="DELETE", path="/creator/blocks/{user}", handler=unblock, answer=Block, codes=_CODES),
)
