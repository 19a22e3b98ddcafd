"""A real WebSocket client that checks every frame it receives against the AsyncAPI document."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from typing import Any

import aiohttp
import jsonschema
import orjson

from server.web.asyncapi import asyncapi, frame_type
from server.web.server_frames import SERVER_FRAMES

TIMEOUT_S = 10.0

_schemas = asyncapi()["components"]["schemas"]
_VALIDATORS = {
    frame_type(frame): jsonschema.Draft202012Validator(
        {"$ref": f"#/components/schemas/{frame.__name__}", "components": {"schemas": _schemas}}
    )
    for frame in SERVER_FRAMES
}

Frame = dict[str, Any]


def check_frame(frame: Frame) -> None:
    """Fails unless the API document describes this frame."""
    _VALIDATORS[frame["type"]].validate(frame)


class Client:
    """One socket. `seen` holds all frames received and not yet asked for."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.seen: list[Frame] = []
        self._ids = (f"{uuid.uuid4().hex}-{number}" for number in itertools.count(1))

    @property
    def close_code(self) -> int | None:
        return self.socket.close_code

    async def send(self, **frame: Any) -> None:
        await self.socket.send_str(orjson.dumps(frame).decode())

    async def send_text(self, raw: str) -> None:
        await self.socket.send_str(raw)

    async def send_raw(self, raw: bytes) -> None:
        """A text frame of any bytes."""
        await self.socket.send_frame(raw, aiohttp.WSMsgType.TEXT)

    async def receive(self, *types: str, timeout_s: float = TIMEOUT_S) -> Frame:
        """The next frame of one of these types; others wait in `seen`."""
        return await self.receive_where(lambda frame: frame["type"] in types, f"{types}", timeout_s)

    async def receive_where(self, wanted: Any, what: str, timeout_s: float = TIMEOUT_S) -> Frame:
        for frame in self.seen:
            if wanted(frame):
                self.seen.remove(frame)
                return frame
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    frame = await self._next()
                    if wanted(frame):
                        return frame
                    self.seen.append(frame)
        except TimeoutError:
            raise AssertionError(f"waited for {what}, got {self.seen}") from None

    async def ask(self, **frame: Any) -> Frame:
        """Sends a frame under a fresh id, unless it has one, and waits for the answer with that id."""
        frame.setdefault("id", next(self._ids))
        await self.send(**frame)
        return await self.receive_where(lambda answer: answer.get("id") == frame["id"], f"the answer to {frame}")

    async def hello(self, token: str) -> Frame:
        await self.send(type="hello", token=token)
        return await self.receive("welcome")

    async def join(self, room: str, since: str | None = None) -> Frame:
        await self.send(type="join", room=room, **({} if since is None else {"since": since}))
        return await self.receive("joined")

    async def gift(self, room: str, gift: str = "rose", count: Any = 1, **more: Any) -> Frame:
        return await self.ask(type="gift", room=room, gift=gift, count=count, **more)

    async def closed(self, timeout_s: float = TIMEOUT_S) -> tuple[int | None, str]:
        """Waits for the end; the close code and reason of the server."""
        async with asyncio.timeout(timeout_s):
            while True:
                message = await self.socket.receive()
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._keep(message.data)
                elif message.type is aiohttp.WSMsgType.CLOSE:
                    return message.data, message.extra or ""
                elif message.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR, aiohttp.WSMsgType.CLOSING}:
                    return self.socket.close_code, ""

    async def silent(self, *types: str) -> None:
        """Fails if a frame of these types was received before the answer to a ping sent now."""
        await self.send(type="ping", ts=4711)
        await self.receive_where(lambda frame: frame["type"] == "pong" and frame["ts"] == 4711, "pong")
        unwanted = [frame for frame in self.seen if frame["type"] in types]
        assert not unwanted

    async def close(self) -> None:
        await self.socket.close()

    async def _next(self) -> Frame:
        message = await self.socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise AssertionError(f"the socket ended: {message.type!r} {message.data!r}; received before: {self.seen}")
        frame: Frame = orjson.loads(message.data)
        check_frame(frame)
        return frame

    def _keep(self, raw: str) -> None:
        frame: Frame = orjson.loads(raw)
        check_frame(frame)
        self.seen.append(frame)
