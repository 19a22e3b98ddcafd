"""`GET /ws`: from the handshake to the last frame of one connection."""

import asyncio

import structlog
from aiohttp import WSMsgType, web

from server.web.close_codes import CloseCode, restart_reason
from server.web.connection import CLOSE_WAIT_S, Connection
from server.web.frames import pong_frame
from server.web.origins import may_connect
from server.web.services import SERVICES, Services
from server.web.session import Session

log = structlog.get_logger()

FRAME_READ_FACTOR = 8
"""A frame up to this many times too big is read, so that its close code arrives; above, the connection just breaks."""

FAILURE_RETRY_MS = 2000


async def socket(request: web.Request) -> web.WebSocketResponse:
    """Serves one WebSocket until it is closed."""
    services = request.app[SERVICES]
    websocket = web.WebSocketResponse(
        timeout=CLOSE_WAIT_S,
        autoclose=False,
        autoping=False,
        compress=False,
        max_msg_size=FRAME_READ_FACTOR * services.settings.frame_bytes_max,
        decode_text=False,
    )
    await websocket.prepare(request)
    transport = request.transport
    if transport is None:
        return websocket
    buffer_max_bytes = services.settings.send_buffer_hard_bytes
    connection = Connection(transport, buffer_max_bytes=buffer_max_bytes, closed=services.counts.closed)
    session = Session(services, connection)
    try:
        _admit(services, request, session)
        await _converse(websocket, session, services.settings.frame_bytes_max)
    except Exception:
        log.exception("a session failed", session=session.id)
        connection.cut_off(CloseCode.RESTART, restart_reason(FAILURE_RETRY_MS))
    finally:
        if not transport.is_closing():
            connection.abort()
        await session.finish()
    return websocket


def _admit(services: Services, request: web.Request, session: Session) -> None:
    """Takes the session in, or closes its connection: only so does a browser learn why."""
    if not may_connect(services.settings, request):
        session.connection.cut_off(CloseCode.FORBIDDEN_ORIGIN)
    elif not services.sessions.admit(session):
        session.connection.cut_off(CloseCode.TOO_MANY_CONNECTIONS)


async def _converse(websocket: web.WebSocketResponse, session: Session, frame_bytes_max: int) -> None:
    """Hands over frames until there are no more; a connection that is closing is only listened to for its end."""
    connection = session.connection
    clock = asyncio.get_running_loop().time
    while True:
        message = await websocket.receive()
        kind = message.type
        if kind is WSMsgType.CLOSE:
            connection.closed_by_peer()
            return
        if kind not in {WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.PING, WSMsgType.PONG}:
            return
        if not session.alive(clock()):
            continue
        if kind is WSMsgType.PING:
            connection.answer(pong_frame(message.data))
        elif kind is WSMsgType.PONG:
            continue
        elif len(message.data) > frame_bytes_max:
            connection.cut_off(CloseCode.FRAME_TOO_BIG)
        elif kind is WSMsgType.BINARY:
            session.bad_frame()
        elif (work := session.take(message.data)) is not None:
            await work
