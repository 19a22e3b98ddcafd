"""Answers that the ledger knows: a shard that begins a new epoch gets those back that may be asked for again."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from server.domain.ids import GiftId
from server.ledger.partitions import DAY_US
from server.ledger.quarantine import readable
from server.stores.postgres import Connection

REMEMBERED_PAGE = 1_000
_NEWEST = (2**31 - 1, 2**63 - 1)


@dataclass(frozen=True, slots=True)
class Remembered:
    """The answer to a gift behind the cursor. coins_after: what the viewer had left; at_us: microseconds, UTC."""

    viewer: str
    request_id: str
    gift_id: GiftId
    coins_after: int
    combo: int
    combo_first: int
    at_us: int


async def remembered(conn: Connection, shard: int, age_s: float) -> AsyncIterator[list[Remembered]]:
    """Gifts of a shard accepted in the last age_s seconds, REMEMBERED_PAGE at a time.

    Settled ones first, newest first; then, likewise, those in quarantine: their viewers were told that they are paid.
    """
    since_us = int((time.time() - age_s) * 1_000_000)
    for read in (_settled, _set_aside):
        before = _NEWEST
        while True:
            rows = await read(conn, shard, before, since_us - DAY_US)
            if page := [gift for _, gift in rows if gift is not None and gift.at_us >= since_us]:
                yield page
            # Numbers run with time: the first that is too old ends it.
            if len(rows) < REMEMBERED_PAGE or any(gift is not None and gift.at_us < since_us for _, gift in rows):
                break
            before = rows[-1][0]


_Rows = list[tuple[tuple[int, int], Remembered | None]]
"""Epoch and number, and the gift there; None where the record cannot be read."""


async def _settled(conn: Connection, shard: int, before: tuple[int, int], from_us: int) -> _Rows:
    # The bound on the time only keeps older days' partitions out.
    rows = await conn.fetch(
        """
        SELECT viewer_id, request_id, epoch, number, coins_after, combo, combo_first, at_us FROM gifts
        WHERE shard = $1 AND (epoch, number) < ($2, $3) AND at_us >= $4
        ORDER BY epoch DESC, number DESC LIMIT $5
        """,
        shard,
        *before,
        from_us,
        REMEMBERED_PAGE,
    )
    return [
        (
            (row["epoch"], row["number"]),
            Remembered(
                viewer=row["viewer_id"],
                request_id=row["request_id"],
                gift_id=GiftId(shard, row["epoch"], row["number"]),
                coins_after=row["coins_after"],
                combo=row["combo"],
                combo_first=row["combo_first"],
                at_us=row["at_us"],
            ),
        )
        for row in rows
    ]


async def _set_aside(conn: Connection, shard: int, before: tuple[int, int], _: int) -> _Rows:
    rows = await conn.fetch(
        """
        SELECT epoch, number, record FROM quarantine
        WHERE shard = $1 AND (epoch, number) < ($2, $3) ORDER BY epoch DESC, number DESC LIMIT $4
        """,
        shard,
        *before,
        REMEMBERED_PAGE,
    )
    found: _Rows = []
    for row in rows:
        place, gift = (row["epoch"], row["number"]), readable(row["record"])
        answer = None
        if gift is not None:
            id_ = GiftId(shard, *place)
            answer = Remembered(
                gift.viewer, gift.request_id, id_, gift.coins_after, gift.combo, gift.combo_first, gift.at_us
            )
        found.append((place, answer))
    return found
