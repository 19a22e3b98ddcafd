"""Balances that changed outside of any gateway: the gateways are told, and show them on every open page."""

from collections.abc import Sequence

from redis.asyncio import Redis

from server.stores import keys

USERS_PER_MESSAGE_MAX = 500


async def tell_balances(redis: Redis, sender: str, users: Sequence[str]) -> None:
    """Names users whose wallets changed; each gateway reads the balance of those who are there. Raises RedisError."""
    for start in range(0, len(users), USERS_PER_MESSAGE_MAX):
        message = "\n".join([sender, *users[start : start + USERS_PER_MESSAGE_MAX]])
        await redis.publish(keys.BALANCES, message.encode())
