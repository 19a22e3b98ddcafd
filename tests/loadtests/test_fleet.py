"""Promises of the load client, on a whole server."""

import pytest

from loadtests.client.fleet import Fleet
from loadtests.client.plan import Phase, Seat, Target
from loadtests.funding import give_coins, open_rooms, token
from loadtests.ledger_pool import ledger_pool
from server.settings import Settings, load_settings
from server.stores.data_folder import running_serve
from server.token_key import with_token_secret
from tests.serve_process import ServeProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

GIFTERS = 12
ROOMS = 3


@pytest.fixture
def target(load_serve: ServeProcess) -> tuple[Target, Settings]:
    """A server and its settings."""
    running = running_serve(load_serve.data_dir)
    assert running is not None
    settings = load_settings(
        {
            "GIFTSTREAM_DATA_DIR": str(load_serve.data_dir),
            "REDIS_URL": running.redis_url,
            "DATABASE_URL": running.database_url,
        }
    )
    return Target("127.0.0.1", int(load_serve.url.rpartition(":")[2])), with_token_secret(settings)


async def test_every_gift_is_answered_once_and_seen_once_on_every_screen(target: tuple[Target, Settings]) -> None:
    where, settings = target
    users = [f"gifter-{n}" for n in range(GIFTERS)]
    async with ledger_pool(settings) as pool, Fleet(2) as fleet:
        await give_coins(pool, [*users, "probe"], 10**8)
        rooms = await open_rooms(pool, ROOMS, "room")
        seats = [Seat("probe", token(settings, "probe"), rooms[0], "probe")]
        seats += [Seat(user, token(settings, user), rooms[n % ROOMS], "gifter") for n, user in enumerate(users)]
        seats += [Seat(f"viewer-{n}", token(settings, f"viewer-{n}"), rooms[n % ROOMS], "viewer") for n in range(6)]
        await fleet.enter(where, seats)
        paced = await fleet.run(Phase(1.0, rate=100, probe_rate=10, answers_grace_s=60))
        closed = await fleet.run(Phase(0.5, window=3, answers_grace_s=60))
        in_ledger = await pool.fetchval("SELECT count(*) FROM gifts WHERE room_id = ANY($1)", rooms)
    for tally in (paced, closed):
        assert tally.sent == tally.acked > 0
        assert not tally.rooms_seen_wrong
        assert not tally.nacks
        assert tally.strangers == tally.lost_connections == tally.unanswered == 0
        assert tally.members == len(seats)
    # Each of the probe's ten gifts reached every member of its room, itself included.
    members = sum(seat.room == rooms[0] for seat in seats)
    assert paced.delivery.count == 10 * members
    assert paced.ack.count == paced.acked - 10
    assert in_ledger <= paced.acked + closed.acked


async def test_a_gift_that_is_refused_for_good_is_counted_and_on_no_screen(target: tuple[Target, Settings]) -> None:
    where, settings = target
    async with ledger_pool(settings) as pool, Fleet(1) as fleet:
        await give_coins(pool, ["poor"], 5)
        (room,) = await open_rooms(pool, 1, "poor")
        await fleet.enter(where, [Seat("poor", token(settings, "poor"), room, "gifter")])
        tally = await fleet.run(Phase(1.0, rate=20, answers_grace_s=60))
    assert tally.acked == 5
    assert tally.nacks == {"insufficient_coins": tally.sent - 5}
    assert not tally.rooms_seen_wrong
