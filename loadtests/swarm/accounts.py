"""The users of a load test: each with a token and coins, and the rooms they go to.

Where the server's key and ledger are at hand (a `serve` on this machine, or GIFTSTREAM_TOKEN_SECRET and DATABASE_URL),
every user has an account of its own. Elsewhere users log in as the demo allows, and several watch with one account.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass

import aiohttp

from loadtests.funding import give_coins, token
from loadtests.ledger_pool import ledger_pool
from server.settings import Settings

COINS = 100_000_000
DEMO_LOGINS_MAX = 100
"""The demo lets so many log in from one address in a minute, and a few more."""

WATCHERS_PER_ACCOUNT = 8
"""A user may have ten connections; a probe has two."""

ROOMS_MAX = 4


@dataclass(frozen=True, slots=True)
class Account:
    """A user. coins: what its wallet held before the test."""

    user: str
    token: str
    coins: int


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part: those that give, each alone with its account, and those that watch; and where."""

    givers: list[Account]
    watchers: list[Account]
    rooms: list[str]


class CastError(Exception):
    """There is nobody to play with; one line says why."""


async def signed_cast(settings: Settings, url: str, givers: int, watchers: int) -> Cast:
    """Accounts signed with the server's own key and funded in its own ledger."""
    run = uuid.uuid4().hex[:8]
    giver_ids = [f"load-{run}-giver-{n}" for n in range(givers)]
    watcher_ids = [f"load-{run}-watcher-{n}" for n in range(watchers)]
    async with ledger_pool(settings) as pool:
        await give_coins(pool, giver_ids, COINS)
    return Cast(
        [Account(user, token(settings, user), COINS) for user in giver_ids],
        [Account(user, token(settings, user), 0) for user in watcher_ids],
        await _rooms(url, token(settings, f"load-{run}-creator")),
    )


async def demo_cast(url: str, givers: int, watchers: int) -> Cast:
    """Accounts of the demo login. Raises CastError when there is none."""
    wanted = min(DEMO_LOGINS_MAX, givers + -(-watchers // WATCHERS_PER_ACCOUNT))
    async with aiohttp.ClientSession() as session:
        accounts = []
        for n in range(wanted):
            async with session.post(f"{url}/api/v1/demo/login", json={"name": f"load {n}"}) as response:
                if response.status == 404:
                    raise CastError(f"{url} has no demo login: set GIFTSTREAM_TOKEN_SECRET and DATABASE_URL to its own")
                if response.status == 429:
                    break
                response.raise_for_status()
                held = await response.json()
                accounts.append(Account(held["user"]["id"], held["token"], held["coins"]))
    if len(accounts) < 3:
        raise CastError(f"{url} lets nobody more log in for now: wait a minute")
    # Half give, each with an account of its own; the other half of the accounts is shared by those who watch.
    giving = min(givers, len(accounts) // 2)
    return Cast(accounts[:giving], accounts[giving:], await _rooms(url, accounts[-1].token))


async def _rooms(url: str, creator: str) -> list[str]:
    """Rooms that are live and open to all, the demo's first; one opened when there is none. Raises CastError."""
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {creator}"}) as session:
        async with session.get(f"{url}/api/v1/rooms") as response:
            response.raise_for_status()
            rooms = (await response.json())["rooms"]
        live = [room["id"] for room in rooms if room["state"] == "live" and room.get("ticket") is None]
        if live:
            return live[:ROOMS_MAX]
        async with session.post(f"{url}/api/v1/rooms", json={"title": "Load test"}) as response:
            if response.status != 201:
                raise CastError(f"{url} has no live room, and does not let us open one (status {response.status})")
            return [(await response.json())["id"]]


async def wait_ready(url: str, timeout_s: float) -> None:
    """Wait until /readyz answers 200. Raises CastError."""
    deadline_s = asyncio.get_running_loop().time() + timeout_s
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"{url}/readyz") as response:
                    if response.status == 200:
                        return
                    said = f"{response.status} {(await response.text())[:200]}"
            except aiohttp.ClientError as error:
                said = str(error)
            if asyncio.get_running_loop().time() > deadline_s:
                raise CastError(f"{url} is not ready: {said}")
            await asyncio.sleep(0.2)
