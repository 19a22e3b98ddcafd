"""A viewer's wallet and history, and a creator's earnings: right from the acknowledgement on, settled or not."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from server.ledger import history as history_of
from server.ledger.settle import Settler
from server.rooms.apply import RoomsReader
from server.settings import Settings
from server.stores import keys, postgres, redis
from server.wallet.opening import ShardOpener
from server.wallet.unsettled import unsettled_gifts
from tests.web.gateways import Gateway


@pytest.fixture
async def settle(settings: Settings) -> AsyncIterator[Any]:
    """Settles everything that is in the logs."""
    client = await redis.connect(settings.redis_url)
    pool = await postgres.connect(settings.database_url, size_max=4)
    opener = ShardOpener(client, pool, settings)

    async def settle_all() -> None:
        await opener.open_all()
        settler = Settler(client, pool, settings)
        for shard in range(settings.wallet_shards):
            while await settler.settle_once(shard):
                pass

    yield settle_all
    await pool.close()
    await client.aclose()


async def history(gateway: Gateway, token: str, limit: int) -> list[dict[str, Any]]:
    """All pages."""
    gifts: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        status, page = await gateway.get("/wallet/gifts", token, limit=limit, **({"cursor": cursor} if cursor else {}))
        assert status == 200
        assert len(page["gifts"]) <= limit
        gifts += page["gifts"]
        if (cursor := page["next"]) is None:
            return gifts


async def test_a_wallet_shows_coins_and_what_is_not_yet_settled(gateway: Gateway, settle: Any):
    room = await gateway.open_room()
    token = await gateway.coins("vera", 100)
    assert await gateway.get("/wallet", token) == (200, {"coins": 100, "pending": 0})
    await gateway.post(f"/rooms/{room}/gifts", {"gift": "rose", "count": 30}, token)
    assert await gateway.get("/wallet", token) == (200, {"coins": 70, "pending": 30})
    await settle()
    assert await gateway.get("/wallet", token) == (200, {"coins": 70, "pending": 0})


async def test_a_balance_is_shown_while_postgres_stands_still(gateway: Gateway, settings: Settings):
    token = await gateway.coins("vera", 100)
    assert await gateway.get("/wallet", token) == (200, {"coins": 100, "pending": 0})
    conn = await postgres.connect_once(settings.database_url)
    sessions = await conn.fetch(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await conn.close()
    for session in sessions:
        os.kill(session["pid"], signal.SIGSTOP)
    try:
        async with asyncio.timeout(30):
            assert await gateway.get("/wallet", token) == (200, {"coins": 100, "pending": 0})
    finally:
        for session in sessions:
            os.kill(session["pid"], signal.SIGCONT)


async def test_somebody_new_has_an_empty_wallet_and_history(gateway: Gateway):
    token = gateway.token("newcomer")
    assert await gateway.get("/wallet", token) == (200, {"coins": 0, "pending": 0})
    assert await gateway.get("/wallet/gifts", token) == (200, {"gifts": [], "next": None})


async def test_the_history_holds_each_gift_once_whether_settled_or_not(gateway: Gateway, settle: Any):
    room = await gateway.open_room()
    token, other = await gateway.coins("vera", 1000), await gateway.coins("walt", 1000)
    sent: list[str] = []
    for round_ in range(2):
        for count in range(1, 6):
            _, gift = await gateway.post(f"/rooms/{room}/gifts", {"gift": "rose", "count": count}, token)
            sent.append(gift["gift_id"])
            await gateway.post(f"/rooms/{room}/gifts", {"gift": "rose", "count": 9}, other)
        if round_ == 0:
            await settle()
    for limit in (1, 3, 5, 10, 100):
        gifts = await history(gateway, token, limit)
        assert [gift["gift_id"] for gift in gifts] == sent[::-1]
        assert [gift["status"] for gift in gifts] == ["accepted"] * 5 + ["settled"] * 5
        assert [gift["count"] for gift in gifts] == [5, 4, 3, 2, 1] * 2
    assert {(gift["room"], gift["gift"]) for gift in gifts} == {(room, "rose")}
    await settle()
    assert {gift["status"] for gift in await history(gateway, token, 3)} == {"settled"}


async def test_a_gift_settled_between_the_two_reads_is_in_the_history_once(
    gateway: Gateway, worker: RoomsReader, settle: Any, monkeypatch: pytest.MonkeyPatch
):
    """Whichever of log and ledger is read first, everything is settled and trimmed before the other one is."""
    room = await gateway.open_room()
    token = await gateway.coins("vera", 100)
    reads = 0

    def then_settle(read: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def wrapped(*arguments: Any, **more: Any) -> Any:
            nonlocal reads
            found = await read(*arguments, **more)
            reads += 1
            if reads == 1:
                await settle()
                await until_trimmed(gateway)
            return found

        return wrapped

    monkeypatch.setattr("server.wallet.gift_history.unsettled_gifts", then_settle(unsettled_gifts))
    monkeypatch.setattr("server.wallet.gift_history.history.gifts", then_settle(history_of.gifts))
    for sent in range(1, 4):
        await gateway.post(f"/rooms/{room}/gifts", {"gift": "rose", "count": 1}, token)
        reads = 0
        ids = [gift["gift_id"] for gift in (await gateway.get("/wallet/gifts", token))[1]["gifts"]]
        assert reads == 2
        assert len(set(ids)) == len(ids) == sent


async def until_trimmed(gateway: Gateway) -> None:
    """Waits until no log holds anything."""
    client = await redis.connect(gateway.settings.redis_url)
    async with asyncio.timeout(20):
        while sum([await client.xlen(keys.shard_log(shard)) for shard in range(gateway.settings.wallet_shards)]):
            await asyncio.sleep(0.02)
    await client.aclose()


@pytest.mark.parametrize("cursor", ["x", "WzFd", "WzEsLTFd", "WzEsOTk5OTk5OTk5OTk5OTk5OTk5OTk5XQ", "WyJhIiwxXQ"])
async def test_a_cursor_that_is_none_of_ours_is_a_bad_request(gateway: Gateway, cursor: str):
    status, problem = await gateway.get("/wallet/gifts", gateway.token("vera"), cursor=cursor)
    assert (status, problem["code"]) == (400, "bad_request")


async def test_a_creator_sees_settled_and_pending_diamonds_in_all_and_by_room(
    gateway: Gateway, worker: RoomsReader, settle: Any
):
    first, second = await gateway.open_room("cara"), await gateway.open_room("cara")
    other = await gateway.open_room("carl")
    token, creator = await gateway.coins("vera", 1000), gateway.token("cara", "creator")
    for room, count in ((first, 10), (other, 50)):
        await gateway.post(f"/rooms/{room}/gifts", {"gift": "rose", "count": count}, token)
    await earned(gateway, creator, {"settled": 0, "pending": 10})
    await settle()
    await gateway.post(f"/rooms/{second}/gifts", {"gift": "rose", "count": 7}, token)
    earnings = await earned(gateway, creator, {"settled": 10, "pending": 7})
    assert [(room["id"], room["diamonds"], room["pending"], room["gifts"]) for room in earnings["rooms"]] == [
        (second, 7, 7, 7),
        (first, 10, 0, 10),
    ]
    assert {room["state"] for room in earnings["rooms"]} == {"live"}
    await settle()
    await earned(gateway, creator, {"settled": 17, "pending": 0})
    assert (await gateway.get("/creator/earnings", gateway.token("nobody")))[1] == {
        "diamonds": {"settled": 0, "pending": 0},
        "rooms": [],
        "next": None,
    }


async def earned(gateway: Gateway, token: str, diamonds: dict[str, int]) -> dict[str, Any]:
    """Waits until the worker has counted so much."""
    async with asyncio.timeout(10):
        while True:
            status, earnings = await gateway.get("/creator/earnings", token)
            assert status == 200
            if earnings["diamonds"] == diamonds:
                return dict(earnings)
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("path", ["/wallet", "/wallet/gifts", "/creator/earnings"])
async def test_money_is_shown_to_its_owner_only(gateway: Gateway, path: str):
    for headers in (
        {},
        {"Authorization": "Bearer x"},
        {"Authorization": gateway.token("vera")},
        {"Authorization": "Basic dmVyYQ=="},
    ):
        status, problem = await gateway.call("GET", path, headers=headers)
        assert (status, problem["code"]) == (401, "unauthorized")
