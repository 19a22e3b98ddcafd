"""What arrives on one WebSocket: frames go from aiohttp's parser straight to the session, with no task in between.

A frame that has to be waited for (a hello, a join) holds up those behind it: they wait in aiohttp's own queue, which
pauses the reading when much is in it.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader
from aiohttp.http import WebSocketError, WSMessage, WSMessageTextBytes, WSMsgType
from aiohttp.web_protocol import RequestHandler

from server.web.close_codes import CloseCode
from server.web.frames import pong_frame
from server.web.session import Session

log = structlog.get_logger()

FRAME_READ_FACTOR = 8
"""A frame up to this many times too big is read, so that its close code arrives; above, the connection just breaks."""

WAITING_BYTES_MAX = 65_536
"""Of frames that wait for one before them; past twice as much, reading pauses."""


class Intake(WebSocketDataQueue):
    """Hands a connection's frames to its session, one after the other."""

    def __init__(self, protocol: RequestHandler, session: Session, frame_bytes_max: int) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(protocol, WAITING_BYTES_MAX, loop=loop)
        self._session = session
        self._frame_bytes_max = frame_bytes_max
        self._clock = loop.time
        self._ended: asyncio.Future[None] = loop.create_future()
        self._work: asyncio.Task[None] | None = None
        """What the frames in the queue wait for."""

    async def run(self, protocol: RequestHandler) -> None:
        """Takes what the connection brings; returns when it has ended and nothing of it is under way any more.

        Raises whatever the handling of a frame raised.
        """
        size_max = FRAME_READ_FACTOR * self._frame_bytes_max
        protocol.set_parser(WebSocketReader(self, size_max, compress=False, decode_text=False))
        try:
            await self._ended
        finally:
            if self._work is not None:
                await self._work

    # What the parser calls

    def feed_data(self, message: Any, size: int) -> None:
        """A frame."""
        if self._work is not None:
            super().feed_data(message, size)
            return
        try:
            work = self._take(message)
        except Exception as error:  # noqa: BLE001 - handed to `run`
            self._fail(error)
            return
        if work is not None:
            self._work = asyncio.create_task(self._work_through(work))

    def feed_eof(self) -> None:
        """The connection is gone."""
        self._end()

    def set_exception(self, exc: BaseException, *_: object) -> None:
        """What arrived is no WebSocket frame."""
        if isinstance(exc, WebSocketError):
            self._session.connection.cut_off(exc.code, "")
            self._end()
        else:
            self._fail(exc)

    # What comes of it

    def _take(self, message: WSMessage | WSMessageTextBytes) -> Coroutine[Any, Any, None] | None:
        """Handles a frame; what is returned has to be awaited before the next one."""
        kind, data, _ = message
        session = self._session
        connection = session.connection
        if kind is WSMsgType.CLOSE:
            connection.closed_by_peer()
            self._end()
        elif not session.alive(self._clock()):
            # Only listened to for its end.
            return None
        elif kind is WSMsgType.TEXT:
            if len(data) <= self._frame_bytes_max:
                return session.take(data)
            connection.cut_off(CloseCode.FRAME_TOO_BIG)
        elif kind is WSMsgType.PING:
            connection.answer(pong_frame(data))
        elif kind is WSMsgType.BINARY:
            if len(data) <= self._frame_bytes_max:
                session.bad_frame()
            else:
                connection.cut_off(CloseCode.FRAME_TOO_BIG)
        return None

    async def _work_through(self, work: Coroutine[Any, Any, None]) -> None:
        """Awaits what the queue waits for, then takes what is in it."""
        try:
            await work
            while self._buffer:
                more = self._take(await self.read())
                if more is not None:
                    await more
        except Exception as error:  # noqa: BLE001 - handed to `run`
            self._fail(error)
        finally:
            self._work = None

    def _fail(self, error: BaseException) -> None:
        if self._ended.done():
            log.error("a session that had ended failed", session=self._session.id, exc_info=error)
        else:
            self._ended.set_exception(error)

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)
