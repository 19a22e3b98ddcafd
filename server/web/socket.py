"""`GET /ws`: from the handshake to the last frame of one connection."""

import structlog
from aiohttp import web

from server.web.close_codes import CloseCode, restart_reason
from server.web.connection import Connection
from server.web.handshake import accept
from server.web.intake import Intake
from server.web.origins import may_connect
from server.web.services import SERVICES, Services
from server.web.session import Session

log = structlog.get_logger()

FAILURE_RETRY_MS = 2000


async def socket(request: web.Request) -> web.StreamResponse:
    """Serves one WebSocket until it is closed."""
    services = request.app[SERVICES]
    response = await accept(request)
    transport = request.transport
    if transport is None:
        return response
    settings = services.settings
    connection = Connection(transport, buffer_max_bytes=settings.send_buffer_hard_bytes, closed=services.counts.closed)
    session = Session(services, connection, (request.remote, request.headers.get("User-Agent")))
    try:
        _admit(services, request, session)
        await Intake(request.protocol, session, settings.frame_bytes_max).run(request.protocol)
    except Exception:
        log.exception("a session failed", session=session.id)
        connection.cut_off(CloseCode.RESTART, restart_reason(FAILURE_RETRY_MS))
    finally:
        if not transport.is_closing():
            connection.abort()
        await session.finish()
    return response


def _admit(services: Services, request: web.Request, session: Session) -> None:
    """Takes the session in, or closes its connection: only so does a browser learn why."""
    if not may_connect(services.settings, request):
        session.connection.cut_off(CloseCode.FORBIDDEN_ORIGIN)
    elif not services.sessions.admit(session):
        session.connection.cut_off(CloseCode.TOO_MANY_CONNECTIONS)
