"""The handshake that makes a WebSocket of a request (RFC 6455, section 4.2): no subprotocols, no extensions."""

import base64
import binascii
import hashlib

from aiohttp import hdrs, web

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY_BYTES = 16


async def accept(request: web.Request) -> web.StreamResponse:
    """Answers 101; from then on the connection is a WebSocket. Raises HTTPBadRequest for anything else than a client
    that asks for one.
    """
    headers = request.headers
    if "websocket" not in _tokens(headers.get(hdrs.UPGRADE)) or "upgrade" not in _tokens(headers.get(hdrs.CONNECTION)):
        raise web.HTTPBadRequest(text="This address is for WebSockets.")
    if headers.get(hdrs.SEC_WEBSOCKET_VERSION) != "13":
        raise web.HTTPBadRequest(text="The WebSocket version must be 13.")
    key = headers.get(hdrs.SEC_WEBSOCKET_KEY, "").strip()
    if not _is_key(key):
        raise web.HTTPBadRequest(text="The WebSocket key must be 16 bytes in base64.")
    digest = hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()
    response = web.StreamResponse(
        status=101,
        headers={
            hdrs.UPGRADE: "websocket",
            hdrs.CONNECTION: "upgrade",
            hdrs.SEC_WEBSOCKET_ACCEPT: base64.b64encode(digest).decode(),
        },
    )
    response.force_close()
    await response.prepare(request)
    return response


def _tokens(header: str | None) -> set[str]:
    return {token.strip().lower() for token in (header or "").split(",")}


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == _KEY_BYTES
    except (binascii.Error, ValueError):
        return False
