"""Bringing a room from the ledger into Redis: totals, gifters, and how far each wallet shard is counted in them.

The marks of a loaded room are the ledger's cursors of the same snapshot. What came after them is still in the
shards' logs; a worker reads it again from there (`server/rooms/apply.py`) and then calls the room *caught up*.
"""

import secrets
import time

import asyncpg
import orjson
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from server.domain.ids import RoomId
from server.domain.person import person_json
from server.domain.shown import kept
from server.domain.ticket import write_ticket
from server.ledger import rooms as ledger_rooms
from server.ledger.rooms import RoomSnapshot
from server.rooms.shard_log import Mark, trimmed_marks, trimmed_past
from server.stores import keys
from server.stores.redis import is_missing_function, load_functions

GIFTERS_PER_COMMAND = 1_000
HOLDERS_PER_COMMAND = 1_000
LOADING_TTL_S = 120
"""How long gifters that were put down for a load wait for it; a load that died leaves nothing for good."""

LOAD_ATTEMPTS_MAX = 5


class RoomStaleError(Exception):
    """Between snapshot and load the log was trimmed past the snapshot, again and again."""


async def load_room(redis: Redis, pool: asyncpg.Pool, room_id: str, *, new: bool = False) -> bool:
    """Makes the room present in Redis; False when the ledger has no such room.

    new: the room was made just now, so that no gift of it can be in any log.
    Raises what STORE_AWAY names when a store is away, RoomStaleError when it could not keep up with the logs.
    """
    for _ in range(LOAD_ATTEMPTS_MAX):
        snapshot = await ledger_rooms.snapshot(pool, RoomId(room_id))
        if snapshot is None:
            return False
        try:
            status, incarnation = await _put(redis, snapshot, caught_up=new)
        except ResponseError as error:
            if not is_missing_function(error):
                raise
            await load_functions(redis)
            continue
        if status == b"present" or not await _stale(redis, snapshot):
            return True
        await redis.fcall("gs_room_unload", 1, keys.room(room_id), incarnation)
    raise RoomStaleError(room_id)


async def unload_room(redis: Redis, room_id: str, incarnation: str) -> None:
    """Forgets a room that cannot be trusted, if it still is that incarnation; it is loaded again when needed."""
    await redis.fcall("gs_room_unload", 1, keys.room(room_id), incarnation)


async def _put(redis: Redis, snapshot: RoomSnapshot, *, caught_up: bool) -> tuple[bytes, bytes]:
    """Puts the gifters down in bounded pieces, then lets one call make a room of it all."""
    token = secrets.token_hex(8)
    gifters = snapshot.gifters
    pipeline = redis.pipeline(transaction=False)
    top, who, shown, tickets = keys.room_loading(snapshot.id, token)
    for start in range(0, len(gifters), GIFTERS_PER_COMMAND):
        piece = gifters[start : start + GIFTERS_PER_COMMAND]
        pipeline.zadd(top, {viewer: coins for viewer, _, coins in piece})
        pipeline.hset(who, mapping={viewer: person_json(viewer, name) for viewer, name, _ in piece})
    entries = kept(snapshot.items.shown, time.time_ns() // 1_000)
    if entries:
        pipeline.hset(shown, items=[part for entry in entries.items() for part in entry])
    holders = snapshot.items.holders
    for start in range(0, len(holders), HOLDERS_PER_COMMAND):
        pipeline.sadd(tickets, *holders[start : start + HOLDERS_PER_COMMAND])
    for key, there in ((top, gifters), (who, gifters), (shown, entries), (tickets, holders)):
        if there:
            pipeline.expire(key, LOADING_TTL_S)
    marks: list[str] = []
    for shard, cursor in sorted(snapshot.cursors.items()):
        marks += [str(shard), f"{cursor.epoch}-{cursor.number}"]
    pipeline.fcall(
        "gs_room_load",
        1,
        keys.room(snapshot.id),
        orjson.dumps(snapshot.title),
        person_json(snapshot.creator_id, snapshot.creator_name),
        snapshot.state,
        str(int(snapshot.started_at.timestamp() * 1_000_000)),
        str(snapshot.diamonds),
        str(snapshot.gifts),
        str(snapshot.coins),
        "1" if caught_up else "0",
        token,
        str(len(gifters)),
        write_ticket(snapshot.ticket),
        *marks,
    )
    answers = await pipeline.execute()
    status, incarnation = answers[-1]
    return status, incarnation


async def _stale(redis: Redis, snapshot: RoomSnapshot) -> bool:
    """Whether a log no longer holds all that follows the snapshot."""
    trimmed = await trimmed_marks(redis, snapshot.cursors)
    cursors = {shard: Mark(cursor.epoch, cursor.number) for shard, cursor in snapshot.cursors.items()}
    return any(trimmed_past(cursors[shard], mark) for shard, mark in trimmed.items())
