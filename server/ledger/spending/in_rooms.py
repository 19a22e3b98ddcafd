"""What the ledger knows of the items bought in one room: who holds a ticket, and what is still to be seen."""

from collections.abc import Iterable
from dataclasses import dataclass

from server.domain.catalogue import ItemKind
from server.domain.ids import GiftId
from server.domain.item_note import read_note
from server.domain.person import person_json
from server.domain.shown import Shown
from server.ledger.quarantine import readable
from server.ledger.spending.gift_id_text import GIFT_ID
from server.stores.postgres import Connection, Pool

SHOWN_READ_MAX = 200
"""Items of a room that are looked at for what is still to be seen, the newest ones."""


@dataclass(frozen=True, slots=True)
class RoomItems:
    """shown: in the order in which it was bought; some of it may be over. holders: of tickets."""

    shown: list[Shown]
    holders: list[str]


async def items_of(conn: Connection, room_id: str) -> RoomItems:
    """A room's items. Tickets in quarantine are in them: they were acknowledged, and let in."""
    shown = await conn.fetch(
        f"""
        SELECT shard, epoch, number, kind, item_id, viewer_id, coalesce(users.name, viewer_id) AS viewer_name, text,
               coins, at_us, lasting_s
        FROM shown LEFT JOIN users ON users.id = viewer_id
        WHERE room_id = $1 AND NOT EXISTS (
            SELECT FROM taken_down WHERE taken_down.room_id = shown.room_id AND gift_id = {GIFT_ID}
        ) ORDER BY at_us DESC LIMIT $2
        """,  # noqa: S608 - the one expression
        room_id,
        SHOWN_READ_MAX,
    )
    tickets = await conn.fetch("SELECT viewer_id FROM tickets WHERE room_id = $1 AND NOT spare", room_id)
    aside = await conn.fetch("SELECT record FROM quarantine WHERE room_id = $1 AND resolved_at IS NULL", room_id)
    return RoomItems(
        shown=[
            Shown(
                id=str(GiftId(row["shard"], row["epoch"], row["number"])),
                kind=ItemKind(row["kind"]),
                item=row["item_id"],
                person=person_json(row["viewer_id"], row["viewer_name"]),
                text=row["text"],
                coins=row["coins"],
                at_us=row["at_us"],
                lasting_s=row["lasting_s"],
            )
            for row in reversed(shown)
        ],
        holders=sorted({row["viewer_id"] for row in tickets}.union(_holders(row["record"] for row in aside))),
    )


def _holders(records: Iterable[str]) -> Iterable[str]:
    for record in records:
        gift = readable(record)
        note = None if gift is None else read_note(gift.note)
        if gift is not None and note is not None and note.kind is ItemKind.TICKET:
            yield gift.viewer


async def take_down(pool: Pool, room_id: str, gift_id: GiftId, by_id: str) -> None:
    """Notes that an item is not to be seen in its room any more."""
    await pool.execute(
        "INSERT INTO taken_down (room_id, gift_id, by_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        room_id,
        str(gift_id),
        by_id,
    )
