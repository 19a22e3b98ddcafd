"""What a worker tells all gateways: whose balance it changed, and for whom it left a notice."""

from collections.abc import Iterable

from redis.asyncio import Redis

from server.stores import keys

USERS_PER_MESSAGE_MAX = 500


async def tell(redis: Redis, sender: str, *, balances: Iterable[str] = (), notices: Iterable[str] = ()) -> None:
    """Names users after the commit; whoever is not reached shows the news at the next change, or some seconds later."""
    for channel, users in ((keys.BALANCES, sorted(set(balances))), (keys.NOTICES, sorted(set(notices)))):
        for start in range(0, len(users), USERS_PER_MESSAGE_MAX):
            message = "\n".join([sender, *users[start : start + USERS_PER_MESSAGE_MAX]])
            await redis.publish(channel, message)
