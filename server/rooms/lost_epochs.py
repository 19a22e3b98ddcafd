"""After an incident: what is left in Redis of an epoch that is over.

A shard begins a new epoch when Redis came back without gifts that the ledger has. The rooms in that Redis miss them
too, and no log will bring them: so they are forgotten here, and loaded from the ledger when they are next needed.
The wallets of that epoch are never looked at again; those that waited for a settlement get a time to live at last.
"""

import structlog
from redis.asyncio import Redis

from server.rooms.shard_log import Mark
from server.stores import keys
from server.stores.room_keys import room_pages
from server.stores.wallet_keys import wallet_pages

log = structlog.get_logger()

LOST_WALLET_TTL_S = 3_600
"""How long a wallet of a lost epoch is kept, for whoever wants to see what an incident cost."""


async def unload_rooms_of_lost_epochs(redis: Redis, epochs: dict[int, int]) -> int:
    """Forgets all rooms with a mark before the shard's own epoch (shard → epoch); answers how many."""
    shards = sorted(shard for shard, epoch in epochs.items() if epoch > 1)
    if not shards:
        return 0
    unloaded = 0
    async for rooms in room_pages(redis):
        pipeline = redis.pipeline(transaction=False)
        for room in rooms:
            pipeline.hmget(keys.room(room), "incarnation", *(f"m:{shard}" for shard in shards))
        for room, (incarnation, *marks) in zip(rooms, await pipeline.execute(), strict=True):
            held = {shard: Mark.parse(mark).epoch for shard, mark in zip(shards, marks, strict=True) if mark}
            # Also one that had counted nothing of the shard: what the ledger has of it is in no log any more.
            if incarnation and any(epoch < epochs[shard] for shard, epoch in held.items()):
                unloaded += await redis.fcall("gs_room_unload", 1, keys.room(room), incarnation)
    if unloaded:
        log.warning("rooms are loaded again: a shard began a new epoch", rooms=unloaded)
    return unloaded


async def let_wallets_of_lost_epochs_go(redis: Redis, epochs: dict[int, int]) -> int:
    """Gives wallets of epochs before the shard's own (shard → epoch) a time to live; answers how many had none."""
    if all(epoch <= 1 for epoch in epochs.values()):
        return 0
    let_go = 0
    async for page in wallet_pages(redis):
        pipeline = redis.pipeline(transaction=False)
        for shard, epoch, viewer in page:
            if epoch < epochs.get(shard, 0):
                pipeline.expire(keys.wallet(shard, epoch, viewer), LOST_WALLET_TTL_S, nx=True)
        let_go += sum(map(int, await pipeline.execute()))
    return let_go
