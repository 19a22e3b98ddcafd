"""The comparison after a round: each client's record against the ledger, gift by gift, and against its screen."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

import orjson

from server.domain.ids import GiftId
from server.stores import keys
from tests.chaos.book import Ack, Request
from tests.chaos.findings import Findings
from tests.chaos.fleet import Fleet
from tests.chaos.losses import Losses
from tests.chaos.stores import Stores


@dataclass(frozen=True, slots=True)
class Row:
    """A gift as the ledger has it."""

    gift_id: GiftId
    viewer: str
    room: str
    gift: str
    count: int
    coins: int
    diamonds: int
    creator: str
    ack: Ack


async def read_gifts(stores: Stores) -> dict[str, list[Row]]:
    """All gifts of the ledger, by request id."""
    connection = await stores.postgres.connect()
    try:
        rows = await connection.fetch("SELECT * FROM gifts ORDER BY shard, epoch, number")
    finally:
        await connection.close()
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        gift_id = GiftId(row["shard"], row["epoch"], row["number"])
        found[row["request_id"]].append(
            Row(
                gift_id,
                row["viewer_id"],
                row["room_id"],
                row["gift_id"],
                row["count"],
                row["coins"],
                row["diamonds"],
                row["creator_id"],
                Ack(str(gift_id), row["coins_after"], row["combo"], row["at_us"]),
            )
        )
    return found


def compare_gifts(fleet: Fleet, losses: Losses, ledger: dict[str, list[Row]], findings: Findings) -> None:
    """Each acknowledged gift is there exactly once and as it was asked; nothing else is there."""
    for request_id, rows in ledger.items():
        request = fleet.book.requests.get(request_id)
        if request is None:
            findings.add(f"the ledger has {rows[0].gift_id}, which nobody asked for: {request_id}")
            continue
        if len(rows) > 1:
            findings.add(f"{request_id} is in the ledger {len(rows)} times: {[str(row.gift_id) for row in rows]}")
        _compare_row(fleet, request, rows[0], findings)
    for request in fleet.book.requests.values():
        rows = ledger.get(request.id, [])
        there = {row.ack for row in rows}
        for ack in request.acks:
            lost = losses.lost(request.id, ack)
            if ack not in there and not lost:
                findings.add(
                    f"{request.id} was acknowledged as {ack} and is not in the ledger (there: {there or 'nothing'})"
                )
            if ack in there and lost:
                findings.add(f"{request.id}, {ack}, was lost with Redis and is in the ledger all the same")
        if rows and not request.acks and not request.given_up:
            why = request.refusals or "never answered"
            findings.add(f"{request.id} is in the ledger as {rows[0].gift_id}, the client was told: {why}")


def _compare_row(fleet: Fleet, request: Request, row: Row, findings: Findings) -> None:
    town = fleet.town
    asked = (request.viewer, request.room, request.gift, request.count, request.coins)
    booked = (row.viewer, row.room, row.gift, row.count, row.coins)
    if asked != booked:
        findings.add(f"{request.id} was asked as {asked} and booked as {booked}")
    diamonds = town.diamonds.get(row.gift, 0) * row.count
    if row.diamonds != diamonds or row.creator != town.creators[row.room]:
        findings.add(f"{request.id}: {row.diamonds} diamonds to {row.creator}, not {diamonds} to the room's creator")


async def compare_wallets(
    stores: Stores, fleet: Fleet, ledger: dict[str, list[Row]], shown: dict[str, int], findings: Findings
) -> None:
    """coins = what a viewer had and bought, less its gifts: in the ledger, and as the server tells it (`shown`)."""
    expected = Counter(fleet.town.coins)
    for viewer, coins in fleet.credits:
        expected[viewer] += coins
    for rows in ledger.values():
        for row in rows:
            expected[row.viewer] -= row.coins
    connection = await stores.postgres.connect()
    try:
        rows = await connection.fetch("SELECT owner, balance FROM accounts WHERE kind = 'wallet'")
    finally:
        await connection.close()
    booked = {row["owner"]: row["balance"] for row in rows}
    for viewer, coins in expected.items():
        findings.expect(
            booked.get(viewer) == coins, f"{viewer} has {booked.get(viewer)} coins in the ledger, not {coins}"
        )
        findings.expect(shown.get(viewer) == coins, f"{viewer} is shown {shown.get(viewer)} coins, not {coins}")


async def compare_rooms(stores: Stores, fleet: Fleet, ledger: dict[str, list[Row]], findings: Findings) -> None:
    """Totals and gifters of each room in Redis, and what every screen shows, are the sums of the ledger's gifts."""
    sums: dict[str, Counter[str]] = {room: Counter() for room in fleet.town.rooms}
    gifters: dict[str, Counter[str]] = {room: Counter() for room in fleet.town.rooms}
    for rows in ledger.values():
        for row in rows:
            sums[row.room].update(diamonds=row.diamonds, gifts=row.count, coins=row.coins)
            gifters[row.room][row.viewer] += row.coins
    redis = stores.valkey.client()
    try:
        for room, expected in sums.items():
            held = await redis.hmget(keys.room(room), "diamonds", "gifts", "coins")
            wanted = [expected["diamonds"], expected["gifts"], expected["coins"]]
            if [int(value or 0) for value in held] != wanted:
                findings.add(f"{room} in Redis has (diamonds, gifts, coins) {held}, the ledger {wanted}")
            top = await redis.zrange(keys.room_top(room), 0, -1, withscores=True)
            if {viewer.decode(): int(coins) for viewer, coins in top} != dict(gifters[room]):
                findings.add(f"the gifters of {room} in Redis are not those of the ledger")
    finally:
        await redis.aclose()
    for tab in fleet.tabs:
        for room, view in tab.views.items():
            wanted_shown = (sums[room]["gifts"], sums[room]["diamonds"])
            if (view.gifts, view.diamonds) != wanted_shown:
                findings.add(f"{tab.name} shows {(view.gifts, view.diamonds)} in {room}, the ledger has {wanted_shown}")


async def compare_incidents(stores: Stores, losses: Losses, logs: str, metrics: str, findings: Findings) -> None:
    """Each shard that came back behind the ledger is on record, in the log and in the metrics; no other is."""
    connection = await stores.postgres.connect()
    try:
        rows = await connection.fetch("SELECT shard, kind, detail FROM incidents ORDER BY id")
    finally:
        await connection.close()
    booked: set[tuple[int, str, tuple[int, int]]] = set()
    for row in rows:
        detail = orjson.loads(row["detail"])
        if "ledger" in detail:
            booked.add((row["shard"], row["kind"], tuple(detail["ledger"])))
        else:
            findings.add(f"incident {row['kind']} of shard {row['shard']}: {detail}")
    # One that was put back a second time before anybody had opened it is one incident.
    expected = set(losses.incidents)
    if booked != expected:
        findings.add(f"incidents on record {sorted(booked)}, expected {sorted(expected)}")
    said = logs.count("shard began a new epoch")
    findings.expect(said >= len(booked), f"{len(booked)} incidents, and {said} lines about them in the logs")
    if booked and not metrics_count_incidents(metrics):
        findings.add("incidents are not in the metrics")


def metrics_count_incidents(metrics: str) -> bool:
    """Whether any process counts an incident."""
    lines = [line for line in metrics.splitlines() if line.startswith("giftstream_incidents_total")]
    return any(float(line.rpartition(" ")[2]) > 0 for line in lines)
