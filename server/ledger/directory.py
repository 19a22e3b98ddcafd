"""What settlement must know of each gift's viewer, room and price: looked up once, kept within bounds.

Nothing kept here ever changes in Postgres: an account keeps its id, a room its creator, a version its price.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from server.domain.catalogue import ItemKind
from server.domain.gift import GiftRecord
from server.domain.ids import shard_of
from server.domain.item_note import read_note
from server.ledger import catalogue
from server.ledger.accounts import WALLET, AccountId, account_ids, platform_owner
from server.ledger.catalogue import Price
from server.stores.postgres import Connection

WALLETS_PER_SHARD_MAX = 50_000
ROOMS_MAX = 100_000


class RoomAccounts(NamedTuple):
    """Whose room it is, and the accounts that its diamonds go to; those of tickets are held for a while.

    ticket: the item and version that lets viewers in, None for a room that is open to all.
    """

    creator: str
    diamonds: AccountId
    held: AccountId
    ticket: tuple[str, int] | None = None


_NO_ROOM = RoomAccounts(creator="", diamonds=AccountId(0), held=AccountId(0))
"""Where items are bought that belong to no room; nobody earns anything there."""


class Platform(NamedTuple):
    """The platform's accounts for one wallet shard."""

    spent: AccountId
    issued: AccountId


@dataclass(frozen=True, slots=True)
class Known:
    """What one batch needs; who and what is missing here does not exist."""

    wallets: Mapping[str, AccountId]
    rooms: Mapping[str, RoomAccounts]
    prices: Mapping[tuple[str, int], Price]
    platform: Platform


class Directory:
    """Looks up accounts of viewers, rooms and the platform, and prices, and keeps what it found."""

    def __init__(self, wallet_shards: int) -> None:
        self._wallet_shards = wallet_shards
        self._wallets: dict[int, dict[str, AccountId]] = {}
        self._rooms: dict[str, RoomAccounts] = {}
        self._platforms: dict[int, Platform] = {}
        self._prices: dict[tuple[str, int], Price] = {}

    async def look_up(self, conn: Connection, gifts: list[GiftRecord], shard: int) -> Known:
        """What these gifts, all of one shard's log, need.

        A viewer of another shard is never found: nobody but a viewer's own shard may settle its gifts.
        """
        return Known(
            wallets=await self._find_wallets(conn, {gift.viewer for gift in gifts}, shard),
            rooms=await self._find_rooms(conn, {gift.room for gift in gifts} | _promoted(gifts)),
            prices=await self._find_prices(conn, {(gift.gift, gift.version) for gift in gifts}),
            platform=await self._find_platform(conn, shard),
        )

    async def _find_wallets(self, conn: Connection, viewers: set[str], shard: int) -> dict[str, AccountId]:
        kept = self._wallets.setdefault(shard, {})
        known = {viewer: kept[viewer] for viewer in viewers & kept.keys()}
        asked = [viewer for viewer in viewers - known.keys() if self._belongs(viewer, shard)]
        if not asked:
            return known
        new = await account_ids(conn, WALLET, asked)
        if len(kept) + len(new) > WALLETS_PER_SHARD_MAX:
            kept.clear()
        kept |= new
        return known | new

    def _belongs(self, viewer: str, shard: int) -> bool:
        return shard_of(viewer, self._wallet_shards) == shard and "\0" not in viewer

    async def _find_rooms(self, conn: Connection, rooms: set[str]) -> dict[str, RoomAccounts]:
        known = {room: self._rooms[room] for room in rooms & self._rooms.keys()}
        if "" in rooms:
            known[""] = _NO_ROOM
        asked = [room for room in rooms - known.keys() if room and "\0" not in room]
        if not asked:
            return known
        rows = await conn.fetch(
            """
            SELECT rooms.id, rooms.creator_id, rooms.ticket_id, rooms.ticket_version,
                   available.id AS available_id, held.id AS held_id
            FROM rooms
            JOIN accounts AS available ON available.owner = rooms.creator_id AND available.kind = 'diamonds_available'
            JOIN accounts AS held ON held.owner = rooms.creator_id AND held.kind = 'diamonds_held'
            WHERE rooms.id = ANY($1::text[])
            """,
            asked,
        )
        new = {
            row["id"]: RoomAccounts(
                creator=row["creator_id"],
                diamonds=AccountId(row["available_id"]),
                held=AccountId(row["held_id"]),
                ticket=None if row["ticket_id"] is None else (row["ticket_id"], row["ticket_version"]),
            )
            for row in rows
        }
        if len(self._rooms) + len(new) > ROOMS_MAX:
            self._rooms.clear()
        self._rooms |= new
        return known | new

    async def _find_prices(self, conn: Connection, versions: set[tuple[str, int]]) -> dict[tuple[str, int], Price]:
        if not versions <= self._prices.keys():
            self._prices = await catalogue.prices(conn)
        return self._prices

    async def _find_platform(self, conn: Connection, shard: int) -> Platform:
        if shard not in self._platforms:
            owner = platform_owner(shard)
            spent = await account_ids(conn, "coins_spent", [owner])
            issued = await account_ids(conn, "diamonds_issued", [owner])
            self._platforms[shard] = Platform(spent[owner], issued[owner])
        return self._platforms[shard]


def _promoted(gifts: list[GiftRecord]) -> set[str]:
    """The rooms that placements were bought for; such a record names its room in its note."""
    notes = [note for gift in gifts if gift.note and (note := read_note(gift.note)) is not None]
    return {note.room for note in notes if note.kind is ItemKind.PROMOTE}
