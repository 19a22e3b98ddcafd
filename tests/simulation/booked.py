"""What the ledger has of the gifts, by plain reads: settled ones, and those that it set aside in quarantine."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg
import orjson

from server.domain.gift import Accepted
from server.domain.ids import GiftId


@dataclass(frozen=True)
class Booked:
    """A gift as the ledger has it. settled: it was booked; else it is in quarantine, and its coins are nobody's."""

    id: GiftId
    request: str
    viewer: str
    room: str
    creator: str
    gift: str
    count: int
    coins: int
    diamonds: int
    ack: Accepted
    settled: bool


async def read_booked(conn: asyncpg.Connection) -> list[Booked]:
    """All of them, in the order of their numbers."""
    found = [
        Booked(
            (gift := GiftId(row["shard"], row["epoch"], row["number"])),
            row["request_id"],
            row["viewer_id"],
            row["room_id"],
            row["creator_id"],
            row["gift_id"],
            row["count"],
            row["coins"],
            row["diamonds"],
            Accepted(gift, row["coins_after"], row["combo"], row["combo_first"], row["at_us"], ""),
            settled=True,
        )
        for row in await conn.fetch("SELECT * FROM gifts")
    ]
    for row in await conn.fetch("SELECT shard, epoch, number, record FROM quarantine"):
        gift = GiftId(row["shard"], row["epoch"], row["number"])
        _, at_us, left, combo, first, request, viewer, _, room, creator, kind, _, count, coins, diamonds, *_ = (
            orjson.loads(row["record"])
        )
        ack = Accepted(gift, left, combo, first, at_us, "")
        found.append(Booked(gift, request, viewer, room, creator, kind, count, coins, diamonds, ack, settled=False))
    return sorted(found, key=lambda gift: gift.id)
