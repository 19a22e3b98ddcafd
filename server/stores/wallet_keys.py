"""Walking over the wallets that are loaded, whatever their shard and epoch."""

from collections.abc import AsyncIterator

from redis.asyncio import Redis

from server.stores import keys

KEYS_PER_SCAN = 1_000


async def wallet_pages(redis: Redis) -> AsyncIterator[list[tuple[int, int, str]]]:
    """Pages of (shard, epoch, viewer). One that is there all the while is in one of them, and may be in two."""
    cursor = 0
    while True:
        cursor, found = await redis.scan(cursor, match=keys.WALLETS, count=KEYS_PER_SCAN)
        wallets = [keys.read_wallet(key) for key in found if isinstance(key, bytes)]
        yield [wallet for wallet in wallets if wallet is not None]
        if cursor == 0:
            return
