"""A viewer on real sockets who does not give up, and HTTP beside it."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import orjson

WINDOW = 8
"""Gifts on their way at a time."""
WINDOWS_PER_CONNECTION = 2
"""After so many, the next connection is opened: over a while, both gateways of a port have each viewer."""
TIMEOUT_S = 120.0
ANSWER_TIMEOUT_S = 10.0
POLL_S = 0.05

Answer = dict[str, Any]


class Giver:
    """A viewer who asks again, under the same id, until each gift is answered.

    answers: by request id. charged_again: ids that were answered in two ways. connections: how many it took.
    """

    def __init__(self, http: aiohttp.ClientSession, url: str, login: Answer, room: str) -> None:
        self._http = http
        self._url = url
        self._room = room
        self.id = login["user"]["id"]
        self.token = login["token"]
        self.answers: dict[str, Answer] = {}
        self.charged_again: list[str] = []
        self.connections = 0

    async def give_all(self, gifts: list[tuple[str, str, int]]) -> None:
        """Send (request id, gift, count) of each until all are answered, over as many connections as it takes."""
        async with asyncio.timeout(TIMEOUT_S):
            while any(request_id not in self.answers for request_id, _, _ in gifts):
                try:
                    await self._give_on_one_connection(gifts)
                except (aiohttp.ClientError, ConnectionError, TimeoutError, StopAsyncIteration):
                    await asyncio.sleep(POLL_S)

    async def _give_on_one_connection(self, gifts: list[tuple[str, str, int]]) -> None:
        async with self._http.ws_connect(f"{self._url}/ws") as socket:
            self.connections += 1
            await socket.send_json({"type": "hello", "token": self.token})
            await socket.send_json({"type": "join", "room": self._room})
            await next_frame(socket, "joined")
            left = [gift for gift in gifts if gift[0] not in self.answers][: WINDOW * WINDOWS_PER_CONNECTION]
            while left:
                window, left = left[:WINDOW], left[WINDOW:]
                for request_id, gift, count in window:
                    frame = {"type": "gift", "id": request_id, "room": self._room, "gift": gift, "count": count}
                    await socket.send_json(frame)
                for _ in window:
                    await self._take(await next_frame(socket, "gift_ack", "gift_nack"))

    async def _take(self, answer: Answer) -> None:
        if answer["type"] == "gift_nack":
            assert answer["code"] in ("unavailable", "busy", "rate_limited"), answer
            return
        known = self.answers.setdefault(answer["id"], answer)
        if known != answer:
            self.charged_again.append(answer["id"])


async def next_frame(socket: aiohttp.ClientWebSocketResponse, *types: str) -> Answer:
    """The next frame of one of these types. Raises ConnectionError when the socket ends."""
    while True:
        message = await socket.receive(timeout=ANSWER_TIMEOUT_S)
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionError(f"the socket ended: {message.type!r}")
        frame: Answer = orjson.loads(message.data)
        if frame["type"] in types:
            return frame


async def get(http: aiohttp.ClientSession, url: str, token: str = "") -> Answer:
    async with http.get(url, headers=_bearer(token)) as answer:
        body: Answer = await answer.json()
        assert answer.ok, body
        return body


async def post(http: aiohttp.ClientSession, url: str, token: str = "", **body: str) -> Answer:
    async with http.post(url, json=body, headers=_bearer(token)) as answer:
        read: Answer = await answer.json()
        assert answer.ok, read
        return read


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}
