"""Followers are counted exactly, whoever comes and goes at once; who qualifies for cash-out hears what is missing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date

import pytest

from server.domain.errors import Code, Refusal
from server.economy.creators.eligibility import Eligibility, eligibility_of
from server.economy.payouts.terms import Terms
from server.ledger.creators import follows
from server.ledger.moderation import Kind, put
from server.ledger.profiles import settle_region, tell_birth_date
from server.settings import Settings
from server.stores.postgres import Pool
from tests.web.conftest import StartGateway

CARA = "cara"


async def change(pool: Pool, user: str, *, wanted: bool = True, creator: str = CARA) -> None:
    async with pool.acquire() as conn, conn.transaction():
        await (follows.follow if wanted else follows.unfollow)(conn, creator, user)


async def counted(pool: Pool) -> tuple[int, int]:
    """The number kept, and the rows."""
    async with pool.acquire() as conn:
        return await follows.followers_of(conn, CARA), await conn.fetchval("SELECT count(*) FROM follows")


@pytest.fixture
async def people(pool: Pool) -> None:
    await pool.execute("INSERT INTO users (id, name) VALUES ('cara', 'Cara')")


@pytest.mark.usefixtures("people")
async def test_followers_are_counted_exactly_whoever_comes_and_goes_at_once(pool: Pool) -> None:
    users = [f"u{number}" for number in range(8)]
    await asyncio.gather(*(change(pool, user) for user in users * 3))
    assert await counted(pool) == (8, 8)
    await asyncio.gather(
        *(change(pool, user, wanted=False) for user in users[:5] * 3), *(change(pool, user) for user in users[5:] * 2)
    )
    assert await counted(pool) == (3, 3)


@pytest.mark.usefixtures("people")
async def test_nobody_follows_themselves_nobody_or_who_blocks_them(pool: Pool) -> None:
    await put(pool, Kind.BLOCK, CARA, "rude", by_id=CARA)
    for user, creator, code in (
        (CARA, CARA, Code.FORBIDDEN),
        ("ann", "nobody", Code.NOT_FOUND),
        ("rude", CARA, Code.FORBIDDEN),
    ):
        with pytest.raises(Refusal) as refused:
            await change(pool, user, creator=creator)
        assert refused.value.code is code
    assert await counted(pool) == (0, 0)


async def test_following_over_http_is_seen_at_once_and_paced(start_gateway: StartGateway) -> None:
    gateway = await start_gateway()
    ann = gateway.token("ann")
    rooms = {}
    for creator in ("cara", "cleo"):
        rooms[creator] = await gateway.open_room(creator)
        status, seen = await gateway.call("PUT", f"/creators/{creator}/follow", ann)
        assert (status, seen["followers"], seen["following"]) == (200, 1, True)
    status, page = await gateway.get("/account/following", ann, limit=1)
    assert [each["creator"]["id"] for each in page["creators"]] == ["cleo"]
    status, page = await gateway.get("/account/following", ann, cursor=page["next"])
    assert [each["creator"]["id"] for each in page["creators"]] == ["cara"]
    assert page["next"] is None
    await gateway.end_room(rooms["cleo"], "cleo")
    latest = await gateway.open_room("cara", "Her second one")
    _, page = await gateway.get("/account/following", ann)
    assert [each.get("live") for each in page["creators"]] == [None, {"id": latest, "title": "Her second one"}]
    _, seen = await gateway.call("DELETE", "/creators/cara/follow", ann)
    assert (seen["followers"], seen["following"]) == (0, False)
    assert (await gateway.get("/creators/cara", gateway.token("bob")))[1]["followers"] == 0
    statuses = [(await gateway.call("PUT", "/creators/cara/follow", ann))[0] for _ in range(31)]
    assert set(statuses) == {200, 429}


@pytest.mark.usefixtures("people")
async def test_who_qualifies_for_cash_out(pool: Pool, settings: Settings) -> None:
    today = date(2026, 5, 10)

    async def asked(**changes: object) -> Eligibility:
        async with pool.acquire() as conn:
            return await eligibility_of(conn, Terms.of(replace(settings, **changes)), CARA, today)  # type: ignore[arg-type]

    def code(found: Eligibility) -> Code | None:
        try:
            found.demand()
        except Refusal as refusal:
            return refusal.code
        return None

    assert code(await asked(demo=True)) is None, "the demo asks for no followers, and knows no ages"
    assert code(await asked(demo=True, payout_followers_min=1)) is Code.NOT_ELIGIBLE
    assert code(await asked(payout_followers_min=0)) is Code.AGE_RESTRICTED
    async with pool.acquire() as conn:
        await settle_region(conn, CARA, "KR")
        await tell_birth_date(conn, CARA, date(2007, 5, 11))
    assert code(await asked(payout_followers_min=0)) is Code.AGE_RESTRICTED, "18 are not enough there"
    assert code(await asked(demo=True)) is Code.AGE_RESTRICTED, "an age that is known counts in the demo too"
    await pool.execute("UPDATE profiles SET birth_date = '2007-05-10'")
    assert code(await asked(payout_followers_min=0)) is None
    found = await asked()
    assert (found.followers_min, found.ok, code(found)) == (1000, False, Code.NOT_ELIGIBLE)
    await pool.execute("INSERT INTO followed VALUES ('cara', 1000)")
    assert (await asked()).ok
    await pool.execute("UPDATE users SET blocked = true")
    assert code(await asked()) is Code.WALLET_BLOCKED
