"""After everything has come to rest: the clients' records against plain reads of both stores."""

from __future__ import annotations

from collections import Counter, defaultdict

import asyncpg

from server.domain.gift import Accepted, Refused
from server.domain.ids import GiftId, shard_of
from server.stores import keys
from tests.simulation.book import Ask, Book
from tests.simulation.finding import Finding, expect
from tests.simulation.valkeys import Valkeys
from tests.wallet.held import wallet_fields


class Verdict:
    """One comparison. Raises Finding at the first broken promise."""

    def __init__(self, conn: asyncpg.Connection, valkeys: Valkeys, book: Book, shards: int) -> None:
        self._conn = conn
        self._valkeys = valkeys
        self._book = book
        self._shards = shards
        self.gifts: list[asyncpg.Record] = []

    async def reach(self, rooms: dict[str, str], replaced: int) -> None:
        """rooms: room → creator. replaced: how often Redis's data were replaced so far."""
        self.gifts = await self._conn.fetch("SELECT * FROM gifts ORDER BY shard, epoch, number")
        self._requests()
        self._numbers(await self._conn.fetch("SELECT shard, epoch, number FROM shards"))
        granted = await self._credits()
        await self._wallets(granted)
        await self._creators(rooms)
        await self._rooms(rooms)
        aside = await self._conn.fetch("SELECT * FROM quarantine")
        expect(not aside, f"in quarantine: {[dict(row) for row in aside[:2]]}")
        incidents = await self._conn.fetch("SELECT shard, kind, detail FROM incidents")
        by_shard = Counter(row["shard"] for row in incidents)
        for shard, times in by_shard.items():
            expect(times <= replaced, f"shard {shard} had {times} incidents, and Redis was replaced {replaced} times")

    def _requests(self) -> None:
        rows: dict[str, list[asyncpg.Record]] = defaultdict(list)
        for row in self.gifts:
            rows[row["request_id"]].append(row)
        for request, found in rows.items():
            ask = self._book.asks.get(request)
            if ask is None or not ask.sent:
                raise Finding(f"the ledger has {request}, which nobody asked for")
            expect(len(found) == 1, f"{request} is in the ledger {len(found)} times")
            self._booked(ask, found[0])
        for ask in self._book.asks.values():
            if isinstance(ask.told, Accepted):
                expect(ask.id in rows, f"{ask.id} was acknowledged as {ask.told.gift_id} and is not in the ledger")

    def _booked(self, ask: Ask, row: asyncpg.Record) -> None:
        asked = (ask.viewer, ask.room, ask.creator, ask.gift, ask.count, ask.coins, ask.diamonds)
        columns = ("viewer_id", "room_id", "creator_id", "gift_id", "count", "coins", "diamonds")
        booked = tuple(row[column] for column in columns)
        expect(asked == booked, f"{ask.id} was asked as {asked} and booked as {booked}")
        expect(not isinstance(ask.told, Refused), f"{ask.id} was refused, {ask.told}, and is in the ledger")
        gift = GiftId(row["shard"], row["epoch"], row["number"])
        ack = Accepted(gift, row["coins_after"], row["combo"], row["combo_first"], row["at_us"], "")
        if isinstance(ask.told, Accepted):
            expect(ask.told == ack, f"{ask.id} was told {ask.told}, the ledger has {ack}")
        elif ack in ask.lost:
            expect(ask.may_live, f"{ask.id} was lost with Redis, and is in the ledger all the same")

    def _numbers(self, cursors: list[asyncpg.Record]) -> None:
        numbers: dict[tuple[int, int], list[int]] = defaultdict(list)
        for row in self.gifts:
            numbers[row["shard"], row["epoch"]].append(row["number"])
        for (shard, epoch), found in numbers.items():
            expect(found == list(range(1, len(found) + 1)), f"shard {shard} epoch {epoch}: numbers have gaps: {found}")
        for row in cursors:
            shard = row["shard"]
            held = self._valkeys.client.hmget(keys.shard(shard), "epoch", "number", "settled", "applied")
            place = [row["epoch"], row["number"], row["number"], row["number"]]
            expect([int(value or 0) for value in held] == place, f"shard {shard} is at {held}, the ledger at {place}")
            left = self._valkeys.client.xlen(keys.shard_log(shard))
            expect(left == 0, f"shard {shard} is settled and applied, and {left} entries are in its log")

    async def _credits(self) -> Counter[str]:
        granted: Counter[str] = Counter()
        booked = {row["reference"]: row for row in await self._conn.fetch("SELECT * FROM credits")}
        for grant in self._book.grants:
            row = booked.pop(grant.reference, None)
            if grant.number is not None:
                told = (grant.viewer, grant.number, grant.coins)
                there = None if row is None else (row["user_id"], row["number"], row["coins"])
                expect(told == there, f"{grant.reference} was told as {told} and is booked as {there}")
            if row is not None:
                granted[grant.viewer] += grant.coins
        expect(not booked, f"credits that nobody bought: {list(booked)}")
        return granted

    async def _wallets(self, granted: Counter[str]) -> None:
        coins = Counter(granted)
        for row in self.gifts:
            coins[row["viewer_id"]] -= row["coins"]
        rows = await self._conn.fetch("SELECT owner, balance FROM accounts WHERE kind = 'wallet'")
        for viewer, balance in ((row["owner"], row["balance"]) for row in rows):
            expect(balance == coins[viewer], f"{viewer} has {balance} coins in the ledger, not {coins[viewer]}")
            shard = shard_of(viewer, self._shards)
            epoch = int(self._valkeys.client.hget(keys.shard(shard), "epoch") or 0)
            held = self._valkeys.client.get(keys.wallet(shard, epoch, viewer))
            if held is not None:
                wallet, wanted = wallet_fields(held), (coins[viewer], 0)
                found = (wallet["coins"], wallet["pending"])
                expect(found == wanted, f"{viewer} has coins, pending {found} in Redis, not {wanted}")
        expect(all(value >= 0 for value in coins.values()), f"somebody spent more than there was: {coins}")

    async def _creators(self, rooms: dict[str, str]) -> None:
        earned = Counter(dict.fromkeys(rooms.values(), 0))
        for row in self.gifts:
            earned[row["creator_id"]] += row["diamonds"]
        rows = await self._conn.fetch("SELECT owner, balance FROM accounts WHERE kind = 'diamonds_available'")
        booked = {row["owner"]: row["balance"] for row in rows}
        expect(booked == dict(earned), f"creators have {booked} diamonds, their gifts make {dict(earned)}")

    async def _rooms(self, rooms: dict[str, str]) -> None:
        sums = {room: Counter(gifts=0, coins=0, diamonds=0) for room in rooms}
        gifters: dict[str, Counter[str]] = {room: Counter() for room in rooms}
        for row in self.gifts:
            sums[row["room_id"]].update(gifts=row["count"], coins=row["coins"], diamonds=row["diamonds"])
            gifters[row["room_id"]][row["viewer_id"]] += row["coins"]
        for room, wanted in sums.items():
            names = list(wanted)
            row = await self._conn.fetchrow("SELECT * FROM rooms WHERE id = $1", room)
            expect(
                row is not None and all(row[n] == wanted[n] for n in names),
                f"{room} in the ledger: {row}, not {wanted}",
            )
            held = self._valkeys.client.hmget(keys.room(room), names)
            found = {name: int(value or 0) for name, value in zip(names, held, strict=True)}
            expect(found == dict(wanted), f"{room} in Redis has {found}, the ledger's gifts make {dict(wanted)}")
            top = self._valkeys.client.zrange(keys.room_top(room), 0, -1, withscores=True)
            there = {viewer.decode(): int(coins) for viewer, coins in top}
            expect(
                there == dict(gifters[room]), f"gifters of {room} are {there}, their gifts make {dict(gifters[room])}"
            )
