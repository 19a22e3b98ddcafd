"""After everything has come to rest: the clients' records against plain reads of both stores."""

from __future__ import annotations

from collections import Counter, defaultdict

import asyncpg

from server.domain.gift import Accepted, Refused
from server.domain.ids import shard_of
from server.stores import keys
from tests.simulation.book import Ask, Book
from tests.simulation.booked import Booked, read_booked
from tests.simulation.finding import Finding, expect
from tests.simulation.valkeys import Valkeys
from tests.wallet.held import controls_numbers, wallet_fields


class Verdict:
    """One comparison. Raises Finding at the first broken promise."""

    def __init__(self, conn: asyncpg.Connection, valkeys: Valkeys, book: Book, shards: int) -> None:
        self._conn = conn
        self._valkeys = valkeys
        self._book = book
        self._shards = shards
        self.gifts: list[Booked] = []

    async def reach(self, replaced: int, price_gone: str | None) -> None:
        """replaced: how often Redis's data were replaced. price_gone: the kind of gift that cannot be settled."""
        self.gifts = await read_booked(self._conn)
        self._requests()
        self._set_aside(price_gone)
        self._numbers(await self._conn.fetch("SELECT shard, epoch, number FROM shards"))
        granted = await self._credits()
        await self._wallets(granted)
        await self._creators()
        await self._rooms()
        await self._incidents(replaced)

    def _requests(self) -> None:
        found: dict[str, list[Booked]] = defaultdict(list)
        for gift in self.gifts:
            found[gift.request].append(gift)
        for request, gifts in found.items():
            ask = self._book.asks.get(request)
            if ask is None or not ask.sent:
                raise Finding(f"the ledger has {request}, which nobody asked for")
            expect(len(gifts) == 1, f"{request} is in the ledger {len(gifts)} times")
            self._booked(ask, gifts[0])
        for ask in self._book.asks.values():
            if isinstance(ask.told, Accepted):
                expect(ask.id in found, f"{ask.id} was acknowledged as {ask.told.gift_id} and is not in the ledger")

    def _booked(self, ask: Ask, gift: Booked) -> None:
        asked = (ask.viewer, ask.room, ask.creator, ask.gift, ask.count, ask.coins, ask.diamonds)
        booked = (gift.viewer, gift.room, gift.creator, gift.gift, gift.count, gift.coins, gift.diamonds)
        expect(asked == booked, f"{ask.id} was asked as {asked} and booked as {booked}")
        expect(not isinstance(ask.told, Refused), f"{ask.id} was refused, {ask.told}, and is in the ledger")
        if isinstance(ask.told, Accepted):
            expect(ask.told == gift.ack, f"{ask.id} was told {ask.told}, the ledger has {gift.ack}")
        elif gift.ack in ask.lost:
            expect(ask.may_live, f"{ask.id} was lost with Redis, and is in the ledger all the same")

    def _set_aside(self, price_gone: str | None) -> None:
        for gift in self.gifts:
            wrong = gift.settled == (gift.gift == price_gone)
            expect(not wrong, f"{gift.id}, a {gift.gift}, is {'settled' if gift.settled else 'in quarantine'}")

    def _numbers(self, cursors: list[asyncpg.Record]) -> None:
        numbers: dict[tuple[int, int], list[int]] = defaultdict(list)
        for gift in self.gifts:
            numbers[gift.id.shard, gift.id.epoch].append(gift.id.number)
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
        booked, left = Counter(granted), Counter(granted)
        for gift in self.gifts:
            left[gift.viewer] -= gift.coins
            booked[gift.viewer] -= gift.coins if gift.settled else 0
        rows = await self._conn.fetch("SELECT owner, balance FROM accounts WHERE kind = 'wallet'")
        versions = {row["user_id"]: row["version"] for row in await self._conn.fetch("SELECT * FROM controls")}
        for viewer, balance in ((row["owner"], row["balance"]) for row in rows):
            expect(balance == booked[viewer], f"{viewer} has {balance} coins in the ledger, not {booked[viewer]}")
            shard = shard_of(viewer, self._shards)
            epoch = int(self._valkeys.client.hget(keys.shard(shard), "epoch") or 0)
            held = self._valkeys.client.get(keys.wallet(shard, epoch, viewer))
            if held is None:
                continue
            wallet, wanted = wallet_fields(held), (left[viewer], 0)
            found = (wallet["coins"], wallet["pending"])
            expect(found == wanted, f"{viewer} has coins, pending {found} in Redis, not {wanted}")
            if viewer in self._book.blocked and viewer not in self._book.perhaps_blocked:
                blocked, wanted_blocked = wallet["standing"] % 2 == 1, self._book.blocked[viewer]
                expect(blocked == wanted_blocked, f"{viewer} is blocked: {blocked}, not {wanted_blocked}")
            version, wanted_version = (controls_numbers(held) or [0])[0], versions.get(viewer, 0)
            expect(version == wanted_version, f"{viewer} has controls {version} in Redis, not {wanted_version}")
        expect(all(value >= 0 for value in left.values()), f"somebody spent more than there was: {left}")

    async def _creators(self) -> None:
        earned = Counter(dict.fromkeys((room.creator for room in self._book.rooms.values()), 0))
        for gift in self.gifts:
            earned[gift.creator] += gift.diamonds if gift.settled else 0
        rows = await self._conn.fetch("SELECT owner, balance FROM accounts WHERE kind = 'diamonds_available'")
        booked = {row["owner"]: row["balance"] for row in rows}
        expect(booked == dict(earned), f"creators have {booked} diamonds, their gifts make {dict(earned)}")

    async def _rooms(self) -> None:
        """In Redis all gifts count, as they were on screen; in the ledger those that are settled."""
        rows = {row["id"]: row for row in await self._conn.fetch("SELECT * FROM rooms")}
        for room, known in self._book.rooms.items():
            gifts = [gift for gift in self.gifts if gift.room == room]
            row, wanted = rows[room], _sums([gift for gift in gifts if gift.settled])
            found = {name: row[name] for name in wanted}
            expect(found == wanted, f"{room} in the ledger has {found}, its gifts make {wanted}")
            expect(row["state"] == "ended" or not known.ended, f"{room} has ended, and is {row['state']} in the ledger")
            held = dict(zip(wanted, self._valkeys.client.hmget(keys.room(room), list(wanted)), strict=True))
            state = (self._valkeys.client.hget(keys.room(room), "state") or b"").decode()
            if not state:
                expect(row["state"] == "ended", f"{room} is not in Redis")
                continue
            in_redis, wanted = {name: int(value) for name, value in held.items()}, _sums(gifts)
            expect(in_redis == wanted, f"{room} in Redis has {in_redis}, the ledger's gifts make {wanted}")
            expect(state == row["state"], f"{room} is {state} in Redis and {row['state']} in the ledger")
            gifters: Counter[str] = Counter()
            for gift in gifts:
                gifters[gift.viewer] += gift.coins
            top = self._valkeys.client.zrange(keys.room_top(room), 0, -1, withscores=True)
            there = {viewer.decode(): int(coins) for viewer, coins in top}
            expect(there == dict(gifters), f"gifters of {room} are {there}, their gifts make {dict(gifters)}")

    async def _incidents(self, replaced: int) -> None:
        incidents = await self._conn.fetch("SELECT shard, kind, detail FROM incidents")
        by_shard = Counter(row["shard"] for row in incidents)
        for shard, times in by_shard.items():
            expect(times <= replaced, f"shard {shard} had {times} incidents, and Redis was replaced {replaced} times")


def _sums(gifts: list[Booked]) -> dict[str, int]:
    return {
        "gifts": sum(gift.count for gift in gifts),
        "coins": sum(gift.coins for gift in gifts),
        "diamonds": sum(gift.diamonds for gift in gifts),
    }
