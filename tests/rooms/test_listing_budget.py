"""What a room's members download is bounded by bytes a second, and still every gift is counted."""

from __future__ import annotations

import orjson

from server.domain.combo import ENTRIES_MAX
from server.domain.gift import GiftRecord
from server.rooms.listing_budget import BYTES_AT_ONCE, ListingBudget
from server.rooms.room_tick import Held, Tick, ticks_of
from server.rooms.shard_log import RoomGift

BYTES_PER_S = 14_000
TICK_S = 0.1


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def tick_of(gifts: int) -> Tick:
    """One tick of a room with so many gifts, each of another viewer and dearer than the one before."""
    records = [
        GiftRecord(n, 1, 0, 1, n, f"r-{n}", f"viewer-{n}", f"viewer {n}", "room", "creator", "rose", 1, 1, n, n)
        for n in range(1, gifts + 1)
    ]
    (tick,) = ticks_of("room", [RoomGift(7, 1, record) for record in records], Held(b"1", caught_up=True))
    return tick


def listed(tick: Tick, budget: ListingBudget) -> tuple[list[dict[str, int]], dict[str, int], int]:
    """The entries listed, `more`, and the bytes of the entries."""
    arguments = tick.arguments(600, b"", budget)
    entries, more = arguments[-4 - 3 * len(tick.gifts) :][:2]
    assert isinstance(entries, bytes)
    return orjson.loads(entries), orjson.loads(more or "{}"), len(entries) - 2


def test_a_burst_in_a_quiet_room_is_listed_up_to_what_a_delta_holds():
    entries, more, _ = listed(tick_of(2 * ENTRIES_MAX), ListingBudget(BYTES_PER_S, Clock()))
    assert len(entries) == ENTRIES_MAX
    assert more["gifts"] == ENTRIES_MAX


def test_a_storm_lists_the_most_valuable_within_its_bytes_and_counts_the_rest():
    clock, seconds, gifts = Clock(), 20, 200
    budget = ListingBudget(BYTES_PER_S, clock)
    spent = 0
    for _ in range(int(seconds / TICK_S)):
        entries, more, size = listed(tick_of(gifts), budget)
        spent += size
        coins = [entry["coins"] for entry in entries]
        assert coins == list(range(gifts, gifts - len(coins), -1))
        assert sum(coins) + more["coins"] == sum(range(gifts + 1))
        assert len(coins) + more["count"] == gifts
        clock.now_s += TICK_S
    assert 0.8 * seconds * BYTES_PER_S < spent <= BYTES_AT_ONCE + seconds * BYTES_PER_S * 1.05


def test_however_little_is_left_the_most_valuable_entry_is_listed():
    budget = ListingBudget(1, Clock())
    for _ in range(100):
        entries, _, _ = listed(tick_of(3), budget)
    assert [entry["coins"] for entry in entries] == [3]


def test_one_room_does_not_pay_for_another():
    budget = ListingBudget(1, Clock())
    entry = b"x" * BYTES_AT_ONCE
    assert len(budget.cut("loud", [entry, entry])) == 1
    assert len(budget.cut("calm", [b"x"] * 9)) == 9
