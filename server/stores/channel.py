"""What gateways tell each other on a plain channel. Messages can be lost: whoever listens can do without them."""

import asyncio
from collections.abc import Callable

import structlog
from redis.asyncio import Redis

from server.stores.failures import REDIS_AWAY

log = structlog.get_logger()

LISTEN_TIMEOUT_S = 1.0
RETRY_PAUSE_S = 1.0


async def listen(
    redis: Redis, channel: str, on_message: Callable[[bytes], None], *, on_subscribed: Callable[[], None] | None = None
) -> None:
    """Listens until cancelled, again after each loss. on_subscribed: what was said before was not heard."""
    while True:
        pubsub = redis.pubsub(ignore_subscribe_messages=True)
        try:
            await pubsub.subscribe(channel)
            if on_subscribed is not None:
                on_subscribed()
            while True:
                message = await pubsub.get_message(timeout=LISTEN_TIMEOUT_S)
                if message is not None:
                    on_message(message["data"])
        except REDIS_AWAY as error:
            log.warning("a channel cannot be heard", channel=channel, error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(RETRY_PAUSE_S)
        finally:
            await pubsub.aclose()  # type: ignore[no-untyped-call]
