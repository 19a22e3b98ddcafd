"""A crowd of senders on real sockets, at a pace."""

from __future__ import annotations

import asyncio

import aiohttp

from tests.browser.site import Account, Site
from tests.browser.waiting import POLL_S

ANSWERS_TIMEOUT_S = 60.0
RETRY_DEFAULT_MS = 200


class Sender:
    """One viewer on one socket. accepted: gifts that were acknowledged."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, account: Account, room: str) -> None:
        self._socket = socket
        self._account = account
        self._room = room
        self._unanswered: dict[str, dict[str, object]] = {}
        self._sent = 0
        self.accepted = 0

    async def send(self, gift: str) -> None:
        """Send one gift, without waiting for the answer."""
        self._sent += 1
        request_id = f"{self._account.id}-{self._sent}"
        frame: dict[str, object] = {"type": "gift", "id": request_id, "room": self._room, "gift": gift, "count": 1}
        self._unanswered[request_id] = frame
        await self._socket.send_json(frame)

    async def listen(self) -> None:
        """Take answers for ever; what is refused for now is sent again."""
        async for message in self._socket:
            frame = message.json()
            if frame["type"] == "gift_ack":
                del self._unanswered[frame["id"]]
                self.accepted += 1
            elif frame["type"] == "gift_nack":
                assert frame["code"] in ("rate_limited", "busy", "unavailable"), frame
                await asyncio.sleep(frame.get("retry_ms", RETRY_DEFAULT_MS) / 1000)
                await self._socket.send_json(self._unanswered[frame["id"]])

    async def close(self) -> None:
        await self._socket.close()

    @property
    def waiting(self) -> int:
        return len(self._unanswered)


class Crowd:
    """Viewers in one room who send what they are told to."""

    def __init__(self, senders: list[Sender]) -> None:
        self._senders = senders
        self._listening = [asyncio.create_task(sender.listen()) for sender in senders]

    @staticmethod
    async def enter(site: Site, room: str, size: int) -> Crowd:
        accounts = await asyncio.gather(*(site.login(f"Sender {number}") for number in range(size)))
        return Crowd([await _enter(site, account, room) for account in accounts])

    @property
    def accepted(self) -> int:
        """Gifts of all that were acknowledged."""
        return sum(sender.accepted for sender in self._senders)

    async def send(self, gifts: tuple[str, ...], *, gifts_per_second: int, seconds: int) -> None:
        """Send gifts at a pace, each sender always the same one, and wait for all answers."""
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        for number in range(gifts_per_second * seconds):
            await asyncio.sleep(max(0.0, started_s + number / gifts_per_second - loop.time()))
            sender = number % len(self._senders)
            await self._senders[sender].send(gifts[sender % len(gifts)])
        deadline_s = loop.time() + ANSWERS_TIMEOUT_S
        while any(sender.waiting for sender in self._senders):
            assert loop.time() < deadline_s, f"unanswered: {[sender.waiting for sender in self._senders]}"
            for task in self._listening:
                if task.done():
                    task.result()
            await asyncio.sleep(POLL_S)

    async def leave(self) -> None:
        for task in self._listening:
            task.cancel()
        await asyncio.gather(*self._listening, return_exceptions=True)
        for sender in self._senders:
            await sender.close()


async def _enter(site: Site, account: Account, room: str) -> Sender:
    socket = await site.http.ws_connect(f"{site.url}/ws")
    await socket.send_json({"type": "hello", "token": account.token})
    await socket.send_json({"type": "join", "room": room})
    while (await socket.receive_json(timeout=ANSWERS_TIMEOUT_S))["type"] != "joined":
        pass
    return Sender(socket, account, room)
