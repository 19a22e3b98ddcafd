"""Notices: the feed, what is unread, and each new one once on every open socket, whoever wrote it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from server.ledger import notices
from server.ledger.notices import EVERYBODY, announce, notify
from server.ledger.profiles import settle_region
from server.settings import Settings
from server.stores import redis
from server.stores.postgres import Pool
from server.web import notices as live
from server.web.notices import Notices
from server.web.sessions import Sessions
from tests.web.conftest import StartGateway
from tests.web.gateways import Gateway


@pytest.fixture
async def elsewhere(settings: Settings, pool: Pool) -> AsyncIterator[Notices]:
    """Another gateway's part, that names users to the gateways of the test."""
    client = await redis.connect(settings.redis_url)
    notices_there = Notices(client, pool, Sessions(settings), "elsewhere", after=0)
    running = asyncio.create_task(notices_there.run())
    yield notices_there
    running.cancel()
    await asyncio.wait({running})
    await client.aclose()


async def leave(pool: Pool, user_id: str, *messages: str) -> None:
    async with pool.acquire() as conn, conn.transaction():
        for message in messages:
            await notify(conn, user_id, "reward", message, {"coins": 5})


async def test_the_feed_has_pages_and_knows_what_is_unread(gateway: Gateway, pool: Pool) -> None:
    ann = await gateway.coins("ann", 1)
    await leave(pool, "ann", "one", "two", "three")
    await leave(pool, "bob", "not hers")
    status, page = await gateway.get("/notices", ann, limit=2)
    assert status == 200
    assert [(notice["message"], notice["read"]) for notice in page["notices"]] == [("three", False), ("two", False)]
    assert page["notices"][0]["detail"] == {"coins": 5}
    assert page["unread"] == 3
    _, rest = await gateway.get("/notices", ann, cursor=page["next"])
    assert ([notice["message"] for notice in rest["notices"]], rest["next"]) == (["one"], None)

    read = await gateway.post("/notices/read", {"up_to": page["notices"][1]["id"]}, ann)
    assert read == (200, {"unread": 1})
    _, page = await gateway.get("/notices", ann)
    assert [notice["read"] for notice in page["notices"]] == [False, True, True]
    assert (await gateway.get("/notices", gateway.token("bob")))[1]["unread"] == 1
    assert (await gateway.get("/notices", ann, cursor="W10"))[0] == 400
    assert (await gateway.post("/notices/read", {"up_to": "-1"}, ann))[0] == 400


async def test_what_is_for_everybody_is_for_those_of_its_regions_who_were_there(gateway: Gateway, pool: Pool) -> None:
    tokens = {name: await gateway.coins(name, 1) for name in ("ann", "bob")}
    async with pool.acquire() as conn, conn.transaction():
        await settle_region(conn, "ann", "PT")
        await settle_region(conn, "bob", "KR")
    async with pool.acquire() as conn, conn.transaction():
        await announce(conn, "promotion", "for all")
        await announce(conn, "promotion", "for Portugal", regions=["PT", "ES"])
    tokens["late"] = await gateway.coins("late", 1)
    told = {name: (await gateway.get("/notices", token))[1] for name, token in tokens.items()}
    assert [notice["message"] for notice in told["ann"]["notices"]] == ["for Portugal", "for all"]
    assert [notice["message"] for notice in told["bob"]["notices"]] == ["for all"]
    assert told["late"]["notices"] == []
    assert [feed["unread"] for feed in told.values()] == [2, 1, 0]
    first = told["ann"]["notices"][1]["id"]
    assert (await gateway.post("/notices/read", {"up_to": first}, tokens["ann"]))[1] == {"unread": 1}
    assert (await gateway.get("/notices", tokens["bob"]))[1]["unread"] == 1


async def test_each_open_socket_of_the_user_is_told_once_on_any_gateway(
    start_gateway: StartGateway, elsewhere: Notices, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "READ_EVERY_S", 3600.0)  # nobody finds it by themselves: it has to be named
    here, there = await start_gateway(), await start_gateway()
    async with asyncio.timeout(20):
        first, second = await here.enter(here.token("ann")), await here.enter(here.token("ann"))
        third, other = await there.enter(there.token("ann")), await there.enter(there.token("bob"))
        await leave(pool, "ann", "you won", "twice")
        elsewhere.changed("ann")
        for socket in (first, second, third):
            told = [await socket.receive("notice") for _ in range(2)]
            assert [frame["message"] for frame in told] == ["you won", "twice"]
            assert told[0]["kind"] == "reward"
            assert told[0]["detail"] == {"coins": 5}
            assert told[0]["id"].isdigit()
        await leave(pool, "ann", "and again")
        elsewhere.changed("ann")
        for socket in (first, second, third):
            assert (await socket.receive("notice"))["message"] == "and again"
            await socket.silent("notice")
        await other.silent("notice")


async def test_what_a_worker_writes_and_names_to_nobody_comes_too_and_a_late_commit_of_an_earlier_id(
    gateway: Gateway, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "READ_EVERY_S", 0.0)
    ann = await gateway.enter(gateway.token("ann"))
    async with pool.acquire() as slow:
        late = slow.transaction()
        await late.start()
        await notify(slow, "ann", "reward", "the smaller id")
        await leave(pool, "ann", "the larger id")
        assert (await ann.receive("notice"))["message"] == "the larger id"
        await late.commit()
    assert (await ann.receive("notice"))["message"] == "the smaller id"
    await ann.silent("notice")


async def test_everybody_is_told_but_overlays_and_other_regions_are_not(
    gateway: Gateway, elsewhere: Notices, pool: Pool
) -> None:
    async with pool.acquire() as conn:
        await conn.execute("INSERT INTO users (id, name) VALUES ('ann', ''), ('bob', '')")
        await settle_region(conn, "ann", "PT")
    room = await gateway.open_room("ann")
    overlay = await gateway.enter(gateway.token("ann", room=room, read_only=True), room)
    ann, bob = await gateway.enter(gateway.token("ann")), await gateway.enter(gateway.token("bob"))
    async with pool.acquire() as conn, conn.transaction():
        await announce(conn, "promotion", "for Portugal", regions=["PT"])
        await announce(conn, "promotion", "for all")
    elsewhere.changed(EVERYBODY)
    assert [(await ann.receive("notice"))["message"] for _ in range(2)] == ["for Portugal", "for all"]
    assert (await bob.receive("notice"))["message"] == "for all"
    await overlay.silent("notice")


async def test_old_notices_are_forgotten(pool: Pool) -> None:
    await leave(pool, "ann", "new")
    await pool.execute(
        "INSERT INTO notices (user_id, kind, message, at) VALUES ('ann', 'x', '', now() - '91d'::interval)"
    )
    assert await notices.forget(pool) == 1
    assert await pool.fetchval("SELECT message FROM notices") == "new"
    with pytest.raises(ValueError, match="at most 2000 bytes"):
        async with pool.acquire() as conn:
            await notify(conn, "ann", "reward", "", {"much": "x" * 2000})
