"""Calls of `gs_room_tick`: the gifts of a room as arguments, and what it answers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
from msgspec import Struct
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from server.domain import combo
from server.domain.catalogue import SHOWN_KINDS, ItemKind
from server.domain.item_note import read_note
from server.domain.person import person_json
from server.domain.shown import Shown
from server.rooms.badges import Badges
from server.rooms.listing_budget import ListingBudget
from server.rooms.shard_log import START, Mark, RoomGift
from server.stores import keys

GIFTS_PER_CALL_MAX = 2_000
"""Gifts in one call, so that no call keeps Redis from others for long."""

CALLS_PER_PIPELINE = 100
GIFTS_PER_PIPELINE = 5_000
"""So that no pipeline takes longer than a reply is waited for, on a machine that is busy."""


Beside = Callable[[str], bytes]
"""What stands beside a user's name."""


def _without_badge(_: str) -> bytes:
    return b""


@dataclass(slots=True)
class Held:
    """What a room in Redis answered about itself: which loading it is, and how far each shard is counted in it.

    caught_up: nothing that was in the logs when it was loaded is missing from it.
    """

    incarnation: bytes
    caught_up: bool
    marks: dict[int, Mark] = field(default_factory=dict)

    def uncounted(self, gifts: list[RoomGift]) -> list[RoomGift]:
        """Those of the gifts that the room has not counted yet, in their order."""
        marks = self.marks
        firsts = {gift.shard: gift for gift in reversed(gifts)}
        if all(first.mark > marks.get(shard, START) for shard, first in firsts.items()):
            # As it nearly always is: they follow each other in the log.
            return gifts
        return [gift for gift in gifts if gift.mark > marks.get(gift.shard, START)]

    def behind(self, before: "Held") -> bool:
        """Whether this counts less than the same room did before: its Redis was replaced by an older one."""
        return self.incarnation == before.incarnation and any(
            self.marks.get(shard, START) < mark for shard, mark in before.marks.items()
        )

    def lost_epoch(self, gifts: list[RoomGift]) -> bool:
        """Whether gifts follow of an epoch that this room never heard of: what it holds of the one before may be less
        than the ledger has, so it must be loaded again."""
        return any(0 < self.marks.get(gift.shard, START).epoch < gift.epoch for gift in gifts)


class Tick(Struct, frozen=True):
    """One call: a room, the gifts it shall count, and the marks that it moves (shard → expected, new)."""

    room: str
    gifts: list[RoomGift]
    moves: dict[int, tuple[Mark | None, Mark]]
    caught_up: bool = False

    def arguments(
        self,
        log_max: int,
        read_from: bytes = b"",
        budget: ListingBudget | None = None,
        beside: Beside = _without_badge,
    ) -> list[str | bytes]:
        """ARGV of the function. read_from: the server process (`gs_run`) whose log the gifts were read from."""
        moves: list[str | bytes] = []
        for shard, (old, new) in self.moves.items():
            moves += [str(shard), "" if old is None else str(old), str(new)]
        head = [str(log_max), "1" if self.caught_up else "0", str(len(self.moves)), *moves]
        if not self.gifts:
            return [*head, "0", "0", "0", "", "", read_from, "0"]
        entries = combo.most_valuable_first(combo.merge(self.gifts))
        encoded = (entry.encoded() for entry in entries[: combo.ENTRIES_MAX])
        listed = list(encoded) if budget is None else budget.cut(self.room, encoded)
        more = combo.more(entries[len(listed) :])
        given: dict[str, int] = {}
        names: dict[str, str] = {}
        count = coins = diamonds = 0
        for entry in entries:
            count += entry.count
            coins += entry.coins
            diamonds += entry.diamonds
            given[entry.viewer] = given.get(entry.viewer, 0) + entry.coins
            names[entry.viewer] = entry.viewer_name
        items = [gift for gift in self.gifts if gift.record.note]
        gifters: list[str | bytes] = []
        for viewer, viewer_coins in given.items():
            gifters += (viewer, str(viewer_coins), person_json(viewer, names[viewer], beside(viewer)))
        return [
            *head,
            str(count),
            str(coins),
            str(diamonds),
            b"[%b]" % b",".join(listed),
            orjson.dumps(more) if more["gifts"] else "",
            read_from,
            str(len(given)),
            *gifters,
            *([_bought(items, beside)] if items else []),
        ]


def _bought(items: list[RoomGift], beside: Beside) -> bytes:
    """What other items than gifts do in their room, as the function takes it; a note that says nothing does nothing."""
    shown: list[tuple[str, int, int, int, int, str]] = []
    tickets: set[str] = set()
    for item in items:
        record, note = item.record, read_note(item.record.note)
        if note is not None and note.kind in SHOWN_KINDS:
            entry = Shown(
                id=str(item.gift_id),
                kind=note.kind,
                item=record.gift,
                person=person_json(record.viewer, record.viewer_name, beside(record.viewer)),
                text=note.text,
                coins=record.coins,
                at_us=record.at_us,
                lasting_s=note.seconds,
            )
            shown.append((entry.key, int(entry.goes_on), entry.at_us, entry.lasting_us, entry.coins, entry.head()))
        elif note is not None and note.kind is ItemKind.TICKET:
            tickets.add(record.viewer)
    return orjson.dumps({"shown": shown, "tickets": sorted(tickets)})


def ticks_of(room: str, gifts: list[RoomGift], held: Held | None, *, caught_up: bool = False) -> list[Tick]:
    """The calls that bring these gifts into a room; each expects what the one before left.

    held: what is known of the room; None asks it, as no expectation can be met. caught_up: the last call says so.
    """
    known = dict(held.marks) if held is not None else {}
    pieces = [gifts[start : start + GIFTS_PER_CALL_MAX] for start in range(0, len(gifts), GIFTS_PER_CALL_MAX)] or [[]]
    ticks: list[Tick] = []
    for piece in pieces:
        new = {shard: gift.mark for shard, gift in {gift.shard: gift for gift in piece}.items()}
        moves = {shard: (None if held is None else known.get(shard, START), mark) for shard, mark in new.items()}
        ticks.append(Tick(room, piece, moves, caught_up and len(ticks) + 1 == len(pieces)))
        known.update(new)
    return ticks


def question(room: str) -> Tick:
    """A call that changes nothing, as its expectation cannot be met; the room answers its marks."""
    return Tick(room, [], {0: (None, START)})


def read_marks(answer: list[Any]) -> Held:
    """The answer `marks`."""
    pairs = iter(answer[3:])
    return Held(
        incarnation=answer[1],
        caught_up=answer[2] == b"1",
        marks={int(shard): Mark.parse(mark) for shard, mark in zip(pairs, pairs, strict=True)},
    )


async def call(
    redis: Redis,
    ticks: list[Tick],
    log_max: int,
    read_from: bytes = b"",
    *,
    budget: ListingBudget | None = None,
    badges: Badges | None = None,
) -> list[Any]:
    """The answers, in order. A refusal that no repetition can mend is one of them; any other error is raised.

    Raises redis.exceptions.ConnectionError too when another server process answers than the gifts were read from.
    """
    answers: list[Any] = []
    beside = _without_badge if badges is None else badges.beside
    if badges is not None:
        await badges.learn({gift.record.viewer for tick in ticks for gift in tick.gifts})
    for piece in _pieces(ticks):
        pipeline = redis.pipeline(transaction=False)
        for tick in piece:
            pipeline.fcall("gs_room_tick", 1, keys.room(tick.room), *tick.arguments(log_max, read_from, budget, beside))
        answers += await pipeline.execute(raise_on_error=False)
    for answer in answers:
        if answer == [b"moved"]:
            raise RedisConnectionError("the gifts were read from another server process")
        if isinstance(answer, Exception) and not (
            isinstance(answer, ResponseError) and str(answer).startswith(("BADARG", "WRONGTYPE"))
        ):
            raise answer
    return answers


def _pieces(ticks: list[Tick]) -> Iterator[list[Tick]]:
    piece: list[Tick] = []
    gifts = 0
    for tick in ticks:
        if piece and (len(piece) >= CALLS_PER_PIPELINE or gifts + len(tick.gifts) > GIFTS_PER_PIPELINE):
            yield piece
            piece, gifts = [], 0
        piece.append(tick)
        gifts += len(tick.gifts)
    if piece:
        yield piece
