"""Redis comes back older, or empty: what is lost then is known exactly, beforehand, and nothing else may be."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from server.domain.ids import GiftId
from tests.chaos import shard_states
from tests.chaos.book import Ack, Book
from tests.chaos.stores import Stores

ANSWERS_ARRIVE_S = 1.5
"""After Redis went away a gateway refuses what it holds within a second: then every acknowledgement has arrived."""


@dataclass(slots=True)
class Losses:
    """acks: acknowledged gifts that are gone, on both sides. incidents: (shard, kind, the ledger's place)."""

    acks: set[tuple[str, Ack]] = field(default_factory=set)
    incidents: list[tuple[int, str, tuple[int, int]]] = field(default_factory=list)

    def lost(self, request_id: str, ack: Ack) -> bool:
        return (request_id, ack) in self.acks


async def replace_redis(stores: Stores, shards: int, book: Book, losses: Losses, files: Path | None) -> None:
    """Kill Valkey and start it on older files, or on none; note what is lost by that."""
    for proxy in stores.proxies:
        proxy.shut_down()
    try:
        await asyncio.sleep(ANSWERS_ARRIVE_S)
        assert stores.valkey.child is not None
        stores.valkey.child.kill()
        await stores.valkey.child.wait()
        await stores.postgres.wait_quiet()
        stores.valkey.replace_files(files)
        await stores.valkey.start()
        await _note(stores, shards, book, losses)
    finally:
        for proxy in stores.proxies:
            proxy.open_up()


async def flush_redis(stores: Stores, shards: int, book: Book, losses: Losses) -> None:
    """Empty Valkey while it runs, functions and all; note what is lost by that."""
    for proxy in stores.proxies:
        proxy.shut_down()
    try:
        await asyncio.sleep(ANSWERS_ARRIVE_S)
        await stores.postgres.wait_quiet()
        redis = stores.valkey.client()
        try:
            await redis.flushall()
            await redis.function_flush()
        finally:
            await redis.aclose()
        await _note(stores, shards, book, losses)
    finally:
        for proxy in stores.proxies:
            proxy.open_up()


async def _note(stores: Stores, shards: int, book: Book, losses: Losses) -> None:
    """Nobody else reaches the stores now: what they hold is what there is."""
    held, cursors = await shard_states.in_redis(stores, shards), await shard_states.in_postgres(stores)
    older = await shard_states.left_behind(stores, shards)
    kept: dict[int, tuple[int, int]] = {}
    for shard, (row, cursor) in enumerate(zip(held, cursors, strict=True)):
        there, ledger = (row["epoch"], row["number"]), (cursor.epoch, cursor.number)
        behind = ledger[0] > 0 and (there[0] != ledger[0] or there[1] < ledger[1])
        if behind:
            losses.incidents.append((shard, "redis_behind_ledger", ledger))
        elif older[shard] and ledger[0] > 0:
            # As far as the ledger, but from before the last opening: what followed on either side does not go together.
            losses.incidents.append((shard, "redis_left_behind", ledger))
            behind = True
        kept[shard] = ledger if behind else there
    for request in book.requests.values():
        for ack in request.acks:
            gift = GiftId.parse(ack.gift_id)
            if (gift.epoch, gift.number) > kept[gift.shard]:
                losses.acks.add((request.id, ack))
