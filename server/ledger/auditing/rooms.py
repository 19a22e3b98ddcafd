"""Rooms in Redis against the ledger: each room is as far in each shard's log as its mark says."""

from dataclasses import dataclass

from redis.asyncio import Redis

from server.ledger.auditing.redis_view import ShardView
from server.ledger.auditing.report import Findings
from server.ledger.shards import Cursor
from server.stores import keys
from server.stores.postgres import Connection
from server.stores.room_keys import room_pages

QUERY_TIMEOUT_S = 900.0


@dataclass(slots=True)
class HeldRoom:
    """A room in Redis. marks: shard → how far it has counted; coins_by_viewer: all its gifters.

    caught_up: it lacks nothing that was in the logs when it was loaded.
    """

    id: str
    coins: int
    diamonds: int
    gifts: int
    marks: dict[int, Cursor]
    coins_by_viewer: dict[str, int]
    caught_up: bool = True


async def read_rooms(redis: Redis) -> list[HeldRoom]:
    """All rooms that are in Redis, each as it is in one moment."""
    held: dict[str, HeldRoom] = {}
    async for page in room_pages(redis):
        held |= {id_: room for id_ in page if id_ not in held and (room := await _read(redis, id_)) is not None}
    return list(held.values())


async def _read(redis: Redis, room_id: str) -> HeldRoom | None:
    async with redis.pipeline(transaction=True) as pipeline:
        pipeline.hgetall(keys.room(room_id))
        pipeline.zrange(keys.room_top(room_id), 0, -1, withscores=True)
        fields, top = await pipeline.execute()
    if b"incarnation" not in fields:
        return None  # gone since the scan
    marks = {}
    for name, value in fields.items():
        if name.startswith(b"m:"):
            epoch, _, number = value.partition(b"-")
            marks[int(name[2:])] = Cursor(int(epoch), int(number))
    return HeldRoom(
        id=room_id,
        coins=int(fields[b"coins"]),
        diamonds=int(fields[b"diamonds"]),
        gifts=int(fields[b"gifts"]),
        marks=marks,
        coins_by_viewer={viewer.decode(): int(coins) for viewer, coins in top},
        caught_up=fields[b"caught_up"] == b"1",
    )


async def check_rooms(conn: Connection, held: list[HeldRoom], shards: dict[int, ShardView], wrong: Findings) -> int:
    """Compares rooms in Redis with the ledger's snapshot; answers how many hold nothing to compare yet.

    Those that have a mark in an epoch that is over are about to be loaded anew: a shard was begun anew, and what such
    a room holds is void. Those that are not caught up a worker brings up to date when somebody looks at them.
    """
    void = 0
    for room in held:
        if not room.caught_up or any(
            not shards[shard].serving or 0 < mark.epoch < shards[shard].cursor.epoch
            for shard, mark in room.marks.items()
            if shard in shards
        ):
            void += 1
            continue
        wanted = await _settled(conn, room.id)
        for shard, view in shards.items():
            if view.serving:
                _move(wanted, view, room.marks.get(shard))
        found = (room.coins, room.diamonds, room.gifts)
        wrong.expect(
            f"room {room.id} in Redis: coins, diamonds, gifts", found, (wanted.coins, wanted.diamonds, wanted.gifts)
        )
        if room.coins_by_viewer != wanted.coins_by_viewer:
            viewer = next(
                viewer
                for viewer in sorted(room.coins_by_viewer.keys() | wanted.coins_by_viewer.keys())
                if room.coins_by_viewer.get(viewer, 0) != wanted.coins_by_viewer.get(viewer, 0)
            )
            wrong.expect(
                f"room {room.id} in Redis: gifter {viewer}",
                room.coins_by_viewer.get(viewer, 0),
                wanted.coins_by_viewer.get(viewer, 0),
            )
    return void


async def _settled(conn: Connection, room_id: str) -> HeldRoom:
    """The room as the ledger has it, gifts in quarantine included: they were on screen."""
    totals = await conn.fetchrow("SELECT coins, diamonds, gifts FROM rooms WHERE id = $1", room_id)
    coins, diamonds, gifts = totals or (0, 0, 0)
    room = HeldRoom(room_id, coins, diamonds, gifts, {}, {})
    rows = await conn.fetch(
        "SELECT viewer_id, coins FROM room_gifters WHERE room_id = $1", room_id, timeout=QUERY_TIMEOUT_S
    )
    room.coins_by_viewer = {row["viewer_id"]: row["coins"] for row in rows}
    aside = await conn.fetch(
        "SELECT viewer_id, coins, diamonds, count FROM quarantine"
        " WHERE room_id = $1 AND resolved_at IS NULL AND count IS NOT NULL",
        room_id,
    )
    for row in aside:
        _count(room, row["viewer_id"], row["coins"], row["diamonds"], row["count"])
    return room


def _move(room: HeldRoom, view: ShardView, mark: Cursor | None) -> None:
    """Brings a room from the ledger's cursor of a shard to where the room in Redis is.

    A mark rests at the room's last gift, so a room is at least as far as the shard is applied.
    """
    cursor, at = view.cursor.number, view.state.applied
    if mark is not None and mark.epoch == view.cursor.epoch:
        at = max(at, mark.number)
    for gift in view.window.by_room.get(room.id, ()):
        if cursor < gift.number <= at:
            _count(room, gift.viewer, gift.coins, gift.diamonds, gift.pieces)
        elif at < gift.number <= cursor:
            _count(room, gift.viewer, -gift.coins, -gift.diamonds, -gift.pieces)


def _count(room: HeldRoom, viewer: str, coins: int, diamonds: int, pieces: int) -> None:
    room.coins += coins
    room.diamonds += diamonds
    room.gifts += pieces
    total = room.coins_by_viewer.get(viewer, 0) + coins
    if total:
        room.coins_by_viewer[viewer] = total
    else:
        room.coins_by_viewer.pop(viewer, None)
