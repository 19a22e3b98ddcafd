"""Budgets while everything goes on: nothing is accepted beyond the limits that a wallet has in that moment."""

from __future__ import annotations

from collections.abc import Callable

import redis

from server.domain.controls import Period
from server.domain.ids import shard_of
from server.stores import keys
from tests.wallet.held import controls_numbers

THRIFTY = ("ann", "bob")
"""Who sets budgets."""


class Budgets:
    """Looks at the wallets after each call. That what they count is what was spent, the audit says at rest."""

    def __init__(self, shards: int, found: Callable[[str], None]) -> None:
        self._shards = shards
        self._found = found
        self._before: dict[tuple[int, str], tuple[str, list[int]]] = {}

    def forget(self) -> None:
        """Other data take the place of Redis's: what was there before says nothing."""
        self._before.clear()

    def look(self, server: int, client: redis.Redis) -> None:
        """What was spent grows no further than to the limit, as long as it is the same wallet under the same limits."""
        for viewer in THRIFTY:
            shard = shard_of(viewer, self._shards)
            key = keys.wallet(shard, int(client.hget(keys.shard(shard), "epoch") or 0), viewer)
            held = client.get(key)
            key_before, before = self._before.pop((server, viewer), ("", []))
            if held is None or not (now := controls_numbers(held)):
                continue
            self._before[server, viewer] = key, now
            if key == key_before and before[0] == now[0]:
                for period, limit, spent_before, spent in zip(Period, now[2::3], before[3::3], now[3::3], strict=True):
                    if spent_before < spent > limit >= 0:
                        self._found(f"{viewer} has spent {spent} of {limit} coins this {period}, {spent_before} before")
