"""Booking a stretch of gifts: rows, double entries, balances, rooms and gifters, all in the caller's transaction."""

from dataclasses import dataclass, field

from server.domain.catalogue import ItemKind
from server.domain.gift import COUNT_MAX, GiftRecord
from server.domain.money import MONEY_MAX
from server.ledger.accounts import (
    AccountId,
    PostingId,
    add_entries,
    move_shared,
    move_wallets,
)
from server.ledger.directory import Known
from server.ledger.room_totals import RoomGain, add_to_gifters, add_to_rooms
from server.ledger.spending import bought as spending
from server.ledger.spending.bought import Bought
from server.stores.postgres import Connection

GIFT_COLUMNS = (
    "at_us", "number", "coins_after", "combo", "combo_first", "coins", "diamonds", "epoch", "version", "count", "shard",
    "viewer_id", "room_id", "creator_id", "gift_id", "request_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Misfit:
    """A gift that cannot be booked, and why."""

    gift: GiftRecord
    reason: str


@dataclass(slots=True)
class Sums:
    """Gifts that can be booked, added up. by_room_and_viewer: [coins, pieces, diamonds, at µs of the last].

    bought: those of the gifts that are other items; they are in the sums too, without a room some of them.
    """

    gifts: list[GiftRecord] = field(default_factory=list)
    bought: list[Bought] = field(default_factory=list)
    by_room_and_viewer: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    misfits: list[Misfit] = field(default_factory=list)


def add_up(gifts: list[GiftRecord], known: Known) -> Sums:
    """Checks each gift against price, wallet and room, and adds up what fits."""
    sums = Sums()
    wallets, rooms, prices = known.wallets, known.rooms, known.prices
    cells, fit = sums.by_room_and_viewer, sums.gifts
    for gift in gifts:
        room, viewer, count, coins, diamonds = gift.room, gift.viewer, gift.count, gift.coins, gift.diamonds
        price = prices.get((gift.gift, gift.version))
        owner = rooms.get(room)
        if (
            price is None
            or owner is None
            or viewer not in wallets
            or owner[0] != gift.creator
            or coins != price[0] * count
            or diamonds != price[1] * count
            or not 1 <= count <= COUNT_MAX
            or coins > MONEY_MAX
        ):
            sums.misfits.append(Misfit(gift, _why(gift, known)))
            continue
        if price.kind is not ItemKind.GIFT or not room:
            reason = spending.misfit(gift, price, rooms)
            if reason is not None:
                sums.misfits.append(Misfit(gift, reason))
                continue
            sums.bought.append(spending.as_bought(gift, price))
        fit.append(gift)
        cell = cells.get((room, viewer))
        if cell is None:
            cells[room, viewer] = [coins, count, diamonds, gift.at_us]
        else:
            cell[0] += coins
            cell[1] += count
            cell[2] += diamonds
            cell[3] = gift.at_us
    return sums


def _why(gift: GiftRecord, known: Known) -> str:
    owner = known.rooms.get(gift.room)
    if (gift.gift, gift.version) not in known.prices:
        return "unknown gift or version"
    if owner is None:
        return "unknown room"
    if owner.creator != gift.creator:
        return "not the room's creator"
    if gift.viewer not in known.wallets:
        return "no wallet of this viewer in this shard"
    return "amounts differ from the catalogue"


async def book(conn: Connection, shard: int, epoch: int, sums: Sums, known: Known) -> None:
    """Writes gifts of one shard and epoch, in order of their numbers, as one posting.

    Rows that only this shard touches come first, those that all shards share last, so that these are held for as short
    a time as can be. Raises asyncpg errors; the caller rolls back.
    """
    gifts, cells = sums.gifts, sums.by_room_and_viewer
    first, last = gifts[0].number, gifts[-1].number
    await conn.copy_records_to_table("gifts", records=_rows(shard, epoch, gifts), columns=GIFT_COLUMNS)

    paid: dict[AccountId, int] = {}
    for (_, viewer), (coins, *_) in cells.items():
        account = known.wallets[viewer]
        paid[account] = paid.get(account, 0) - coins
    gains = _gains(sums)
    earned = _earned(gains, sums.bought, known)
    spent, issued = known.platform
    coins_moved = paid | {spent: -sum(paid.values())}
    diamonds_moved = earned | {issued: -sum(earned.values())} if earned else {}

    posting_id: int = await conn.fetchval(
        """
        INSERT INTO postings (kind, shard, epoch, first_number, last_number)
        VALUES ('settlement', $1, $2, $3, $4) RETURNING id
        """,
        shard,
        epoch,
        first,
        last,
    )
    posting = PostingId(posting_id)
    await add_entries(conn, posting, coins=coins_moved, diamonds=diamonds_moved)
    await move_wallets(conn, posting, paid)
    await add_to_gifters(conn, {cell: sum_ for cell, sum_ in cells.items() if cell[0]})
    if sums.bought:
        await spending.write(conn, shard, epoch, sums.bought)
    await move_shared(conn, posting, [spent, *diamonds_moved])
    await add_to_rooms(conn, gains)


def _gains(sums: Sums) -> dict[str, RoomGain]:
    """What rooms gain; a placement is no gift to its room, but counts for its rank."""
    gains: dict[str, RoomGain] = {}
    for (room, _), (coins, pieces, diamonds, at_us) in sums.by_room_and_viewer.items():
        if room:
            gain = gains.setdefault(room, RoomGain())
            gain.coins += coins
            gain.diamonds += diamonds
            gain.gifts += pieces
            gain.points += diamonds
            gain.at_us = max(gain.at_us, at_us)
    for gift, price, note in sums.bought:
        if price.kind is ItemKind.PROMOTE:
            gain = gains.setdefault(note.room, RoomGain())
            gain.points += gift.coins
            gain.at_us = max(gain.at_us, gift.at_us)
    return gains


def _earned(gains: dict[str, RoomGain], bought: list[Bought], known: Known) -> dict[AccountId, int]:
    """What creators' accounts get: the diamonds of tickets are held, all others can be paid out."""
    tickets: dict[str, int] = {}
    for gift, price, _ in bought:
        if price.kind is ItemKind.TICKET:
            tickets[gift.room] = tickets.get(gift.room, 0) + gift.diamonds
    earned: dict[AccountId, int] = {}
    for room, gain in gains.items():
        accounts, held = known.rooms[room], tickets.get(room, 0)
        for account, diamonds in ((accounts.diamonds, gain.diamonds - held), (accounts.held, held)):
            if diamonds:
                earned[account] = earned.get(account, 0) + diamonds
    return earned


def _rows(shard: int, epoch: int, gifts: list[GiftRecord]) -> list[tuple[int | str, ...]]:
    """The gifts as GIFT_COLUMNS has them."""
    return [
        (
            gift.at_us, gift.number, gift.coins_after, gift.combo, gift.combo_first, gift.coins, gift.diamonds, epoch,
            gift.version, gift.count, shard, gift.viewer, gift.room, gift.creator, gift.gift, gift.request_id,
        )
        for gift in gifts
    ]  # fmt: skip
