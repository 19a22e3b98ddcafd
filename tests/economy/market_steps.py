"""What happens on a market, drawn from a seed: moments of one thing or of several at once."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from server.domain.controls import Period
from tests.economy.creators import MOODS, WISHES
from tests.economy.market import ADMINS, CREATORS, GALAS, ITEMS, ROOMS, SAID, VIEWERS

Step = tuple[Any, ...]
Moment = list[Step]

AT_ONCE = (1, 1, 1, 2, 3, 4)
DIES = (False, False, True)
NAMED = (True, True, True, False)
PIECES = (1, 80, 300, 700)
COINS = (250, -400)
LIMITS = (None, 100, 1_000, 3_000)
DIAMONDS = (100, 301, 900)

_STEPS: list[tuple[int, Callable[[Callable[..., Any]], Step]]] = [
    (5, lambda one: ("say", one(range(20)), one(list(SAID)), one(NAMED), one(DIES))),
    (3, lambda one: ("say", one(range(20)), "paid", one(NAMED), one(DIES))),
    (8, lambda one: ("give", one(VIEWERS), one(list(ROOMS)), one(PIECES))),
    (2, lambda one: ("buy", one(VIEWERS))),
    (1, lambda one: ("say_all_again",)),
    (1, lambda one: ("refunds_are_final",)),
    (3, lambda one: ("spend", one(VIEWERS), one(ITEMS), one(list(ROOMS)))),
    (2, lambda one: ("spend", one(VIEWERS), "ticket_100", one(GALAS))),
    (2, lambda one: ("ask_again", one(range(20)))),
    (1, lambda one: ("end", one(GALAS), one(DIES))),
    (2, lambda one: ("invite", one(VIEWERS), one(VIEWERS))),
    (1, lambda one: ("propose", one(VIEWERS), one(COINS))),
    (2, lambda one: ("decide", one(range(20)), one(ADMINS), not one(DIES), one(DIES))),
    (1, lambda one: ("limit", one(VIEWERS), one(list(Period)), one(LIMITS), one(DIES))),
    (3, lambda one: ("cash_out", one(CREATORS), one(range(len(WISHES))), one(DIAMONDS))),
    (2, lambda one: ("review", one(range(20)), not one(DIES))),
    (3, lambda one: ("drive", [one(MOODS), one(MOODS)])),
    (4, lambda one: ("settle",)),
    (1, lambda one: ("add_up",)),
    (2, lambda one: ("reward",)),
    (2, lambda one: ("sweep",)),
    (2, lambda one: ("leave", one(VIEWERS))),
    (1, lambda one: ("audit",)),
]
REDIS_IS_LOST = 0.03


def moments(seed: int, length: int) -> list[Moment]:
    """So many moments; the same ones for the same seed."""
    rng = Random(seed)
    weights, makers = zip(*_STEPS, strict=True)

    def moment() -> Moment:
        if rng.random() < REDIS_IS_LOST:
            return [("lose_redis",)]
        return [make(rng.choice) for make in rng.choices(makers, weights, k=rng.choice(AT_ONCE))]

    return [moment() for _ in range(length)]
