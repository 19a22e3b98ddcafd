"""Diamonds that creators are not paid, as the coins behind the gifts were taken back after they were spent.

Held diamonds move from `diamonds_available` to `diamonds_held`; they are let go when nothing is owed any more, and
given back to the platform when the money is lost. Each hold is a row that names viewer, purchase, gift and creator.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from server.domain.ids import shard_of
from server.ledger.accounts import account_ids, platform_owner, post
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


async def release(conn: Connection, purchase_ids: list[str]) -> None:
    """Lets go what is held for these purchases."""
    by_creator, first = await _end(conn, purchase_ids, "released")
    await _move(
        conn, "hold", f"refund:released:{first}", by_creator, source="diamonds_held", target="diamonds_available"
    )


async def reverse(conn: Connection, viewer_id: str, purchase_ids: list[str]) -> None:
    """Takes what is held for these purchases of a viewer back from the creators, for good."""
    by_creator, first = await _end(conn, purchase_ids, "reversed")
    if not any(by_creator.values()):
        return
    shards: int = await conn.fetchval("SELECT wallet_shards FROM installation")
    platform = platform_owner(shard_of(viewer_id, shards))
    issued = (await account_ids(conn, "diamonds_issued", [platform]))[platform]
    held = await account_ids(conn, "diamonds_held", list(by_creator))
    moved = {held[creator]: -diamonds for creator, diamonds in by_creator.items() if diamonds}
    await post(conn, "reversal", f"refund:{first}", diamonds=moved | {issued: sum(by_creator.values())})


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


async def _end(conn: Connection, purchase_ids: list[str], state: str) -> tuple[dict[str, int], int]:
    """Ends the holds of purchases: the diamonds by creator, and the first one's id."""
    rows = await conn.fetch(
        """
        UPDATE holds SET state = $2, ended_at = now() WHERE purchase_id = ANY($1::text[]) AND state = 'held'
        RETURNING id, creator_id, diamonds
        """,
        purchase_ids,
        state,
    )
    by_creator = defaultdict[str, int](int)
    for row in rows:
        by_creator[row["creator_id"]] += row["diamonds"]
    return by_creator, min((row["id"] for row in rows), default=0)


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
