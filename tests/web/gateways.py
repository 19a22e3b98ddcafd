"""Gateways and workers in the test's own process, on real stores and a real port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import aiohttp

from server.domain.controls import Period
from server.domain.ids import UserId
from server.gateway import run_gateway
from server.ledger import controls as ledger_controls
from server.ledger import wallets as ledger_wallets
from server.settings import Settings
from server.stores import postgres, redis
from server.stores.postgres import Pool
from server.wallet.opening import ShardOpener
from server.wallet.wallets import Wallets
from server.web.tokens import issue_token
from tests.web.client import Client

START_TIMEOUT_S = 20.0


class Gateway:
    """A gateway that runs, and clients of it."""

    def __init__(self, settings: Settings, port: int, stopping: asyncio.Event, http: aiohttp.ClientSession) -> None:
        self.settings = settings
        self.port = port
        self.stopping = stopping
        self.ended = asyncio.Event()
        self.http = http
        self.clients: list[Client] = []
        """All that were made: one that nobody holds any more would be closed by the collector."""
        self._granted = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, user_id: str, role: str = "viewer", **more: Any) -> str:
        return issue_token(
            self.settings, user_id, more.pop("name", user_id.title()), role, more.pop("ttl_s", 600), **more
        )

    async def coins(self, user_id: str, coins: int) -> str:
        """Gives a user coins, and answers a token."""
        self._granted += 1
        async with await postgres.connect(self.settings.database_url, size_max=1) as pool:
            reference = f"{user_id}:{self.port}:{self._granted}"
            await ledger_wallets.grant(pool, UserId(user_id), coins, "promotion", reference, "test")
        return self.token(user_id)

    async def block(self, user_id: str, blocked: bool) -> None:
        """Blocks a wallet, as an operator would."""
        async with self._wallets() as (wallets, _):
            await wallets.block(user_id, blocked)

    async def limit(self, user_id: str, period: Period, coins: int) -> None:
        """Sets a budget, as its owner would."""
        async with self._wallets() as (wallets, pool):
            async with pool.acquire() as conn, conn.transaction():
                await ledger_controls.change_limit(conn, UserId(user_id), period, coins)
            await wallets.refresh(user_id)

    async def pause(self, user_id: str, until: datetime) -> None:
        """Pauses spending, as its owner would."""
        async with self._wallets() as (wallets, pool):
            async with pool.acquire() as conn, conn.transaction():
                await ledger_controls.exclude(conn, UserId(user_id), until)
            await wallets.refresh(user_id)

    @asynccontextmanager
    async def _wallets(self) -> AsyncIterator[tuple[Wallets, Pool]]:
        client = await redis.connect(self.settings.redis_url)
        async with await postgres.connect(self.settings.database_url, size_max=1) as pool:
            opener = ShardOpener(client, pool, self.settings)
            yield Wallets(client, pool, opener, self.settings), pool
        await client.aclose()

    async def connect(self, **options: Any) -> Client:
        """A socket that has not said hello. Options as of aiohttp's ws_connect."""
        options.setdefault("max_msg_size", 0)
        client = Client(await self.http.ws_connect(f"{self.url}/ws", **options))
        self.clients.append(client)
        return client

    async def enter(self, token: str, *rooms: str) -> Client:
        """A socket that said hello and joined rooms."""
        client = await self.connect()
        await client.hello(token)
        for room in rooms:
            await client.join(room)
        return client

    async def open_room(self, creator: str = "cara", title: str = "A room") -> str:
        """Opens a room over HTTP; its id."""
        status, room = await self.post("/rooms", {"title": title}, self.token(creator, "creator"))
        assert status == 201, room
        return str(room["id"])

    async def end_room(self, room: str, creator: str = "cara") -> None:
        status, answer = await self.post(f"/rooms/{room}/end", {}, self.token(creator, "creator"))
        assert status == 200, answer

    async def get(self, path: str, token: str | None = None, **params: Any) -> tuple[int, Any]:
        return await self.call("GET", path, token, params=params)

    async def post(self, path: str, body: Any, token: str | None = None, **headers: str) -> tuple[int, Any]:
        return await self.call("POST", path, token, json=body, headers=headers)

    async def call(self, method: str, path: str, token: str | None = None, **options: Any) -> tuple[int, Any]:
        """One call under /api/v1: status and decoded answer, or the bytes of a file that is no JSON."""
        headers = {name.replace("_", "-"): value for name, value in options.pop("headers", {}).items()}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        async with self.http.request(method, f"{self.url}/api/v1{path}", headers=headers, **options) as response:
            is_json = response.content_type in {"application/json", "application/problem+json"}
            return response.status, await (response.json(content_type=None) if is_json else response.read())


@asynccontextmanager
async def running_gateway(settings: Settings) -> AsyncIterator[Gateway]:
    """A gateway on a free port; drained at the end. What fails in it fails the test."""
    stopping = asyncio.Event()
    listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(run_gateway(settings, stopping=stopping, listening=listening))
    async with asyncio.timeout(START_TIMEOUT_S):
        await asyncio.wait({running, listening}, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        await running
    async with aiohttp.ClientSession() as http:
        gateway = Gateway(settings, listening.result(), stopping, http)
        running.add_done_callback(lambda _: gateway.ended.set())
        try:
            yield gateway
        finally:
            await http.close()
            stopping.set()
            await running
