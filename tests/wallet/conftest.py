"""A plain client of an empty Valkey."""

from collections.abc import Iterator

import pytest
from redis import Redis


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """Answers in bytes, waits for every reply."""
    with Redis.from_url(redis_url, protocol=2) as client:
        yield client
