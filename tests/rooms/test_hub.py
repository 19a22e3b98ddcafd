"""Rooms to screens: nothing missed, nothing twice, and a slow member is no one else's trouble."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from server.domain.errors import Code, Refusal
from server.rooms import feed as feeds
from server.rooms.hub import Hub
from server.stores import keys
from tests.rooms.room_calls import frames, gift, join, load, tick
from tests.rooms.sockets import Client, SocketMember, Sockets
from tests.rooms.waiting import eventually

StartHub = Callable[..., Awaitable[Hub]]


class Stage:
    """A room that makes deltas."""

    def __init__(self, redis: Redis, room: str = "r1") -> None:
        self.redis = redis
        self.room = room
        self.number = 0
        self.incarnation = ""

    async def deltas(self, times: int = 1, *, name: str = "Ann") -> str:
        """Makes deltas of one gift each; answers the position of the last."""
        for _ in range(times):
            old = f"{min(self.number, 1)}-{self.number}"
            self.number += 1
            answer = await tick(self.redis, self.room, gift(self.number, room=self.room, name=name), old=old)
            assert answer[0] == b"ok"
        return (await join(self.redis, self.room, gateway="test", members=0))["position"]


@pytest.fixture
async def stage(redis: Redis) -> Stage:
    stage = Stage(redis)
    stage.incarnation = await load(redis, "r1")
    return stage


async def enter(hub: Hub, sockets: Sockets, since: str | None = None, room: str = "r1") -> tuple[SocketMember, Client]:
    member, client = await sockets.pair()
    member.write(await hub.join(member, room, since))
    await client.next()
    return member, client


def assert_goes_on(client: Client, redis_frames: list[dict[str, Any]]) -> None:
    """What a client got after its (last) `joined` is exactly what the room made after it."""
    starts = [i for i, frame in enumerate(client.frames) if frame["type"] == "joined"]
    joined, rest = client.frames[starts[-1]], client.frames[starts[-1] + 1 :]
    made = [frame["position"] for frame in redis_frames]
    start = made.index(joined["position"]) + 1 if joined["position"] in made else 0
    assert [frame["position"] for frame in rest] == made[start:]


async def test_joined_shows_the_room_and_deltas_follow(stage: Stage, start_hub: StartHub, sockets: Sockets) -> None:
    hub = await start_hub()
    await stage.deltas(2)
    _, client = await enter(hub, sockets)
    joined = client.frames[0]
    assert joined == {
        "type": "joined",
        "room": "r1",
        "position": f"{stage.incarnation}-2",
        "recovered": False,
        "diamonds": 2,
        "gifts": 2,
        "viewers": 1,
        "top": [{"user": {"id": "ann", "name": "Ann"}, "coins": 2, "rank": 1}],
        "creator": {"id": "creator", "name": "Creator"},
        "title": "A room",
        "state": "live",
    }
    last = await stage.deltas(3)
    await client.until(last)
    assert_goes_on(client, await frames(stage.redis, "r1"))


async def test_joins_in_a_storm_of_deltas_miss_nothing_and_double_nothing(
    stage: Stage, start_hub: StartHub, sockets: Sockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Members come and go in the middle of passes."""
    monkeypatch.setattr("server.rooms.fanout.MEMBERS_PER_TURN", 1)
    hub = await start_hub(tick_ms=20)
    clients: list[Client] = []

    async def come_in() -> None:
        for _ in range(15):
            _, client = await enter(hub, sockets)
            clients.append(client)
            leaver, _ = await enter(hub, sockets)
            hub.leave(leaver, "r1")

    comers = asyncio.gather(*(come_in() for _ in range(3)))
    while not comers.done():
        await stage.deltas()
    await comers
    last = await stage.deltas()
    redis_frames = await frames(stage.redis, "r1")
    for client in clients:
        await client.until(last)
        assert_goes_on(client, redis_frames)


async def test_resuming_gives_what_was_missed_and_then_goes_on(
    stage: Stage, start_hub: StartHub, sockets: Sockets
) -> None:
    await stage.deltas(5)
    hub = await start_hub()
    for since in (3, 0, 5, 2):
        _, client = await enter(hub, sockets, f"{stage.incarnation}-{since}")
        assert client.frames[0]["recovered"]
        last = await stage.deltas()
        await client.until(last)
        assert client.positions == [f"{stage.incarnation}-{n}" for n in range(since + 1, stage.number + 1)]
    for since in ("nonsense", f"{stage.incarnation}-99", f"{int(stage.incarnation) - 1}-2"):
        _, client = await enter(hub, sockets, since)
        assert not client.frames[0]["recovered"]


async def test_a_member_at_the_newest_position_resumes_with_nothing_to_catch_up(
    stage: Stage, start_hub: StartHub, sockets: Sockets
) -> None:
    hub = await start_hub()
    last = await stage.deltas(2)
    for _ in range(2):
        _, client = await enter(hub, sockets, last)
        assert (client.frames[0]["recovered"], client.frames[0]["position"]) == (True, last)


async def test_a_member_far_behind_resumes_in_pieces_that_its_buffer_holds(
    stage: Stage, start_hub: StartHub, sockets: Sockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it missed is many times what may wait for it unsent; it is not cut off, and misses nothing."""
    monkeypatch.setattr(feeds, "RING_BYTES_MAX", 100_000)
    await stage.deltas(50, name="N" * 6_000)
    hub = await start_hub(tick_ms=10, send_buffer_soft_bytes=40_000, send_buffer_hard_bytes=80_000)
    for _ in range(2):
        member, client = await enter(hub, sockets, f"{stage.incarnation}-1")
        assert client.frames[0]["recovered"]
        last = await stage.deltas()
        await client.until(last)
        assert client.positions == [f"{stage.incarnation}-{n}" for n in range(2, stage.number + 1)]
        assert member.cut is None


async def test_deltas_of_one_tick_leave_in_one_write(stage: Stage, start_hub: StartHub, sockets: Sockets) -> None:
    hub = await start_hub(tick_ms=1000)
    member, client = await enter(hub, sockets)
    await client.until(await stage.deltas())
    writes = member.writes
    last = await stage.deltas(5)
    await client.until(last)
    assert member.writes == writes + 1


async def test_a_slow_member_is_skipped_and_resumes_from_its_own_place(
    stage: Stage, start_hub: StartHub, sockets: Sockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when what it needs is no longer at hand and comes from the room's log."""
    monkeypatch.setattr(feeds, "RING_FRAMES_MAX", 5)
    hub = await start_hub(tick_ms=10, send_buffer_soft_bytes=4096, send_buffer_hard_bytes=10**7)
    slow, slow_client = await enter(hub, sockets)
    _, quick_client = await enter(hub, sockets)
    big = "N" * 3000
    last = await stage.deltas(60, name=big)
    await quick_client.until(last)
    assert slow.writes < 60, "its ticks were skipped"
    await slow_client.until(last)
    redis_frames = await frames(stage.redis, "r1")
    assert_goes_on(slow_client, redis_frames)
    assert_goes_on(quick_client, redis_frames)
    assert slow.cut is None


async def test_a_slow_member_whose_place_is_gone_is_cut_off(
    stage: Stage, start_hub: StartHub, sockets: Sockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "RING_FRAMES_MAX", 5)
    hub = await start_hub(tick_ms=10, send_buffer_soft_bytes=4096, send_buffer_hard_bytes=10**7)
    slow, slow_client = await enter(hub, sockets)
    _, quick_client = await enter(hub, sockets)
    await quick_client.until(await stage.deltas(40, name="N" * 3000))
    await stage.redis.xtrim(keys.room_log("r1"), maxlen=2, approximate=False)
    await slow_client.closed()
    assert slow.cut == (4410, "too slow")
    last = await stage.deltas()
    await quick_client.until(last)


async def test_a_member_over_the_hard_limit_is_cut_off_and_the_others_go_on(
    stage: Stage, start_hub: StartHub, sockets: Sockets
) -> None:
    hub = await start_hub(tick_ms=10, send_buffer_soft_bytes=20_000, send_buffer_hard_bytes=30_000)
    slow, _ = await enter(hub, sockets)
    _, quick_client = await enter(hub, sockets)

    async def until_cut() -> bool:
        await quick_client.until(await stage.deltas(name="N" * 15_000))
        return slow.cut is not None

    await eventually(until_cut)
    assert slow.cut == (4410, "too slow")
    assert hub.members() == 1


async def test_a_gap_in_the_positions_is_filled_from_the_log(
    stage: Stage, start_hub: StartHub, sockets: Sockets
) -> None:
    """Deltas that were kept but not heard come with the next one that is."""
    hub = await start_hub()
    _, client = await enter(hub, sockets)
    await client.until(await stage.deltas())
    unheard = []
    for n in (2, 3):
        position = f"{stage.incarnation}-{n}"
        frame = {"type": "delta", "room": "r1", "position": position, "ts": 1, "likes": n}
        unheard.append(frame)
        await stage.redis.xadd(keys.room_log("r1"), {"k": "d", "f": json.dumps(frame)}, id=position)
    await stage.redis.hset(keys.room("r1"), "n", "3")
    last = await stage.deltas()
    await client.until(last)
    assert client.positions == [*(f"{stage.incarnation}-{n}" for n in range(1, 4)), last]
    assert client.frames[2:4] == unheard


async def test_a_killed_subscription_comes_back_without_a_missed_delta(
    stage: Stage, start_hub: StartHub, sockets: Sockets
) -> None:
    hub = await start_hub(tick_ms=10)
    _, client = await enter(hub, sockets)
    for _ in range(3):
        await stage.deltas(5)
        await eventually(lambda: stage.redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub"))
        await stage.deltas(5)
    last = await stage.deltas()
    await client.until(last)
    assert_goes_on(client, await frames(stage.redis, "r1"))
    await eventually(hub.healthy)


async def test_what_was_published_while_nobody_listened_comes_without_another_delta(
    stage: Stage, start_hub: StartHub, sockets: Sockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.rooms.presence.HEARTBEAT_S", 3600.0)
    monkeypatch.setattr("server.rooms.listener.random.uniform", lambda low, high: 0.3)
    hub = await start_hub(tick_ms=10)
    _, client = await enter(hub, sockets)
    await client.until(await stage.deltas())
    await eventually(lambda: stage.redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub"))
    last = await stage.deltas(3)
    await client.until(last)
    assert_goes_on(client, await frames(stage.redis, "r1"))


async def test_a_delta_that_was_kept_but_never_heard_is_found_by_the_heartbeat(
    stage: Stage, start_hub: StartHub, sockets: Sockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.rooms.presence.HEARTBEAT_S", 0.05)
    hub = await start_hub(tick_ms=10)
    _, client = await enter(hub, sockets)
    position = f"{stage.incarnation}-1"
    frame = json.dumps({"type": "delta", "room": "r1", "position": position, "ts": 1, "likes": 1})
    await stage.redis.xadd(keys.room_log("r1"), {"k": "d", "f": frame}, id=position)
    await stage.redis.hset(keys.room("r1"), "n", "1")
    assert await client.until(position)


async def test_a_gateway_that_does_not_hear_itself_is_not_healthy(
    stage: Stage, start_hub: StartHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.rooms.listener.PROBE_LOST_S", 0.5)
    monkeypatch.setattr("server.rooms.listener.PROBE_EVERY_S", 0.1)
    hub = await start_hub()
    code = (await stage.redis.execute_command("FUNCTION LIST", "LIBRARYNAME", "giftstream_rooms", "WITHCODE"))[0]
    source = code[code.index(b"library_code") + 1]
    deaf = source.replace(b"return redis.call('SPUBLISH', keys[1], some(args[1]))", b"return 0")
    assert deaf != source
    await stage.redis.function_load(deaf, replace=True)
    await eventually(lambda: not hub.healthy())
    await stage.redis.function_load(source, replace=True)
    await eventually(hub.healthy)


async def test_a_room_that_was_loaded_again_begins_anew_for_its_members(
    stage: Stage, start_hub: StartHub, sockets: Sockets
) -> None:
    hub = await start_hub(tick_ms=10)
    _, client = await enter(hub, sockets)
    await client.until(await stage.deltas(3))
    await stage.redis.fcall("gs_room_unload", 1, keys.room("r1"), stage.incarnation)
    stage.number, stage.incarnation = 0, await load(stage.redis, "r1")
    last = await stage.deltas(2)
    await client.until(last)
    fresh = [frame for frame in client.frames if frame["type"] == "joined"][1:]
    assert [frame["recovered"] for frame in fresh] == [False]
    assert fresh[0]["position"].startswith(stage.incarnation)
    assert_goes_on(client, await frames(stage.redis, "r1"))


async def test_two_gateways_show_the_same_room(stage: Stage, start_hub: StartHub, sockets: Sockets) -> None:
    one, two = await start_hub("g1"), await start_hub("g2")
    _, first = await enter(one, sockets)
    _, second = await enter(two, sockets)
    assert second.frames[0]["viewers"] == 2
    last = await stage.deltas(4)
    for client in (first, second):
        await client.until(last)
        assert_goes_on(client, await frames(stage.redis, "r1"))


async def test_the_end_is_known_at_once_and_shown(stage: Stage, start_hub: StartHub, sockets: Sockets) -> None:
    hub = await start_hub()
    assert hub.state("r1") is None
    _, client = await enter(hub, sockets)
    await client.until(await stage.deltas())
    assert hub.state("r1") == "live"
    await stage.redis.fcall("gs_room_end", 1, keys.room("r1"), "600")
    ended = await client.next()
    assert (ended["type"], hub.state("r1")) == ("room_ended", "ended")
    assert (await hub._rooms.info("r1")).state == "ended"


async def test_who_left_gets_nothing_more_and_the_others_all(
    stage: Stage, start_hub: StartHub, sockets: Sockets
) -> None:
    hub = await start_hub(tick_ms=10)
    leaver, leaver_client = await enter(hub, sockets)
    _, client = await enter(hub, sockets)
    await leaver_client.until(await stage.deltas())
    hub.leave(leaver, "r1")
    hub.leave(leaver, "r1")
    hub.leave(leaver, "never-joined")
    writes = leaver.writes
    await client.until(await stage.deltas(3))
    assert leaver.writes == writes


async def test_members_that_vanish_are_taken_off_without_a_word(
    stage: Stage, start_hub: StartHub, sockets: Sockets
) -> None:
    hub = await start_hub(tick_ms=10)
    members = [await enter(hub, sockets) for _ in range(5)]
    for member, _ in members[1:]:
        member.transport.abort()
    last = await stage.deltas()
    await members[0][1].until(last)
    await eventually(lambda: hub.members() == 1)


async def test_viewers_follow_members_and_a_dead_gateway_is_forgotten(
    stage: Stage, start_hub: StartHub, sockets: Sockets
) -> None:
    hub = await start_hub(tick_ms=10)
    members = [(await enter(hub, sockets))[0] for _ in range(3)]

    async def viewers() -> int:
        return int((await stage.redis.fcall("gs_room_info", 1, keys.room("r1")))[6])

    async def three() -> bool:
        return await viewers() == 3

    async def one() -> bool:
        return await viewers() == 1

    await eventually(three)
    hub.leave(members[0], "r1")
    hub.leave(members[1], "r1")
    await eventually(one)
    assert await stage.redis.sismember(keys.DIRTY_ROOMS, "r1"), "the change waits for a delta"
    assert b"g1" in await stage.redis.hkeys("{r:r1}:viewers")


async def test_a_member_that_only_looks_on_is_no_viewer(stage: Stage, start_hub: StartHub, sockets: Sockets) -> None:
    """It hears all that the others hear, and is not counted, neither while it joins nor later."""
    hub = await start_hub(tick_ms=10)
    member, client = await sockets.pair()
    member.write(await hub.join(member, "r1", viewer=False))
    assert (await client.next())["viewers"] == 0
    viewer, _ = await enter(hub, sockets)
    await client.until(await stage.deltas())

    async def viewers(count: int) -> bool:
        return int((await stage.redis.fcall("gs_room_info", 1, keys.room("r1")))[6]) == count

    await eventually(lambda: viewers(1))
    hub.leave(viewer, "r1")
    await eventually(lambda: viewers(0))
    assert hub.members() == 1


async def test_a_gateway_that_stops_takes_its_viewers_with_it(
    stage: Stage, redis: Redis, start_hub: StartHub, sockets: Sockets
) -> None:
    hub = await start_hub()
    await enter(hub, sockets)

    async def told() -> bool:
        return not hub._presence._changed and await redis.hkeys("{r:r1}:viewers") == [b"g1"]

    await eventually(told)
    await hub._presence.farewell()
    assert await redis.hkeys("{r:r1}:viewers") == []


async def test_a_room_that_is_not_there_is_refused_and_not_listened_to(
    start_hub: StartHub, sockets: Sockets, redis: Redis
) -> None:
    hub = await start_hub()
    member, _ = await sockets.pair()
    for room in ("nowhere", "no such name", "x" * 65, ""):
        with pytest.raises(Refusal) as refused:
            await hub.join(member, room, None)
        assert refused.value.code is Code.ROOM_NOT_FOUND
    assert await redis.pubsub_shardchannels("{r:*") == []


async def test_a_room_without_members_is_no_longer_listened_to(
    stage: Stage, start_hub: StartHub, sockets: Sockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.rooms.hub.LINGER_S", 0.1)
    hub = await start_hub()
    member, _ = await enter(hub, sockets)
    assert await stage.redis.pubsub_shardchannels("{r:*") == [b"{r:r1}:deltas"]
    hub.leave(member, "r1")

    async def unheard() -> bool:
        return await stage.redis.pubsub_shardchannels("{r:*") == []

    await eventually(unheard)
    _, client = await enter(hub, sockets)
    await client.until(await stage.deltas())
