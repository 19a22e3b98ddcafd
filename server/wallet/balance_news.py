"""Whose balance changed, named on the channel that all gateways hear."""

from collections.abc import Iterable

from redis.asyncio import Redis

from server.stores import keys

USERS_PER_MESSAGE_MAX = 500


async def tell_balances(redis: Redis, sender: str, users: Iterable[str]) -> None:
    """Names users whose balance changed; the gateways where they have a socket, the sender aside, read it again."""
    names = sorted(users)
    for start in range(0, len(names), USERS_PER_MESSAGE_MAX):
        await redis.publish(keys.BALANCES, "\n".join([sender, *names[start : start + USERS_PER_MESSAGE_MAX]]))
