"""Items that are no gifts, as settlement finds them in the log: whether they can be booked, and what they do.

Each is a row more, written by the transaction that books it, under the item's own place in the log: exactly once.
"""

from collections.abc import Mapping
from typing import NamedTuple

from server.domain.catalogue import PLATFORM_KINDS, SHOWN_KINDS, ItemKind
from server.domain.gift import GiftRecord
from server.domain.item_note import ItemNote, read_note
from server.ledger.catalogue import Price
from server.ledger.directory import RoomAccounts
from server.stores.postgres import Connection


class Bought(NamedTuple):
    """An item that can be booked."""

    gift: GiftRecord
    price: Price
    note: ItemNote


def misfit(gift: GiftRecord, price: Price, rooms: Mapping[str, RoomAccounts]) -> str | None:
    """Why an item cannot be booked, beyond what holds for gifts too; None when it can."""
    kind = price.kind
    if kind is ItemKind.GIFT:
        return None if gift.room else "a gift without a room"
    note = read_note(gift.note)
    if note is None or note.kind is not kind:
        return "the item's note cannot be read"
    if (kind in PLATFORM_KINDS) != (gift.room == ""):
        return "bought in the wrong place"
    if kind is ItemKind.PROMOTE and note.room not in rooms:
        return "promotes an unknown room"
    if kind is ItemKind.TICKET and rooms[gift.room].ticket != (gift.gift, gift.version):
        return "not this room's ticket"
    return None


def as_bought(gift: GiftRecord, price: Price) -> Bought:
    """An item that `misfit` found nothing wrong with."""
    note = read_note(gift.note)
    assert note is not None
    return Bought(gift, price, note)


async def write(conn: Connection, shard: int, epoch: int, bought: list[Bought]) -> None:
    """The rows of what the items do; the caller's transaction books them."""
    for kinds, insert in ((SHOWN_KINDS, _show), ({ItemKind.TICKET}, _admit), ({ItemKind.PROMOTE}, _place)):
        some = [item for item in bought if item.price.kind in kinds]
        if some:
            await insert(conn, shard, epoch, some)
    for item in bought:
        if item.price.kind is ItemKind.UPGRADE:
            await _upgrade(conn, shard, epoch, item)


async def _show(conn: Connection, shard: int, epoch: int, bought: list[Bought]) -> None:
    await conn.executemany(
        """
        INSERT INTO shown (shard, epoch, number, room_id, viewer_id, kind, item_id, text, coins, at_us, lasting_s)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        """,
        [
            (
                shard, epoch, gift.number, gift.room, gift.viewer, price.kind, gift.gift, note.text, gift.coins,
                gift.at_us, price.effect["seconds"] * gift.count,
            )
            for gift, price, note in bought
        ],
    )  # fmt: skip


async def _admit(conn: Connection, shard: int, epoch: int, bought: list[Bought]) -> None:
    """A viewer's tickets are all of one shard, so that nobody else can be buying the same one meanwhile."""
    await conn.execute(
        """
        INSERT INTO tickets (shard, epoch, number, room_id, viewer_id, creator_id, coins, diamonds, at_us, spare)
        SELECT $1, $2, number, room_id, viewer_id, creator_id, coins, diamonds, at_us,
               row_number() OVER (PARTITION BY room_id, viewer_id ORDER BY number) > 1 OR EXISTS (
                   SELECT FROM tickets AS held
                   WHERE held.room_id = new.room_id AND held.viewer_id = new.viewer_id AND NOT held.spare
               )
        FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[])
            AS new (number, room_id, viewer_id, creator_id, coins, diamonds, at_us)
        """,
        shard,
        epoch,
        [gift.number for gift, _, _ in bought],
        [gift.room for gift, _, _ in bought],
        [gift.viewer for gift, _, _ in bought],
        [gift.creator for gift, _, _ in bought],
        [gift.coins for gift, _, _ in bought],
        [gift.diamonds for gift, _, _ in bought],
        [gift.at_us for gift, _, _ in bought],
    )


async def _place(conn: Connection, shard: int, epoch: int, bought: list[Bought]) -> None:
    await conn.executemany(
        """
        INSERT INTO placements (shard, epoch, number, room_id, viewer_id, coins, impressions, at_us)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        [
            (
                shard, epoch, gift.number, note.room, gift.viewer, gift.coins,
                price.effect["impressions"] * gift.count, gift.at_us,
            )
            for gift, price, note in bought
        ],
    )  # fmt: skip


async def _upgrade(conn: Connection, shard: int, epoch: int, bought: Bought) -> None:
    """One at a time, as each begins where the one before ends."""
    gift, price, _ = bought
    await conn.execute(
        """
        INSERT INTO upgrades (shard, epoch, number, viewer_id, item_id, slot, look, at_us, until_us)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9 + greatest($8, max(until_us))
        FROM upgrades WHERE viewer_id = $4 AND item_id = $5
        """,
        shard,
        epoch,
        gift.number,
        gift.viewer,
        gift.gift,
        price.effect["slot"],
        price.effect["look"],
        gift.at_us,
        price.effect["seconds"] * gift.count * 1_000_000,
    )
