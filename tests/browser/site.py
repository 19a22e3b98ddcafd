"""The running server as its HTTP interface shows it: what pages are compared with, and viewers without a page."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import aiohttp

_keys = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Account:
    """Someone who is signed in."""

    id: str
    name: str
    token: str


class Site:
    """One server. Every method fails the test unless the server agrees."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url = url
        self.http = http

    async def login(self, name: str) -> Account:
        """A new viewer with 10,000 coins."""
        answer = await self.post("/demo/login", None, name=name)
        return Account(answer["user"]["id"], answer["user"]["name"], answer["token"])

    async def open_room(self, creator: Account, title: str = "A room") -> str:
        return str((await self.post("/rooms", creator, title=title))["id"])

    async def end_room(self, creator: Account, room: str) -> None:
        await self.post(f"/rooms/{room}/end", creator)

    async def give(self, sender: Account, room: str, gift: str, count: int = 1) -> dict[str, Any]:
        """A gift without a page."""
        return await self.post(f"/rooms/{room}/gifts", sender, gift=gift, count=count)

    async def room(self, room: str) -> dict[str, Any]:
        return await self.get(f"/rooms/{room}")

    async def diamonds(self, room: str) -> int:
        return int((await self.room(room))["diamonds"])

    async def viewers(self, room: str) -> int:
        return int((await self.room(room))["viewers"])

    async def top(self, room: str, limit: int = 3) -> list[str]:
        """User ids, the highest first."""
        return [place["user"]["id"] for place in (await self.get(f"/rooms/{room}/top?limit={limit}"))["top"]]

    async def coins(self, account: Account) -> int:
        return int((await self.get("/wallet", account))["coins"])

    async def get(self, path: str, account: Account | None = None) -> dict[str, Any]:
        async with self.http.get(f"{self.url}/api/v1{path}", headers=_headers(account)) as answer:
            return await _read(answer)

    async def post(self, path: str, account: Account | None, **body: Any) -> dict[str, Any]:
        headers = {**_headers(account), "Idempotency-Key": f"browser-suite-{next(_keys)}"}
        async with self.http.post(f"{self.url}/api/v1{path}", json=body, headers=headers) as answer:
            return await _read(answer)

    async def put(self, path: str, account: Account, **body: Any) -> dict[str, Any]:
        sent = {"json": body} if body else {}
        async with self.http.put(f"{self.url}/api/v1{path}", headers=_headers(account), **sent) as answer:
            return await _read(answer)


def _headers(account: Account | None) -> dict[str, str]:
    return {} if account is None else {"Authorization": f"Bearer {account.token}"}


async def _read(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    body: dict[str, Any] = await answer.json(content_type=None)
    assert answer.ok, f"{answer.method} {answer.url.path} was answered {answer.status}: {body}"
    return body
