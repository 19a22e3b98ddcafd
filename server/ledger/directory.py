"""What settlement must know of each gift's viewer, room and price: looked up once, kept within bounds.

Nothing kept here ever changes in Postgres: an account keeps its id, a room its creator, a version its price.
"""

from collections.abc import Iterable
from typing import NamedTuple

from server.domain.gift import GiftRecord
from server.domain.ids import shard_of
from server.ledger import catalogue
from server.ledger.accounts import WALLET, AccountId, account_ids
from server.stores.postgres import Connection

WALLETS_MAX = 500_000
ROOMS_MAX = 100_000


class RoomAccounts(NamedTuple):
    """Whose room it is, and the account that its diamonds go to."""

    creator: str
    diamonds: AccountId


class Directory:
    """Accounts of viewers and rooms, and prices: (gift, version) → (coins, diamonds) of a piece."""

    def __init__(self, wallet_shards: int) -> None:
        self._wallet_shards = wallet_shards
        self.wallets: dict[str, AccountId] = {}
        self.rooms: dict[str, RoomAccounts] = {}
        self.prices: dict[tuple[str, int], tuple[int, int]] = {}

    async def learn(self, conn: Connection, gifts: Iterable[GiftRecord], shard: int) -> None:
        """Looks up what these gifts, all of one shard's log, need; what stays unknown does not exist.

        A viewer of another shard is never learned: nobody but a viewer's own shard may settle its gifts.
        """
        await self._learn_wallets(conn, {gift.viewer for gift in gifts} - self.wallets.keys(), shard)
        await self._learn_rooms(conn, {gift.room for gift in gifts} - self.rooms.keys())
        if not {(gift.gift, gift.version) for gift in gifts} <= self.prices.keys():
            self.prices = await catalogue.prices(conn)

    async def _learn_wallets(self, conn: Connection, viewers: set[str], shard: int) -> None:
        mine = [viewer for viewer in viewers if shard_of(viewer, self._wallet_shards) == shard and "\0" not in viewer]
        if mine:
            if len(self.wallets) + len(mine) > WALLETS_MAX:
                self.wallets.clear()
            self.wallets |= await account_ids(conn, WALLET, mine)

    async def _learn_rooms(self, conn: Connection, rooms: set[str]) -> None:
        asked = [room for room in rooms if "\0" not in room]
        if not asked:
            return
        if len(self.rooms) + len(asked) > ROOMS_MAX:
            self.rooms.clear()
        rows = await conn.fetch(
            """
            SELECT rooms.id, rooms.creator_id, accounts.id AS account_id
            FROM rooms JOIN accounts ON accounts.owner = rooms.creator_id AND accounts.kind = 'diamonds_available'
            WHERE rooms.id = ANY($1::text[])
            """,
            asked,
        )
        for row in rows:
            self.rooms[row["id"]] = RoomAccounts(row["creator_id"], AccountId(row["account_id"]))
