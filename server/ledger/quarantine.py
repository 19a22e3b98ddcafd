"""Gifts that cannot be settled: kept beside the ledger, never dropped, never in the way of the others."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from server.domain.gift import COUNT_MAX, GiftRecord
from server.domain.money import MONEY_MAX
from server.ledger.log import RECORD_CHARS_MAX, Unreadable
from server.stores.postgres import Connection

UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One number that is set aside. viewer … at_us are None where they could not be read."""

    number: int
    reason: str
    record: str
    viewer: str | None = None
    room: str | None = None
    coins: int | None = None
    diamonds: int | None = None
    count: int | None = None
    at_us: int | None = None

    @classmethod
    def of_gift(cls, gift: GiftRecord, reason: str) -> "Quarantined":
        """A gift that could be read and not booked; amounts that cannot be are left out."""
        sane = 0 < gift.count <= COUNT_MAX and 0 <= gift.coins <= MONEY_MAX and 0 <= gift.diamonds <= MONEY_MAX
        return cls(
            number=gift.number,
            reason=reason,
            record=msgspec.json.encode(gift).decode()[:RECORD_CHARS_MAX],
            viewer=gift.viewer,
            room=gift.room,
            coins=gift.coins if 0 <= gift.coins <= MONEY_MAX else None,
            diamonds=gift.diamonds if sane else None,
            count=gift.count if sane else None,
            at_us=gift.at_us if 0 <= gift.at_us <= MONEY_MAX else None,
        )

    @classmethod
    def of_unreadable(cls, bad: Unreadable) -> "Quarantined":
        """A number whose record is not one."""
        coins = None if bad.viewer is None else bad.coins
        return cls(bad.number, UNREADABLE, bad.record, bad.viewer, None, coins)


def readable(record: str) -> GiftRecord | None:
    """The gift of a record in quarantine; None where it is not one, or was too long to be kept whole."""
    try:
        return msgspec.json.decode(record, type=GiftRecord)
    except msgspec.DecodeError:
        return None


async def set_aside(conn: Connection, shard: int, epoch: int, gifts: Iterable[Quarantined]) -> None:
    """Puts gifts into quarantine, in the transaction that moves the cursor past them."""
    await conn.executemany(
        """
        INSERT INTO quarantine (shard, epoch, number, reason, record, viewer_id, room_id, coins, diamonds, count, at_us)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        """,
        [
            (
                shard,
                epoch,
                gift.number,
                gift.reason,
                _storable(gift.record),
                _storable(gift.viewer),
                _storable(gift.room),
                gift.coins,
                gift.diamonds,
                gift.count,
                gift.at_us,
            )
            for gift in gifts
        ],
    )


def _storable(text: str | None) -> str | None:
    """Postgres keeps every character but this one."""
    return None if text is None else text.replace("\0", "\\0")
