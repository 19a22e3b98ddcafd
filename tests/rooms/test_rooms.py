"""Rooms as a gateway asks about them, on real stores."""

import asyncio
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from server.domain.errors import Code, Refusal
from server.domain.ids import RoomId
from server.ledger import rooms as ledger_rooms
from server.rooms.asking import Asker
from server.rooms.connections import Connections
from server.rooms.presence import Presence
from server.rooms.room_ends import RoomEnds
from server.rooms.rooms import Rooms
from server.settings import Settings
from server.stores import keys, postgres
from server.stores.postgres import Pool
from server.stores.redis import connect, load_functions
from tests.rooms.room_calls import frames, gift, tick
from tests.rooms.waiting import eventually


@pytest.fixture
async def rooms(redis: Redis, pool: Pool, settings: Settings) -> Rooms:
    return Rooms(redis, pool, settings)


async def test_a_room_begins_in_both_stores_and_is_ready_at_once(rooms: Rooms, redis: Redis, pool: Pool) -> None:
    info = await rooms.open("creator", "Céline ❤", 'A "title"')
    assert (info.creator_id, info.creator_name, info.title, info.state) == ("creator", "Céline ❤", 'A "title"', "live")
    kept = await ledger_rooms.get(pool, info.id)
    assert kept is not None
    assert (kept.title, int(kept.started_at.timestamp() * 1_000_000)) == (info.title, info.started_at_us)
    assert await redis.hget(keys.room(info.id), "caught_up") == b"1", "no gift of a new room can be in any log"


async def test_the_end_reaches_both_stores_once(rooms: Rooms, redis: Redis, pool: Pool) -> None:
    info = await rooms.open("creator", "Creator", "A room")
    await rooms.end(info.id)
    await rooms.end(info.id)
    assert (await rooms.info(info.id)).state == "ended"
    kept = await ledger_rooms.get(pool, info.id)
    assert kept is not None
    assert kept.state == "ended"
    assert [frame["type"] for frame in await frames(redis, info.id)] == ["room_ended"]
    with pytest.raises(Refusal) as refused:
        await rooms.say(info.id, "ann", "Ann", "hello")
    assert refused.value.code is Code.ROOM_ENDED


async def test_an_end_that_redis_did_not_hear_of_is_told_by_the_worker(
    rooms: Rooms, redis: Redis, pool: Pool, settings: Settings
) -> None:
    """Whoever ended the room died between the two stores: nobody may give there for ever."""
    info = await rooms.open("creator", "Creator", "A room")
    lost = await rooms.open("creator", "Creator", "A room that is not in Redis")
    for room in (info, lost):
        await ledger_rooms.end(pool, RoomId(room.id))
    await redis.delete(keys.room(lost.id))
    await RoomEnds(redis, pool, settings).tell()
    assert await redis.hget(keys.room(info.id), "state") == b"ended"
    assert [frame["type"] for frame in await frames(redis, info.id)] == ["room_ended"]
    assert await ledger_rooms.ends_untold(pool, 10) == []


async def test_an_end_that_an_older_redis_has_lost_is_told_again(
    rooms: Rooms, redis: Redis, pool: Pool, settings: Settings
) -> None:
    """The ledger takes it for told: only another server process tells that it may not be."""
    info = await rooms.open("creator", "Creator", "A room")
    live = await rooms.open("creator", "Creator", "Another room")
    dump = await redis.dump(keys.room(info.id))
    ends = RoomEnds(redis, pool, settings)
    await ends.tell()
    await rooms.end(info.id)
    await redis.flushall()
    await redis.restore(keys.room(info.id), 0, dump)
    await rooms.load(live.id)
    await redis.function_flush()
    await load_functions(redis)
    await ends.tell()
    assert await redis.hget(keys.room(info.id), "state") == b"ended"
    assert await redis.hget(keys.room(live.id), "state") == b"live"


async def test_a_room_that_ends_while_it_is_loaded_has_ended(
    rooms: Rooms, redis: Redis, pool: Pool, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The snapshot says live; then it ends everywhere; then the snapshot arrives in Redis."""
    info = await rooms.open("creator", "Creator", "A room")
    await redis.delete(keys.room(info.id))
    read = ledger_rooms.snapshot

    async def read_and_end(pool: Pool, room: RoomId) -> object:
        found = await read(pool, room)
        await ledger_rooms.end(pool, room)
        await RoomEnds(redis, pool, settings).tell()
        return found

    monkeypatch.setattr(ledger_rooms, "snapshot", read_and_end)
    await rooms.load(info.id)
    assert await redis.hget(keys.room(info.id), "state") == b"ended"


async def test_whoever_looks_at_a_room_that_is_not_caught_up_has_a_worker_look_at_it(
    rooms: Rooms, redis: Redis, pool: Pool, settings: Settings
) -> None:
    """The worker that was told when it was loaded may have died: its totals would lack what was in the logs then."""
    info = await rooms.open("creator", "Creator", "A room")
    asker = Asker(redis, rooms, "g1", lambda frame: frame)
    presence = Presence(redis, settings, "g1", lambda room, position: None)
    for caught_up in (True, False):
        presence.set(info.id, 1)
        await redis.hset(keys.room(info.id), "caught_up", int(caught_up))  # type: ignore[misc]
        for look in (rooms.now(info.id), rooms.totals([info.id]), asker.ask(info.id, 0, None), presence.farewell()):
            await look
            assert await redis.smembers(keys.DIRTY_ROOMS) == (set() if caught_up else {info.id.encode()})  # type: ignore[misc]
            await redis.delete(keys.DIRTY_ROOMS)


async def test_a_room_that_redis_lost_comes_back_from_the_ledger(rooms: Rooms, redis: Redis) -> None:
    info = await rooms.open("creator", "Creator", "A room")
    await redis.delete(keys.room(info.id))
    await rooms.say(info.id, "ann", "Ann", "hello")
    assert await redis.llen("{r:" + info.id + "}:chat") == 1
    await rooms.end(info.id)
    await redis.delete(keys.room(info.id))
    assert (await rooms.totals([info.id])) == {}
    await rooms.top(info.id, 3)
    assert await redis.hget(keys.room(info.id), "state") == b"ended"


@pytest.mark.parametrize("room", ["nowhere", "", "x" * 65, "a b", "a}b", "ä"])
async def test_there_is_no_such_room(rooms: Rooms, room: str) -> None:
    for work in (rooms.info(room), rooms.say(room, "ann", "Ann", "x"), rooms.top(room, 3), rooms.end(room)):
        with pytest.raises(Refusal) as refused:
            await work
        assert refused.value.code is Code.ROOM_NOT_FOUND


async def test_live_totals_and_ranking(rooms: Rooms, redis: Redis) -> None:
    one, two = [(await rooms.open("creator", "Creator", "A room")).id for _ in range(2)]
    await tick(redis, one, gift(1, room=one, count=5), gift(2, room=one, viewer="bob", count=9, name="Bob ❤"))
    assert await rooms.totals([one, two, "absent"]) == {one: (14, 14, 0), two: (0, 0, 0)}
    assert await rooms.totals([]) == {}
    assert await rooms.top(one, 10) == [
        {"user": {"id": "bob", "name": "Bob ❤"}, "coins": 9, "rank": 1},
        {"user": {"id": "ann", "name": "Ann"}, "coins": 5, "rank": 2},
    ]
    assert [row["rank"] for row in await rooms.top(one, 1)] == [1]


async def test_chat_that_is_too_fast_is_told_when_to_come_back(redis: Redis, pool: Pool, settings: Settings) -> None:
    rooms = Rooms(redis, pool, replace(settings, chats_per_second=0.02, chats_burst=2))
    info = await rooms.open("creator", "Creator", "A room")
    await rooms.say(info.id, "ann", "Ann", "one")
    await rooms.say(info.id, "ann", "Ann", "two")
    with pytest.raises(Refusal) as refused:
        await rooms.say(info.id, "ann", "Ann", "three")
    assert refused.value.code is Code.RATE_LIMITED
    assert refused.value.retry_ms is not None
    assert 0 < refused.value.retry_ms <= 50_000
    assert await redis.sismember(keys.DIRTY_ROOMS, info.id)


async def test_stores_that_are_away_are_said_to_be(redis: Redis, pool: Pool, settings: Settings) -> None:
    info = await Rooms(redis, pool, settings).open("creator", "Creator", "A room")
    nobody = await connect("unix:///nowhere.sock")
    away = Rooms(nobody, pool, settings)
    for work in (away.info(info.id), away.totals([info.id]), away.say(info.id, "a", "A", "x"), away.end(info.id)):
        with pytest.raises(Refusal) as refused:
            await work
        assert refused.value.code is Code.UNAVAILABLE
    await away.like(info.id, 1)
    await eventually(lambda: away._liking is not None and away._liking.done())
    await nobody.aclose()
    gone = await postgres.connect(settings.database_url, size_max=1)
    await gone.close()
    without_ledger = Rooms(redis, gone, settings)
    assert (await without_ledger.info(info.id)).state == "live", "a loaded room needs no ledger"
    for work in (without_ledger.info("unloaded"), without_ledger.open("c", "C", "t"), without_ledger.end(info.id)):
        with pytest.raises(Refusal) as refused:
            await work
        assert refused.value.code is Code.UNAVAILABLE


async def test_a_storm_of_questions_is_one_question(rooms: Rooms, redis: Redis) -> None:
    info = await rooms.open("creator", "Creator", "A room")
    rooms._known.clear()
    await redis.config_resetstat()
    answers = await asyncio.gather(*(rooms.info(info.id) for _ in range(200)))
    assert set(answers) == {info}
    assert (await redis.info("commandstats"))["cmdstat_fcall"]["calls"] == 1


async def test_connections_are_counted_over_gateways_and_renewed(
    redis: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.rooms.connections.RENEW_EVERY_S", 0.02)
    limited = replace(settings, connections_per_user_max=2)
    one, two = Connections(redis, limited), Connections(redis, limited)
    assert await one.admit("ann", "s1")
    assert await two.admit("ann", "s2")
    assert not await one.admit("ann", "s3")
    assert await one.admit("bob", "s4")
    await two.release("ann", "s2")
    assert await one.admit("ann", "s3")
    await redis.delete(keys.connections("ann"))
    renewing = asyncio.create_task(one.run())

    async def renewed() -> bool:
        return sorted(await redis.zrange(keys.connections("ann"), 0, -1)) == [b"s1", b"s3"]

    await eventually(renewed)
    renewing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await renewing
    assert not await two.admit("ann", "s5")


async def test_connections_that_close_together_are_counted_out_together(redis: Redis, settings: Settings) -> None:
    connections = Connections(redis, settings)
    for number in range(100):
        assert await connections.admit(f"u{number}", f"s{number}")
    await redis.config_resetstat()
    await asyncio.gather(*(connections.release(f"u{number}", f"s{number}") for number in range(100)))
    assert not await redis.keys("{u:*}:connections")
    calls = await redis.info("commandstats")
    assert calls["cmdstat_zrem"]["calls"] == 100
    assert (await redis.info("stats"))["total_connections_received"] <= 2


async def test_connections_without_redis_are_refused_and_release_never_fails(settings: Settings) -> None:
    nobody = await connect("unix:///nowhere.sock")
    connections = Connections(nobody, settings)
    with pytest.raises(Refusal) as refused:
        await connections.admit("ann", "s1")
    assert refused.value.code is Code.UNAVAILABLE
    await connections.release("ann", "s1")
    await nobody.aclose()


async def test_presence_tells_changes_and_heartbeats(
    rooms: Rooms, redis: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.rooms.presence.HEARTBEAT_S", 0.05)
    info = await rooms.open("creator", "Creator", "A room")
    told: list[tuple[str, str | None]] = []
    presence = Presence(redis, replace(settings, tick_ms=10), "g1", lambda room, at: told.append((room, at)))
    telling = asyncio.create_task(presence.run())

    def viewers(count: int) -> "asyncio.Future[bool]":
        async def right() -> bool:
            return (await rooms.totals([info.id]))[info.id][2] == count

        return asyncio.ensure_future(right())

    presence.set(info.id, 3)
    await eventually(lambda: viewers(3))
    await redis.delete("{r:" + info.id + "}:viewers")
    await eventually(lambda: viewers(3))
    presence.set("absent", 1)
    await eventually(lambda: ("absent", None) in told)
    presence.set(info.id, 0)
    await eventually(lambda: viewers(0))
    presence.set(info.id, 2)
    await eventually(lambda: viewers(2))
    telling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await telling
    await presence.farewell()
    assert await rooms.totals([info.id]) == {info.id: (0, 0, 0)}
    assert told[0][0] == info.id
