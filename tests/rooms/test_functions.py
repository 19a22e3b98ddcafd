"""What the room functions promise, each on a real Valkey."""

import asyncio
import json
import random
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from server.stores import keys
from tests.rooms.room_calls import frames, gift, join, load, tick

pytestmark = pytest.mark.usefixtures("redis")


async def say(redis: Redis, room: str, user: str, line: str = "hello", interval_ms: int = 1000, burst: int = 5) -> Any:
    who = json.dumps({"id": user, "name": user.title()})
    return await redis.fcall(
        "gs_room_say", 1, keys.room(room), user, who, json.dumps(line), str(interval_ms), str(burst)
    )


async def test_a_delta_carries_exactly_what_changed(redis: Redis) -> None:
    incarnation = await load(redis, "r1")
    assert (await tick(redis, "r1", gift(1, count=3), gift(2, viewer="bob", coins=20, diamonds=10)))[0] == b"ok"
    (delta,) = await frames(redis, "r1")
    ts = delta.pop("ts")
    assert 1_700_000_000_000_000 < ts < 2_000_000_000_000_000
    assert delta == {
        "type": "delta",
        "room": "r1",
        "position": f"{incarnation}-1",
        "gifts": [
            {
                "gift_id": "w00-1-2",
                "from": {"id": "bob", "name": "Bob"},
                "gift": "rose",
                "count": 1,
                "coins": 20,
                "combo": 1,
                "combo_id": "w00-1-2",
                "at": 1_700_000_000_000_002,
            },
            {
                "gift_id": "w00-1-1",
                "from": {"id": "ann", "name": "Ann"},
                "gift": "rose",
                "count": 3,
                "coins": 3,
                "combo": 3,
                "combo_id": "w00-1-1",
                "at": 1_700_000_000_000_001,
            },
        ],
        "diamonds": 13,
        "gifts_total": 4,
        "top": [
            {"user": {"id": "bob", "name": "Bob"}, "coins": 20, "rank": 1},
            {"user": {"id": "ann", "name": "Ann"}, "coins": 3, "rank": 2},
        ],
    }


async def test_what_did_not_change_is_left_out_and_nothing_makes_no_delta(redis: Redis) -> None:
    await load(redis, "r1")
    assert await tick(redis, "r1") == [b"ok", await redis.hget(keys.room("r1"), "incarnation"), b"1", b"0"]
    assert await frames(redis, "r1") == []
    await redis.fcall("gs_room_like", 1, keys.room("r1"), "7")
    await say(redis, "r1", "ann", 'a "quoted" line')
    await redis.fcall("gs_room_members", 1, keys.room("r1"), "g1", "3", "15")
    await tick(redis, "r1")
    await tick(redis, "r1")
    (delta,) = await frames(redis, "r1")
    line = delta["chat"][0]
    assert (line["from"], line["text"]) == ({"id": "ann", "name": "Ann"}, 'a "quoted" line')
    assert (delta["likes"], delta["viewers"]) == (7, 3)
    assert delta.keys() == {"type", "room", "position", "ts", "viewers", "chat", "likes"}


async def test_the_ranking_that_was_told_last_is_always_that_of_all_gifters(redis: Redis) -> None:
    """Also where a gift comes close to the tenth place, reaches it or passes it, and where names change."""
    await load(redis, "r1")
    chance = random.Random(7)
    told: list[dict[str, Any]] = []
    for number in range(1, 120):
        viewer = f"v{chance.randrange(25)}"
        await tick(
            redis,
            "r1",
            gift(number, viewer=viewer, count=chance.randrange(1, 6), name=f"{viewer} {number // 40}"),
            old=f"{min(number - 1, 1)}-{number - 1}",
        )
        told = (await frames(redis, "r1"))[-1].get("top", told)
        best = await redis.zrevrange(keys.room_top("r1"), 0, 9, withscores=True)
        people = [json.loads(await redis.hget(keys.room_gifters("r1"), who)) for who, _ in best]  # type: ignore[arg-type,misc]
        assert told == [
            {"user": person, "coins": int(coins), "rank": rank}
            for rank, ((_, coins), person) in enumerate(zip(best, people, strict=True), 1)
        ]


async def test_a_top_ranking_that_stays_the_same_is_left_out(redis: Redis) -> None:
    await load(redis, "r1")
    for number in range(1, 12):
        viewer = f"v{number:02d}"
        await tick(
            redis, "r1", gift(number, viewer=viewer, count=100 - number), old=f"{min(number - 1, 1)}-{number - 1}"
        )
    all_frames = await frames(redis, "r1")
    assert [row["rank"] for row in all_frames[9]["top"]] == list(range(1, 11))
    assert "top" not in all_frames[10], "the eleventh is not in the ranking and changes nothing in it"


async def test_a_delta_lists_fifty_entries_and_counts_the_rest(redis: Redis) -> None:
    await load(redis, "r1")
    await tick(redis, "r1", *(gift(n, viewer=f"v{n}", coins=n) for n in range(1, 61)))
    (delta,) = await frames(redis, "r1")
    assert [entry["coins"] for entry in delta["gifts"]] == list(range(60, 10, -1))
    assert delta["more"] == {"gifts": 10, "count": 10, "coins": 55}


async def test_a_tick_counts_only_from_the_mark_it_expects(redis: Redis) -> None:
    incarnation = await load(redis, "r1", marks={0: "1-5", 3: "2-9"})
    answer = await tick(redis, "r1", gift(6), old="1-4")
    assert answer[:3] == [b"marks", incarnation.encode(), b"1"]
    assert dict(zip(answer[3::2], answer[4::2], strict=True)) == {b"0": b"1-5", b"3": b"2-9"}
    assert (await tick(redis, "r1", gift(6), old="1-5"))[0] == b"ok"
    assert (await tick(redis, "r1", gift(6), old="1-5"))[0] == b"marks", "the same call again counts nothing"
    assert len(await frames(redis, "r1")) == 1
    assert await redis.hget(keys.room("r1"), "gifts") == b"1"


async def test_a_tick_that_does_not_add_up_changes_nothing(redis: Redis) -> None:
    await load(redis, "r1")
    before = await redis.hgetall(keys.room("r1"))
    mark = ["600", "0", "1", "0", "0-0", "1-1"]
    row = '{\\"id\\":\\"ann\\"}'
    wrong = [
        [*mark, "1", "5", "5", "[]", "", f'[["ann",4,"{row}"]]'],
        [*mark, "1", "-5", "5", "[]", "", f'[["ann",-5,"{row}"]]'],
        [*mark, "1", "1.5", "1", "[]", "", f'[["ann",1.5,"{row}"]]'],
        [*mark, "1", "2", "1", "[]", "", f'[["ann",1.5,"{row}"],["bob",0.5,"{row}"]]'],
        [*mark, "1", "9007199254740993", "1", "[]", "", f'[["ann",9007199254740993,"{row}"]]'],
        [*mark, "1", "2", "1", "[]", "", f'[["ann",1,"{row}"],["ann",1,"{row}"]]'],
        [*mark, "1", "5", "5", "[]", "", '[["ann",5]]'],
        [*mark, "1", "5", "5", "[]", "", '[["ann","5","x"]]'],
        [*mark, "1", "5", "5", "[]", "", "not json"],
        [*mark, "1", "5", "5", "[]", "", "7"],
        [*mark, "1", "5", "5", "", "", f'[["ann",5,"{row}"]]'],
        [*mark, "1", "5", "5", "[]", ""],
        ["600", "0", "1", "0", "1-1", "1-1", "1", "5", "5", "[]", "", f'[["ann",5,"{row}"]]'],
        ["600", "0", "1", "0", "2-1", "1-9", "1", "5", "5", "[]", "", f'[["ann",5,"{row}"]]'],
        ["600", "0", "1", "0", "0-0", "nonsense", "1", "5", "5", "[]", "", f'[["ann",5,"{row}"]]'],
        ["600", "0", "0", "1", "5", "5", "[]", "", f'[["ann",5,"{row}"]]'],
    ]
    for arguments in wrong:
        with pytest.raises(ResponseError, match="BADARG"):
            await redis.fcall("gs_room_tick", 1, keys.room("r1"), *arguments)
    with pytest.raises(ResponseError, match="BADARG"):
        await redis.fcall("gs_room_tick", 1, "{r:r1}:other", "600", "0", "0", "0", "0", "0", "", "", "[]")
    assert await redis.hgetall(keys.room("r1")) == before
    assert await frames(redis, "r1") == []


async def test_totals_stay_exact_up_to_two_to_the_fifty_third(redis: Redis) -> None:
    await load(redis, "r1")
    most = 2**53 - 2
    await tick(redis, "r1", gift(1, coins=most, diamonds=most))
    await tick(redis, "r1", gift(2), old="1-1")
    snapshot = await join(redis, "r1")
    assert (snapshot["diamonds"], snapshot["top"][0]["coins"]) == (2**53 - 1, 2**53 - 1)
    with pytest.raises(ResponseError, match="BADARG"):
        await tick(redis, "r1", gift(3), old="1-2")


async def test_an_absent_room_says_so_everywhere(redis: Redis) -> None:
    key = keys.room("gone")
    assert await tick(redis, "gone", gift(1)) == [b"absent"]
    assert await redis.fcall("gs_room_join", 1, key, "g1", "1", "15", "") == []
    assert await redis.fcall("gs_room_members", 1, key, "g1", "1", "15") == []
    assert await redis.fcall("gs_room_info", 1, key) == []
    assert await say(redis, "gone", "ann") == [b"absent"]
    assert await redis.fcall("gs_room_like", 1, key, "1") == b"absent"
    assert await redis.fcall("gs_room_end", 1, key, "600") == b"absent"


async def test_loading_keeps_the_room_that_is_there(redis: Redis) -> None:
    first = await load(redis, "r1")
    await tick(redis, "r1", gift(1))
    assert await load(redis, "r1") == first
    assert (await join(redis, "r1"))["gifts"] == 1


async def test_loading_without_all_of_its_gifters_is_refused(redis: Redis) -> None:
    arguments = ['"t"', "{}", "live", "0", "5", "5", "5", "1", "token", "2"]
    top, who, _, _ = keys.room_loading("r1", "token")
    await redis.zadd(top, {"ann": 5})
    await redis.hset(who, "ann", '{"id":"ann","name":"Ann"}')
    with pytest.raises(ResponseError, match="STALE"):
        await redis.fcall("gs_room_load", 1, keys.room("r1"), *arguments)
    assert not await redis.exists(keys.room("r1"))


async def test_resuming_gives_exactly_what_followed(redis: Redis) -> None:
    incarnation = await load(redis, "r1")
    for number in range(1, 6):
        await tick(redis, "r1", gift(number), old=f"{min(number - 1, 1)}-{number - 1}")
    for since in range(6):
        answer = await join(redis, "r1", f"{incarnation}-{since}")
        assert answer["recovered"]
        assert [frame["position"] for frame in answer["missed"]] == [f"{incarnation}-{n}" for n in range(since + 1, 6)]


@pytest.mark.parametrize(
    "since",
    [
        "{incarnation}-6",
        "{other}-3",
        "{incarnation}-",
        "-3",
        "nonsense",
        "{incarnation}-3-3",
        "{incarnation}-+3",
        "$",
        "99999999999999999999-1",
    ],
)
async def test_a_position_that_this_room_never_had_is_not_resumed(redis: Redis, since: str) -> None:
    incarnation = await load(redis, "r1")
    for number in range(1, 6):
        await tick(redis, "r1", gift(number), old=f"{min(number - 1, 1)}-{number - 1}")
    answer = await join(redis, "r1", since.format(incarnation=incarnation, other=int(incarnation) - 1))
    assert (answer["recovered"], answer["missed"], answer["position"]) == (False, [], f"{incarnation}-5")


async def test_a_position_behind_the_kept_frames_is_not_resumed(redis: Redis) -> None:
    incarnation = await load(redis, "r1")
    for number in range(1, 301):
        await tick(redis, "r1", gift(number), old=f"{min(number - 1, 1)}-{number - 1}", log_max=20)
    kept = [entry_id.decode() for entry_id, _ in await redis.xrange(keys.room_log("r1"))]
    assert 20 <= len(kept) < 200
    oldest = await join(redis, "r1", kept[0])
    assert oldest["recovered"]
    assert len(oldest["missed"]) == len(kept) - 1
    before = f"{incarnation}-{int(kept[0].split('-')[1]) - 1}"
    assert not (await join(redis, "r1", before))["recovered"]
    assert not (await join(redis, "r1", f"{incarnation}-0"))["recovered"]


async def test_a_server_that_came_back_from_older_data_never_uses_a_position_twice(redis: Redis) -> None:
    """The library that is loaded anew stands for the server process that came back."""
    incarnation = await load(redis, "r1")
    for number in range(1, 4):
        await tick(redis, "r1", gift(number), old=f"{min(number - 1, 1)}-{number - 1}")
    await redis.hset(keys.room("r1"), mapping={"n": "2", "m:0": "1-2"})
    await redis.xdel(keys.room_log("r1"), f"{incarnation}-3")
    code = (await redis.execute_command("FUNCTION LIST", "LIBRARYNAME", "giftstream_rooms", "WITHCODE"))[0]
    await redis.function_load(code[code.index(b"library_code") + 1], replace=True)
    await tick(redis, "r1", gift(3, viewer="bob"), old="1-2")
    assert not (await join(redis, "r1", f"{incarnation}-3"))["recovered"], (
        "the third delta of before is not in this room"
    )
    survivor = await join(redis, "r1", f"{incarnation}-2")
    assert survivor["recovered"]
    assert [entry["from"]["id"] for frame in survivor["missed"] for entry in frame["gifts"]] == ["bob"]


async def test_every_frame_is_published_as_it_is_kept(redis: Redis) -> None:
    await load(redis, "r1")
    pubsub = redis.pubsub()
    await pubsub.ssubscribe(keys.room_channel("r1"))
    await tick(redis, "r1", gift(1))
    await redis.fcall("gs_room_end", 1, keys.room("r1"), "600")
    published: list[bytes] = []
    async with asyncio.timeout(5):
        while len(published) < 2:
            message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=1.0)
            if message is not None:
                published.append(message["data"])
    await pubsub.aclose()
    kept = [(entry, fields) for entry, fields in await redis.xrange(keys.room_log("r1")) if b"f" in fields]
    assert published == [b" ".join((fields[b"k"], entry, fields[b"f"])) for entry, fields in kept]


async def test_the_end_is_one_frame_of_its_own_and_earlier_gifts_still_count(redis: Redis) -> None:
    incarnation = await load(redis, "r1")
    assert await redis.fcall("gs_room_end", 1, keys.room("r1"), "600") == b"ended"
    assert await redis.fcall("gs_room_end", 1, keys.room("r1"), "600") == b"already"
    await tick(redis, "r1", gift(1))
    ended, delta = await frames(redis, "r1")
    assert ended == {"type": "room_ended", "room": "r1", "position": f"{incarnation}-1"}
    assert (delta["position"], delta["gifts_total"]) == (f"{incarnation}-2", 1)
    assert await say(redis, "r1", "ann") == [b"ended"]
    assert await redis.fcall("gs_room_like", 1, keys.room("r1"), "1") == b"ended"
    assert (await join(redis, "r1"))["state"] == "ended"


async def test_an_ended_room_rests_for_an_hour_and_a_live_one_stays(redis: Redis) -> None:
    await load(redis, "r1")
    await tick(redis, "r1", gift(1))
    names = [keys.room("r1"), keys.room_top("r1"), keys.room_gifters("r1"), keys.room_log("r1")]
    assert [await redis.ttl(name) for name in names] == [-1] * 4
    await redis.fcall("gs_room_end", 1, keys.room("r1"), "600")
    assert {await redis.ttl(name) for name in names} <= {3599, 3600}


async def test_chat_is_paced_for_each_user(redis: Redis) -> None:
    await load(redis, "r1")
    answers = [await say(redis, "r1", "ann", interval_ms=60_000, burst=3) for _ in range(4)]
    assert answers[:3] == [[b"ok"]] * 3
    assert answers[3][0] == b"wait"
    assert 0 < int(answers[3][1]) <= 60_000
    assert await say(redis, "r1", "bob", interval_ms=60_000, burst=3) == [b"ok"]


async def test_chat_that_nobody_could_read_waits_in_bounds(redis: Redis) -> None:
    await load(redis, "r1")
    answers = [await say(redis, "r1", f"v{n}") for n in range(202)]
    assert [answer[0] for answer in answers] == [b"ok"] * 200 + [b"wait"] * 2
    more = [(await tick(redis, "r1"))[3] for _ in range(4)]
    assert more == [b"1", b"1", b"1", b"0"]
    assert [len(frame["chat"]) for frame in await frames(redis, "r1")] == [50] * 4


async def test_a_delta_for_viewers_alone_comes_at_most_once_a_second(redis: Redis) -> None:
    """Who comes in meanwhile is told with the next delta that there is, or when the second is over."""
    await load(redis, "r1")

    async def come_and_tick(members: int, *gifts: Any) -> tuple[bytes, int | None]:
        await redis.fcall("gs_room_members", 1, keys.room("r1"), "g1", str(members), "15")
        waits = (await tick(redis, "r1", *gifts))[3]
        return waits, (await frames(redis, "r1"))[-1].get("viewers")

    assert await come_and_tick(1) == (b"0", 1)
    assert await come_and_tick(2) == (b"2", 1)
    assert await come_and_tick(3, gift(1)) == (b"0", 3)
    assert await come_and_tick(4) == (b"2", 3)
    assert len(await frames(redis, "r1")) == 2
    second_ago_us = int(await redis.hget(keys.room("r1"), "viewers_at")) - 1_000_000
    await redis.hset(keys.room("r1"), "viewers_at", str(second_ago_us))
    assert await come_and_tick(5) == (b"0", 5)


async def test_who_was_told_a_count_that_passed_is_told_the_next_one(redis: Redis) -> None:
    """The others know two viewers; who joins while there was one for a moment must hear that there are two again."""
    await load(redis, "r1")
    await join(redis, "r1", gateway="g1", members=2)
    await tick(redis, "r1")
    await redis.fcall("gs_room_members", 1, keys.room("r1"), "g1", "0", "15")
    assert (await join(redis, "r1", gateway="g2", members=1))["viewers"] == 1
    await redis.fcall("gs_room_members", 1, keys.room("r1"), "g2", "2", "15")
    await redis.hset(keys.room("r1"), "viewers_at", "0")
    await tick(redis, "r1")
    assert [frame["viewers"] for frame in await frames(redis, "r1")] == [2, 2]


async def test_viewers_are_the_members_of_all_gateways_alive(redis: Redis) -> None:
    await load(redis, "r1")
    key = keys.room("r1")
    assert (await join(redis, "r1", gateway="g1", members=2))["viewers"] == 2
    assert (await redis.fcall("gs_room_members", 1, key, "g2", "5", "15"))[2] == b"1"
    await tick(redis, "r1")
    assert (await frames(redis, "r1"))[-1]["viewers"] == 7
    assert (await redis.fcall("gs_room_members", 1, key, "g2", "5", "15"))[2] == b"0"
    await redis.hset("{r:r1}:viewers", "g1", "2 1700000000")
    assert (await redis.fcall("gs_room_members", 1, key, "g2", "5", "15"))[2] == b"1", "g1 has fallen silent"
    await redis.hset(key, "viewers_at", "0")
    await tick(redis, "r1")
    assert (await frames(redis, "r1"))[-1]["viewers"] == 5
    await redis.fcall("gs_room_members", 1, key, "g2", "0", "15")
    assert int((await redis.fcall("gs_room_info", 1, key))[6]) == 0


async def test_connections_of_a_user_are_bounded_over_all_gateways(redis: Redis) -> None:
    key = keys.connections("ann")

    async def connect(session: str) -> int:
        return int(await redis.fcall("gs_connect", 1, key, session, "2", "60"))

    assert [await connect(session) for session in ("a", "b", "c", "a")] == [1, 1, 0, 1]
    await redis.zrem(key, "a")
    assert await connect("c") == 1
    await redis.zadd(key, {"b": 1_700_000_000})
    assert await connect("d") == 1, "what a dead gateway left behind expires"
    assert 0 < await redis.ttl(key) <= 60


async def test_full_memory_stops_chat_but_not_what_frees_it(redis: Redis) -> None:
    await load(redis, "r1")
    limit = (await redis.config_get("maxmemory"))["maxmemory"]
    await redis.config_set("maxmemory", "1")
    try:
        with pytest.raises(ResponseError, match="maxmemory"):
            await say(redis, "r1", "ann")
        assert (await tick(redis, "r1", gift(1)))[0] == b"ok"
        assert (await join(redis, "r1"))["gifts"] == 1
    finally:
        await redis.config_set("maxmemory", limit)
