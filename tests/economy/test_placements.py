"""Promoted rooms: every impression that was paid is delivered, once for each viewer, and few beyond that."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from server.domain.ids import GiftId
from server.economy.spending.impressions import Impressions
from server.economy.spending.placement_sweeper import PlacementSweeper
from server.ledger.audit import audit
from server.ledger.spending import placements
from server.ledger.spending.placements import HELD_MAX
from server.rooms.viewer_ranks import ViewerRanks
from server.settings import Settings
from server.stores import keys
from server.stores.postgres import Pool
from server.wallet.opening import ShardOpener
from server.wallet.wallets import Wallets
from tests.economy.settling import Settle, redis, settle
from tests.web.gateways import Gateway

__all__ = ["redis", "settle"]

PLACEMENT = GiftId(0, 1, 1)


@pytest.fixture
async def sweeper(redis: Redis, settings: Settings, pool: Pool) -> PlacementSweeper:
    wallets = Wallets(redis, pool, ShardOpener(redis, pool, settings), settings)
    return PlacementSweeper(redis, pool, wallets, replace(settings, worker_id="sweeper"))


async def listed(gateway: Gateway, token: str | None, **params: int) -> list[tuple[str, bool]]:
    status, answer = await gateway.get("/rooms", token, **params)
    assert status == 200, answer
    return [(room["id"], room.get("promoted", False)) for room in answer["rooms"]]


async def test_a_placement_from_the_frame_to_the_last_impression(
    gateway: Gateway, settle: Settle, pool: Pool, settings: Settings
) -> None:
    rooms = [await gateway.open_room(f"cara{n}") for n in range(8)]
    quiet = rooms[0]
    await pool.execute("UPDATE rooms SET rank = rank - 1000 WHERE id = $1", quiet)
    buyer = await gateway.enter(await gateway.coins("ann", 10_000))
    ack = await buyer.ask(type="spend", room=quiet, item="promote_500")
    assert (ack["type"], ack["coins"]) == ("gift_ack", 9_750)
    await settle()
    # It has 500 impressions; all but three are used up, so that the end is in sight.
    await pool.execute("UPDATE placements SET delivered = 497")
    await pool.execute("UPDATE rooms SET rank = rank - 1000 WHERE id = $1", quiet)
    await _until(lambda: _shown_as_promoted(gateway, quiet, "vera"))

    first = await listed(gateway, gateway.token("vera"))
    assert first[1] == (quiet, True)
    assert [room for room, _ in first].count(quiet) == 1
    # The same viewer again is the same impression; whoever is not signed in, or owns the room, sees no promotion.
    for _ in range(5):
        assert await listed(gateway, gateway.token("vera")) == first
    for token in (None, gateway.token("cara0"), "nonsense"):
        assert (await listed(gateway, token))[-1] == (quiet, False)
    assert not any(promoted for _, promoted in await listed(gateway, gateway.token("ulla"), limit=5))
    assert (quiet, True) in await listed(gateway, gateway.token("ulla"))
    assert (quiet, True) in await listed(gateway, gateway.token("uwe"))
    assert (quiet, True) not in await listed(gateway, gateway.token("una"))

    async def used_up() -> bool:
        return bool(await pool.fetchval("SELECT delivered = 500 AND closed_at IS NOT NULL FROM placements"))

    await _until(used_up)
    _, progress = await gateway.get(f"/rooms/{quiet}/placements", gateway.token("ann"))
    assert [(one["impressions"], one["delivered"], one["state"]) for one in progress["placements"]] == [
        (500, 500, "ended")
    ]
    assert (await gateway.get(f"/rooms/{quiet}/placements", gateway.token("vera")))[1] == {"placements": []}
    assert len((await gateway.get(f"/rooms/{quiet}/placements", gateway.token("cara0")))[1]["placements"]) == 1
    report = await audit(settings)
    assert report.ok, report.render()


async def test_what_was_not_delivered_when_the_room_ends_comes_back_once(
    gateway: Gateway, settle: Settle, pool: Pool, settings: Settings, sweeper: PlacementSweeper
) -> None:
    room = await gateway.open_room()
    token = await gateway.coins("ann", 1_000)
    assert (await gateway.post(f"/rooms/{room}/spend", {"item": "promote_500"}, token))[0] == 201
    await settle()
    await pool.execute("UPDATE placements SET delivered = 333")
    await gateway.end_room(room)
    await pool.execute("DELETE FROM placement_holds")
    assert len(await placements.due_for_return(pool, 10)) == 1
    await asyncio.gather(*(sweeper.sweep() for _ in range(4)))
    # 167 of 500 impressions are left of 250 coins: 83.5, rounded down.
    assert (await gateway.get("/wallet", token))[1]["coins"] == 1_000 - 250 + 83
    assert await pool.fetchval("SELECT count(*) FROM credits WHERE kind = 'return'") == 1
    report = await audit(settings)
    assert report.ok, report.render()


async def test_a_placement_is_not_ended_while_somebody_may_still_deliver_it(pool: Pool) -> None:
    await _placement(pool, 100)
    async with pool.acquire() as conn, conn.transaction():
        assert await placements.renew(conn, "g1", {})
    await pool.execute("UPDATE rooms SET state = 'ended', ended_at = now()")
    assert await placements.due_for_return(pool, 10) == []
    await pool.execute("UPDATE placement_holds SET until = now()")
    assert await placements.due_for_return(pool, 10) == [PLACEMENT]


STEPS = st.lists(
    st.tuples(st.sampled_from(["deliver", "renew", "renew", "lose", "die", "expire", "stop"]), st.integers(0, 2)),
    min_size=5,
    max_size=60,
)


@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=STEPS, paid=st.integers(1, 160))
async def test_nothing_is_delivered_beyond_the_bound_and_everything_that_was_paid(
    pool: Pool, steps: list[tuple[str, int]], paid: int
) -> None:
    """Three gateways deliver, report, lose the answer to a report, die, and stand still until their holds are over.

    Beyond what was paid goes at most what the gateways held that died or stood still; and all of it is delivered.
    """
    await _placement(pool, paid)
    told: dict[str, int] = {}
    limit: dict[str, int] = {}
    shown = incidents = 0
    names = {gateway: f"g{gateway}" for gateway in range(3)}

    async def renew(gateway: int, *, answered: bool = True) -> None:
        name = names[gateway]
        async with pool.acquire() as conn, conn.transaction():
            holds = await placements.renew(conn, name, {PLACEMENT: told[name]} if name in told else {})
        if not answered:
            return
        if holds:
            told.setdefault(name, 0)
            limit[name] = told[name] + holds[0].impressions
        else:
            told.pop(name, None)
            limit.pop(name, None)

    for number, (step, gateway) in enumerate(steps):
        name = names[gateway]
        if step == "deliver":
            if told.get(name, 0) < limit.get(name, 0):
                told[name] += 1
                shown += 1
        elif step in {"renew", "lose"}:
            await renew(gateway, answered=step == "renew")
        elif step == "stop":
            async with pool.acquire() as conn, conn.transaction():
                await placements.give_up(conn, name, {PLACEMENT: told[name]} if name in told else {})
            told.pop(name, None)
            limit.pop(name, None)
        else:
            # It dies, or stands still until its hold is over; what it delivered and did not tell is delivered again.
            incidents += 1
            told.pop(name, None)
            limit.pop(name, None)
            await pool.execute("UPDATE placement_holds SET until = now() WHERE gateway = $1", name)
            names[gateway] = f"g{gateway}-{number}"
    for _ in range(2 * paid + 10):
        for gateway in range(3):
            await renew(gateway)
        name = names[0]
        if told.get(name, 0) >= limit.get(name, 0):
            break
        shown += limit[name] - told[name]
        told[name] = limit[name]
    for gateway in (1, 2, 0):
        name = names[gateway]
        if name in limit:
            shown += limit[name] - told[name]
            told[name] = limit[name]
        await renew(gateway)
    row = await pool.fetchrow("SELECT delivered, closed_at IS NOT NULL AS closed FROM placements")
    assert (row["delivered"], row["closed"]) == (paid, True)
    assert paid <= shown <= paid + HELD_MAX * incidents


async def test_a_gateway_that_stood_still_does_not_deliver_from_an_old_hold(
    redis: Redis, pool: Pool, settings: Settings
) -> None:
    await _placement(pool, 1_000)
    impressions = Impressions(redis, pool, "g")
    await impressions._renew()
    assert await impressions.choose("vera") == ["r_1"]
    impressions._until_s = float("-inf")
    assert await impressions.choose("ulla") == []
    await impressions._renew()
    assert await impressions.choose("ulla") == ["r_1"]
    # What it holds is bounded, however many come at once; and none is given out twice.
    some = await asyncio.gather(*(impressions.choose(f"v{n}") for n in range(3 * HELD_MAX)))
    assert sum(len(rooms) for rooms in some) == HELD_MAX - 1
    await impressions._renew()
    assert await pool.fetchval("SELECT delivered FROM placements") == HELD_MAX + 1
    await impressions._give_up()
    assert await pool.fetchval("SELECT count(*) FROM placement_holds") == 0


async def test_a_room_that_is_watched_ranks_above_one_that_is_not(
    redis: Redis, gateway: Gateway, pool: Pool, settings: Settings
) -> None:
    """Viewers count by how many there are and how long; of several workers one counts them."""
    watched, unwatched = await gateway.open_room(), await gateway.open_room("mira")
    assert [room for room, _ in await listed(gateway, None)] == [unwatched, watched]
    await redis.hset(keys.room(watched), "viewers_sent", "40")
    await pool.execute("UPDATE rank_samples SET at = now() - interval '30 seconds'")
    before = await _ranks(pool)
    await asyncio.gather(*(ViewerRanks(redis, pool).sample() for _ in range(4)))
    after = await _ranks(pool)
    assert [room for room, _ in await listed(gateway, None)] == [watched, unwatched]
    assert after[unwatched] == before[unwatched]
    # 40 viewers for half a minute: 20 points, on top of the one that a room begins with.
    assert after[watched] - before[watched] == pytest.approx(3.04, abs=0.1)


async def _ranks(pool: Pool) -> dict[str, float]:
    return {row["id"]: row["rank"] for row in await pool.fetch("SELECT id, rank FROM rooms")}


async def _shown_as_promoted(gateway: Gateway, room: str, viewer: str) -> bool:
    return (room, True) in await listed(gateway, gateway.token(viewer))


async def _placement(pool: Pool, impressions: int) -> None:
    """A room with one placement, whatever was there before."""
    await pool.execute("DELETE FROM placement_holds")
    await pool.execute("DELETE FROM placements")
    await pool.execute(
        "INSERT INTO users (id, name) VALUES ('cara', 'Cara') ON CONFLICT DO NOTHING",
    )
    await pool.execute(
        "INSERT INTO rooms (id, creator_id, title, rank) VALUES ('r_1', 'cara', 'A room', 1) ON CONFLICT DO NOTHING"
    )
    await pool.execute(
        "INSERT INTO placements (shard, epoch, number, room_id, viewer_id, coins, impressions, at_us)"
        " VALUES (0, 1, 1, 'r_1', 'ann', 10, $1, 1)",
        impressions,
    )


async def _until(holds) -> None:  # type: ignore[no-untyped-def]
    async with asyncio.timeout(20):
        while not await holds():
            await asyncio.sleep(0.05)
