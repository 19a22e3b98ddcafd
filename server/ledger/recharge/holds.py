"""Diamonds that creators are not paid, as the coins behind the gifts were taken back after they were spent.

Held diamonds move from `diamonds_available` to `diamonds_held`; they are let go when nothing is owed any more, and
given back to the platform when the money is lost. Each hold is a row that names viewer, purchase, gift and creator.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter

from asyncpg import Record

from server.domain.ids import shard_of
from server.ledger.accounts import AccountId, account_ids, platform_owner, post
from server.stores.postgres import Connection

GIFTS_PER_PASS_MAX = 500
"""Gifts that one transaction holds; the next pass goes on."""


@dataclass(frozen=True, slots=True)
class Spent:
    """A gift of which something can still be held. coins, diamonds: not held yet."""

    shard: int
    epoch: int
    number: int
    creator_id: str
    coins: int
    diamonds: int


@dataclass(frozen=True, slots=True)
class Hold:
    """What is to be held of a gift for a purchase."""

    purchase_id: str
    gift: Spent
    coins: int
    diamonds: int


async def newest_gifts(conn: Connection, viewer_id: str) -> list[Spent]:
    """A viewer's settled gifts that are not wholly held or taken back, newest first, GIFTS_PER_PASS_MAX at most.

    Tickets count once they can no longer be returned: until then their diamonds are held anyway.
    """
    rows = await conn.fetch(
        """
        SELECT gifts.shard, gifts.epoch, gifts.number, gifts.creator_id,
               gifts.coins - coalesce(held.coins, 0) AS coins,
               greatest(gifts.diamonds - coalesce(held.diamonds, 0), 0) AS diamonds
        FROM gifts LEFT JOIN (
            SELECT epoch, number, sum(coins)::bigint AS coins, sum(diamonds)::bigint AS diamonds
            FROM holds WHERE viewer_id = $1 AND state <> 'released' GROUP BY epoch, number
        ) AS held ON held.epoch = gifts.epoch AND held.number = gifts.number
        WHERE gifts.viewer_id = $1 AND gifts.coins > coalesce(held.coins, 0) AND NOT EXISTS (
            SELECT FROM tickets
            WHERE tickets.shard = gifts.shard AND tickets.epoch = gifts.epoch AND tickets.number = gifts.number
              AND released_at IS NULL
        )
        ORDER BY gifts.epoch DESC, gifts.number DESC LIMIT $2
        """,
        viewer_id,
        GIFTS_PER_PASS_MAX,
    )
    return [Spent(*row) for row in rows]


async def place(conn: Connection, viewer_id: str, wanted: list[Hold]) -> None:
    """Holds these, of each creator no more than there is to hold. The caller has the viewer's row in `users` locked."""
    left = await _available(conn, sorted({hold.gift.creator_id for hold in wanted}))
    diamonds, by_creator = [], defaultdict[str, int](int)
    for hold in wanted:
        creator = hold.gift.creator_id
        diamonds.append(min(hold.diamonds, left[creator]))
        left[creator] -= diamonds[-1]
        by_creator[creator] += diamonds[-1]
    first: int = await conn.fetchval(
        """
        WITH placed AS (
            INSERT INTO holds (viewer_id, purchase_id, creator_id, shard, epoch, number, coins, diamonds)
            SELECT $1, * FROM unnest(
                $2::text[], $3::text[], $4::int[], $5::int[], $6::bigint[], $7::bigint[], $8::bigint[]
            )
            RETURNING id
        ) SELECT min(id) FROM placed
        """,
        viewer_id,
        [hold.purchase_id for hold in wanted],
        [hold.gift.creator_id for hold in wanted],
        [hold.gift.shard for hold in wanted],
        [hold.gift.epoch for hold in wanted],
        [hold.gift.number for hold in wanted],
        [hold.coins for hold in wanted],
        diamonds,
    )
    await _move(conn, "hold", f"refund:placed:{first}", by_creator, source="diamonds_available", target="diamonds_held")


async def release(conn: Connection, purchase_ids: list[str]) -> list[Record]:
    """Lets go what is held for these purchases, and answers it."""
    rows = await conn.fetch(f"{_RELEASE} WHERE purchase_id = ANY($1::text[]) AND state = 'held' {_MOVED}", purchase_ids)
    reference = f"refund:released:{min((row['id'] for row in rows), default=0)}"
    await _move(conn, "hold", reference, _by_creator(rows), source="diamonds_held", target="diamonds_available")
    return rows


async def reverse(conn: Connection, viewer_id: str, due: Mapping[str, int]) -> None:
    """Takes back from the creators what is held for purchases of a viewer: of each up to so many coins, oldest first.

    A hold of more than that is split.
    """
    rows = await conn.fetch(
        "SELECT id, purchase_id, coins, diamonds FROM holds WHERE purchase_id = ANY($1::text[]) AND state = 'held'"
        " ORDER BY id FOR NO KEY UPDATE",
        list(due),
    )
    left, gone = dict(due), list[int]()
    for hold, purchase_id, coins, diamonds in rows:
        taken = min(coins, left[purchase_id])
        if 0 < taken < coins:
            await _split(conn, hold, taken, diamonds * taken // coins)
        if taken:
            left[purchase_id] -= taken
            gone.append(hold)
    by_creator = _by_creator(await conn.fetch(f"{_REVERSE} WHERE id = ANY($1::bigint[]) {_MOVED}", gone))
    issued = await _issued(conn, viewer_id)
    await _reverse(conn, issued, f"refund:{min(gone, default=0)}", "diamonds_held", by_creator)


async def undo(conn: Connection, viewer_id: str, purchase_id: str, *, stays_max: int, reversed_max: int) -> None:
    """The money of a purchase came back, or a part of it: creators get again what was taken back beyond the diamonds of
    reversed_max coins, and all that is held, but for those of stays_max coins together, which are held on.
    """
    issued = await _issued(conn, viewer_id)
    await conn.execute(_LOCK, purchase_id, issued)
    excess, reversed_coins = await _excess(conn, purchase_id, reversed_max)
    freed = await conn.fetch(f"{_RELEASE} WHERE id = ANY($1::bigint[]) {_MOVED}", excess)
    back = {creator: -diamonds for creator, diamonds in _by_creator(freed).items()}
    await _reverse(conn, issued, f"refund:restored:{min(excess, default=0)}", "diamonds_available", back)
    freed += await release(conn, [purchase_id])
    left, stays = stays_max - reversed_coins, list[Hold]()
    for _, shard, epoch, number, creator, coins, diamonds in sorted(freed, key=itemgetter("id")):
        part = min(coins, left)
        if part > 0:
            gift = Spent(shard, epoch, number, creator, coins, diamonds)
            stays.append(Hold(purchase_id, gift, part, diamonds * part // coins))
            left -= part
    if stays:
        await place(conn, viewer_id, stays)


async def _excess(conn: Connection, purchase_id: str, reversed_max: int) -> tuple[list[int], int]:
    """Which holds of a purchase were taken back beyond so many coins, one of them split if need be; and how many coins
    the others are, the oldest.
    """
    rows = await conn.fetch(
        "SELECT id, coins, diamonds FROM holds WHERE purchase_id = $1 AND state = 'reversed' ORDER BY id", purchase_id
    )
    left, excess = reversed_max, list[int]()
    for hold, coins, diamonds in rows:
        stays = min(coins, left)
        left -= stays
        if 0 < stays < coins:
            excess.append(await _split(conn, hold, stays, diamonds * stays // coins))
        elif not stays:
            excess.append(hold)
    return excess, reversed_max - left


_RELEASE = "UPDATE holds SET state = 'released', ended_at = now()"
_REVERSE = "UPDATE holds SET state = 'reversed', ended_at = now()"
_MOVED = "RETURNING id, shard, epoch, number, creator_id, coins, diamonds"
_LOCK = """
    SELECT FROM accounts WHERE id = $2 OR (
        owner IN (SELECT creator_id FROM holds WHERE purchase_id = $1)
        AND kind IN ('diamonds_available', 'diamonds_held')
    ) ORDER BY id FOR NO KEY UPDATE
"""
"""All accounts that `undo` may move, in the order in which everybody takes them."""


async def _split(conn: Connection, hold: int, coins: int, diamonds: int) -> int:
    """Leaves so much in a hold, and makes the rest of it another one in the same state; answers the id of that."""
    rest: int = await conn.fetchval(
        """
        WITH less AS (UPDATE holds SET coins = $2, diamonds = $3 WHERE id = $1)
        INSERT INTO holds
            (viewer_id, purchase_id, creator_id, shard, epoch, number, coins, diamonds, state, at, ended_at)
        SELECT viewer_id, purchase_id, creator_id, shard, epoch, number, coins - $2, diamonds - $3, state, at, ended_at
        FROM holds WHERE id = $1 RETURNING id
        """,
        hold,
        coins,
        diamonds,
    )
    return rest


async def _issued(conn: Connection, viewer_id: str) -> AccountId:
    """The platform's account that the diamonds of a viewer's gifts came from."""
    shards: int = await conn.fetchval("SELECT wallet_shards FROM installation")
    platform = platform_owner(shard_of(viewer_id, shards))
    return (await account_ids(conn, "diamonds_issued", [platform]))[platform]


async def _reverse(
    conn: Connection, issued: AccountId, reference: str, kind: str, by_creator: Mapping[str, int]
) -> None:
    """Moves diamonds from creators' accounts of a kind to the platform; those below zero go the other way."""
    moved = {creator: diamonds for creator, diamonds in by_creator.items() if diamonds}
    if moved:
        own = await account_ids(conn, kind, list(moved))
        entries = {own[creator]: -diamonds for creator, diamonds in moved.items()}
        await post(conn, "reversal", reference, diamonds=entries | {issued: sum(moved.values())})


async def _available(conn: Connection, creators: list[str]) -> dict[str, int]:
    """What creators could be paid, 0 for nobody's; locks the accounts that a hold moves, in the order of their ids."""
    rows = await conn.fetch(
        """
        SELECT owner, kind, balance FROM accounts
        WHERE owner = ANY($1::text[]) AND kind IN ('diamonds_available', 'diamonds_held')
        ORDER BY id FOR NO KEY UPDATE
        """,
        creators,
    )
    balances = {row["owner"]: row["balance"] for row in rows if row["kind"] == "diamonds_available"}
    return dict.fromkeys(creators, 0) | balances


def _by_creator(rows: list[Record]) -> dict[str, int]:
    by_creator = defaultdict[str, int](int)
    for row in rows:
        by_creator[row["creator_id"]] += row["diamonds"]
    return by_creator


async def _move(
    conn: Connection, kind: str, reference: str, by_creator: Mapping[str, int], *, source: str, target: str
) -> None:
    """Moves diamonds of each creator from one of its accounts to another, as one posting; nothing if there are none."""
    moved = {creator: diamonds for creator, diamonds in by_creator.items() if diamonds}
    if not moved:
        return
    sources = await account_ids(conn, source, list(moved))
    targets = await account_ids(conn, target, list(moved))
    entries = {sources[creator]: -diamonds for creator, diamonds in moved.items()}
    entries |= {targets[creator]: diamonds for creator, diamonds in moved.items()}
    await post(conn, kind, reference, diamonds=entries)
