"""What a worker tells all gateways: whose balance it changed, and for whom it left a notice."""

from collections.abc import Iterable

from redis.asyncio import Redis

from server.stores import keys
from server.wallet.balance_news import tell_balances

USERS_PER_MESSAGE_MAX = 500


async def tell(redis: Redis, sender: str, users: Iterable[str]) -> None:
    """Names users with a new balance and a notice, after the commit."""
    names = sorted(users)
    await tell_balances(redis, sender, names)
    await tell_notices(redis, sender, names)


async def tell_notices(redis: Redis, sender: str, users: Iterable[str]) -> None:
    """Names users for whom a notice was left; what is not heard is shown some seconds later."""
    names = sorted(users)
    for start in range(0, len(names), USERS_PER_MESSAGE_MAX):
        await redis.publish(keys.NOTICES, "\n".join([sender, *names[start : start + USERS_PER_MESSAGE_MAX]]))
