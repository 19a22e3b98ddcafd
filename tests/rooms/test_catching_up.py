"""A room that is brought up to date while more gifts come in counts each of them once."""

from collections import Counter

import pytest
from redis.asyncio import Redis

from server.domain.ids import RoomId, UserId
from server.ledger import rooms as ledger_rooms
from server.rooms import apply
from server.rooms.loading import load_room
from server.rooms.room_tick import Held
from server.settings import Settings
from server.stores.postgres import Pool
from tests.rooms.readers import assert_rooms_hold, reader_of_all, until_drained
from tests.rooms.shop import Shop


async def test_gifts_that_come_between_a_read_and_the_catching_up_count_once(
    redis: Redis, pool: Pool, settings: Settings, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ledger_rooms.create(pool, RoomId("r1"), UserId("creator"), "Creator", "A room")
    await shop.give("ann", "r1")
    await load_room(redis, pool, "r1")
    reader = reader_of_all(redis, pool, settings)
    read_again = apply.read_again

    async def after_two_more(redis: Redis, places: object, rooms: dict[str, Held], on_malformed: object) -> object:
        if rooms:
            monkeypatch.undo()
            await shop.give("ann", "r1", times=2)
        return await read_again(redis, places, rooms, on_malformed)

    # The pass has read one gift; the room, freshly loaded, is brought up to date from the log, which has three by now.
    monkeypatch.setattr(apply, "read_again", after_two_more)
    await until_drained(reader)
    await assert_rooms_hold(redis, {"r1": Counter(ann=3)})
