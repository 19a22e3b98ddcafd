"""The wallet functions with a clock that a test can set."""

from redis import Redis

from tests.wallet.model import LIBRARY

SHIFT_KEY = "{w00}:test-shift"
_TIME = b"return tonumber(time[1]) * 1000000"
_SHIFTED = b"return (tonumber(time[1]) + tonumber(redis.call('GET', '{w00}:test-shift') or '0')) * 1000000"


def shifted(library: bytes = LIBRARY) -> bytes:
    """The library with a clock that is as many seconds ahead as SHIFT_KEY says."""
    assert library.count(_TIME) == 1
    return library.replace(_TIME, _SHIFTED)


def now_us(redis: Redis) -> int:
    """The time by that clock."""
    seconds, microseconds = redis.time()  # type: ignore[misc]
    return (seconds + int(redis.get(SHIFT_KEY) or 0)) * 1_000_000 + microseconds  # type: ignore[arg-type]
