"""What a Redis that comes back older, or empty, may lose: exactly what was not settled and is not in its log."""

from __future__ import annotations

import asyncpg
import orjson

from server.domain.gift import Accepted
from server.domain.ids import shard_of
from server.stores import keys
from tests.simulation.book import Book
from tests.simulation.booked import read_booked
from tests.simulation.valkeys import Valkeys


async def note_losses(
    conn: asyncpg.Connection, valkeys: Valkeys, book: Book, shards: int, *, under_way: bool, same_past: bool
) -> None:
    """Tells the book what was lost; the data have just been replaced, and nothing else has happened since.

    under_way: transactions are open that may yet settle what Redis no longer has. same_past: the data are an earlier
    state of those that they replaced.
    """
    cursors = {row["shard"]: (row["epoch"], row["number"]) for row in await conn.fetch("SELECT * FROM shards")}
    booked = {gift.request: gift.id for gift in await read_booked(conn)}
    logs = {shard: _log(valkeys, shard) for shard in range(shards)}
    for ask in book.asks.values():
        shard = shard_of(ask.viewer, shards)
        (epoch, number), log = logs[shard]
        goes_on = epoch > 0 and epoch == cursors[shard][0] and number >= cursors[shard][1]
        if isinstance(ask.told, Accepted):
            gift = ask.told.gift_id
            if booked.get(ask.id) == gift:
                continue
            there = goes_on and gift.epoch == epoch and log.get(ask.id) == gift.number
            if not (there and same_past):
                ask.lose(may_live=there or under_way)
        else:
            ask.lose(may_live=False)
            if goes_on and ask.id in log:
                ask.may_live = True


def _log(valkeys: Valkeys, shard: int) -> tuple[tuple[int, int], dict[str, int]]:
    """Where the shard stands, and the requests in its log with their numbers."""
    epoch, number = valkeys.client.hmget(keys.shard(shard), "epoch", "number")
    entries = valkeys.client.xrange(keys.shard_log(shard))
    log = {row[5]: row[0] for _, fields in entries for row in orjson.loads(fields[b"g"])}
    return (int(epoch or 0), int(number or 0)), log
