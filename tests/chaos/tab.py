"""One open page of a viewer: a WebSocket that is opened again as the protocol says, on whichever gateway answers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any

import aiohttp
import orjson

from tests.chaos.findings import Findings
from tests.chaos.room_view import RoomView

CONNECT_TIMEOUT_S = 3.0
WELCOME_TIMEOUT_S = 6.0
JOIN_TIMEOUT_S = 8.0
JOIN_RETRY_S = (0.2, 0.6)
CLOSE_TIMEOUT_S = 0.5
BACKOFF_FIRST_S = 0.1
BACKOFF_MAX_S = 2.0

LOST = 1006
RESTART = 1012
COMES_BACK = frozenset({1001, LOST, RESTART, 4408, 4409, 4410, 4429})
"""After these a client comes back by itself; after any other close code it does not."""

OnFrame = Callable[["Tab", dict[str, Any]], None]


class Tab:
    """A connection, and what its page shows. on_frame gets every frame that is not about a room's state."""

    def __init__(
        self,
        name: str,
        token: str,
        views: dict[str, RoomView],
        addresses: list[str],
        http: aiohttp.ClientSession,
        rng: Random,
        findings: Findings,
        on_frame: OnFrame,
        on_lost: Callable[[Tab], None],
    ) -> None:
        self.name = name
        self.views = views
        self.joined: set[str] = set()
        self.coins: int | None = None
        self.closes: dict[int, int] = {}
        self._token = token
        self._addresses = addresses
        self._http = http
        self._rng = rng
        self._findings = findings
        self._on_frame = on_frame
        self._on_lost = on_lost
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._welcomed = False
        self._retry_ms = 0
        self._asked: dict[str, tuple[str | None, float]] = {}
        """Joins without an answer yet: `since`, and when the patience ends."""
        self._sending: set[asyncio.Task[None]] = set()

    def can_send(self, room: str) -> bool:
        """Whether a gift to that room can go out here now."""
        return self._socket is not None and (room in self.joined or (self._welcomed and self.views[room].ended))

    def describe(self) -> str:
        """Where this page stands."""
        state = "connected" if self._socket is not None else "not connected"
        welcome = "welcome" if self._welcomed else "no welcome"
        return f"{self.name} is {state}, {welcome}, in {sorted(self.joined)}, closes {self.closes}"

    def send(self, frame: dict[str, Any]) -> None:
        """Write a frame; a connection that is gone loses it, as a network does."""
        if self._socket is None or self._socket.closed:
            return
        task = asyncio.ensure_future(self._write(self._socket, orjson.dumps(frame).decode()))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    def drop(self) -> None:
        """Lose the connection without a word, as a phone in a tunnel does."""
        if self._socket is not None and (raw := self._socket.get_extra_info("socket")) is not None:
            try:
                raw.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it was gone already

    async def run(self) -> None:
        """Stay connected until cancelled, or until a close code says not to come back."""
        failures = 0
        while True:
            self._welcomed, self._retry_ms = False, 0
            code = await self._stay(self._rng.choice(self._addresses))
            self.closes[code] = self.closes.get(code, 0) + 1
            if code not in COMES_BACK:
                self._findings.add(f"{self.name} was closed with {code} and stays away")
                return
            failures = 0 if self._welcomed else failures + 1
            most_s = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2**failures)
            if code == RESTART:
                most_s = self._retry_ms / 1000
            await asyncio.sleep(self._rng.uniform(0, most_s))

    async def _stay(self, address: str) -> int:
        """One connection from its start to its end; answers the close code."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                opened = await self._http.ws_connect(
                    f"http://{address}/ws",
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S),
                    compress=0,
                    max_msg_size=0,
                )
        except (aiohttp.ClientError, OSError, TimeoutError):
            return LOST
        self._socket = opened
        joining = asyncio.ensure_future(self._keep_joined())
        try:
            self.send({"type": "hello", "token": self._token})
            await self._read(opened)
        finally:
            self._socket = None
            self.joined.clear()
            self._asked.clear()
            joining.cancel()
            for task in self._sending:
                task.cancel()
            self.drop_socket(opened)
            self._on_lost(self)
            with suppress(aiohttp.ClientError, OSError, RuntimeError):
                await opened.close()  # nobody answers any more: it gives back what the client library holds
        return int(opened.close_code or LOST)

    @staticmethod
    def drop_socket(opened: aiohttp.ClientWebSocketResponse) -> None:
        """Give the descriptor back without a closing handshake: the peer may be stopped."""
        raw = opened.get_extra_info("socket")
        if raw is not None:
            try:
                raw.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

    async def _read(self, opened: aiohttp.ClientWebSocketResponse) -> None:
        loop = asyncio.get_running_loop()
        welcome_by_s = loop.time() + WELCOME_TIMEOUT_S
        while True:
            try:
                async with asyncio.timeout_at(None if self._welcomed else welcome_by_s):
                    message = await opened.receive()
            except TimeoutError:
                return
            if message.type is aiohttp.WSMsgType.TEXT:
                self._take(orjson.loads(message.data), message.data)
            elif message.type is aiohttp.WSMsgType.CLOSE:
                self._retry_ms = _retry_ms(message.extra)
                return
            else:
                return

    def _take(self, frame: dict[str, Any], text: str) -> None:
        kind = frame["type"]
        if kind == "delta":
            self.views[frame["room"]].delta(frame, text)
        elif kind == "joined":
            room = frame["room"]
            since, _ = self._asked.pop(room, (None, 0.0))
            self.views[room].joined(frame, since)
            self.joined.add(room)
        elif kind == "room_ended":
            self.views[frame["room"]].end(frame)
        elif kind == "welcome":
            self._welcomed = True
            self.coins = frame["coins"]
        elif kind == "error":
            if frame["code"] not in {"unavailable", "room_ended"}:
                self._findings.add(f"{self.name} got {frame}")
            self._asked.pop(frame.get("room", ""), None)
            if frame["code"] == "room_ended":
                self.views[frame["room"]].ended = True
        else:
            self._on_frame(self, frame)

    async def _keep_joined(self) -> None:
        """Ask to join until joined: a join may be refused while a store is away."""
        loop = asyncio.get_running_loop()
        while True:
            if any(patience_s < loop.time() for _, patience_s in self._asked.values()):
                self.drop()
                return
            for room, view in self.views.items():
                if self._welcomed and not view.ended and room not in self.joined and room not in self._asked:
                    self._asked[room] = (view.position, loop.time() + JOIN_TIMEOUT_S)
                    since = {"since": view.position} if view.position else {}
                    self.send({"type": "join", "room": room, **since})
            await asyncio.sleep(self._rng.uniform(*JOIN_RETRY_S) if self._welcomed else 0.02)

    async def _write(self, opened: aiohttp.ClientWebSocketResponse, text: str) -> None:
        try:
            await opened.send_str(text)
        except (aiohttp.ClientError, OSError, RuntimeError):
            return  # the reader sees the end


def _retry_ms(reason: str | None) -> int:
    try:
        return int(orjson.loads(reason or "")["retry_ms"])
    except (ValueError, KeyError, TypeError):
        return 0
