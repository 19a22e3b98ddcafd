"""The room functions as the tests call them, and what they answer, read."""

import json
from typing import Any

from redis.asyncio import Redis

from server.domain.gift import GiftRecord
from server.rooms.room_tick import Tick
from server.rooms.shard_log import Mark, RoomGift
from server.stores import keys

LOG_MAX = 600


async def load(
    redis: Redis, room: str, *, marks: dict[int, str] | None = None, caught_up: bool = True, **fields: Any
) -> str:
    """Makes an empty room present; answers its incarnation."""
    pairs = [part for shard, mark in (marks or {}).items() for part in (str(shard), mark)]
    answer = await redis.fcall(
        "gs_room_load",
        1,
        keys.room(room),
        json.dumps(fields.get("title", "A room")),
        json.dumps({"id": "creator", "name": "Creator"}),
        fields.get("state", "live"),
        "1700000000000000",
        "0",
        "0",
        "0",
        "1" if caught_up else "0",
        "token",
        "0",
        fields.get("ticket", ""),
        *pairs,
    )
    return str(answer[1].decode())


def gift(
    number: int, *, shard: int = 0, epoch: int = 1, viewer: str = "ann", count: int = 1, room: str = "r1", **more: Any
) -> RoomGift:
    """A gift as a shard's log holds it, one coin and one diamond a piece."""
    record = GiftRecord(
        number=number,
        at_us=1_700_000_000_000_000 + number,
        coins_after=0,
        combo=count,
        combo_first=more.get("combo_first", number),
        request_id=f"request-{number}",
        viewer=viewer,
        viewer_name=more.get("name", viewer.title()),
        room=room,
        creator="creator",
        gift=more.get("gift", "rose"),
        version=1,
        count=count,
        coins=more.get("coins", count),
        diamonds=more.get("diamonds", count),
    )
    return RoomGift(shard, epoch, record)


async def tick(
    redis: Redis, room: str, *gifts: RoomGift, old: str | None = "0-0", log_max: int = LOG_MAX, read_from: bytes = b""
) -> Any:
    """One `gs_room_tick`; the gifts are of one shard, whose mark is expected at `old`."""
    moves = {gifts[-1].shard: (None if old is None else Mark.parse(old.encode()), gifts[-1].mark)} if gifts else {}
    arguments = Tick(room, list(gifts), moves).arguments(log_max, read_from)
    return await redis.fcall("gs_room_tick", 1, keys.room(room), *arguments)


async def frames(redis: Redis, room: str) -> list[dict[str, Any]]:
    """All frames in the room's log, oldest first."""
    return [json.loads(fields[b"f"]) for _, fields in await redis.xrange(keys.room_log(room)) if b"f" in fields]


async def join(redis: Redis, room: str, since: str = "", gateway: str = "g1", members: int = 1) -> dict[str, Any]:
    """One `gs_room_join`, read."""
    position, state, snapshot, dirty, recovered, missed = await redis.fcall(
        "gs_room_join", 1, keys.room(room), gateway, str(members), "15", since
    )
    return {
        **json.loads(b"{%b}" % snapshot),
        "position": position.decode(),
        "state": state.decode(),
        "dirty": dirty == b"1",
        "recovered": recovered == b"1",
        "missed": [json.loads(entry[1][3]) for entry in missed],
    }
