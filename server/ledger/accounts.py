"""Double entry: the one place that writes postings, entries and balances."""

from collections.abc import Mapping
from typing import Literal, NewType

from server.domain.ids import shard_label
from server.stores.postgres import Connection

AccountId = NewType("AccountId", int)
PostingId = NewType("PostingId", int)
Currency = Literal["coins", "diamonds"]

WALLET = "wallet"
CREATOR_KINDS: dict[str, Currency] = {
    "diamonds_available": "diamonds",
    "diamonds_held": "diamonds",
    "diamonds_paid": "diamonds",
}
PLATFORM_KINDS: dict[str, Currency] = {
    "coins_spent": "coins",
    "coins_purchased": "coins",
    "coins_promotional": "coins",
    "coins_corrected": "coins",
    "diamonds_issued": "diamonds",
}


def platform_owner(shard: int) -> str:
    """Owner of the platform's accounts for one wallet shard; no user's id contains a slash."""
    return f"platform/{shard_label(shard)}"


async def open_account(conn: Connection, owner: str, kinds: Mapping[str, Currency]) -> None:
    """Makes sure that a user has these accounts, with nothing in them."""
    await conn.execute(
        """
        INSERT INTO accounts (owner, kind, currency)
        SELECT $1, kind, currency::currency FROM unnest($2::text[], $3::text[]) AS account (kind, currency)
        ON CONFLICT DO NOTHING
        """,
        owner,
        list(kinds),
        list(kinds.values()),
    )


async def account_ids(conn: Connection, kind: str, owners: list[str]) -> dict[str, AccountId]:
    """The accounts of one kind that these owners have, by owner. They never change: cache them."""
    rows = await conn.fetch("SELECT owner, id FROM accounts WHERE kind = $1 AND owner = ANY($2::text[])", kind, owners)
    return {row["owner"]: AccountId(row["id"]) for row in rows}


async def add_entries(
    conn: Connection, posting: PostingId, coins: Mapping[AccountId, int], diamonds: Mapping[AccountId, int]
) -> None:
    """Writes all entries of a posting, in one statement. Postgres refuses them unless each currency sums to zero."""
    entries = [(account, amount, "coins") for account, amount in coins.items() if amount]
    entries += [(account, amount, "diamonds") for account, amount in diamonds.items() if amount]
    entries.sort()
    await conn.execute(
        """
        INSERT INTO entries (posting_id, account_id, amount, currency)
        SELECT $1, account_id, amount, currency::currency
        FROM unnest($2::bigint[], $3::bigint[], $4::text[]) AS entry (account_id, amount, currency)
        """,
        posting,
        [entry[0] for entry in entries],
        [entry[1] for entry in entries],
        [entry[2] for entry in entries],
    )


async def add_to_balances(conn: Connection, amounts: Mapping[AccountId, int]) -> None:
    """Adds to many balances in one statement that takes the rows in the order of their ids, so that two never deadlock.

    Raises asyncpg.CheckViolationError when one would become negative that must not.
    """
    moves = sorted((account, amount) for account, amount in amounts.items() if amount)
    status = await conn.execute(
        """
        WITH move AS MATERIALIZED (
            SELECT account_id, amount FROM unnest($1::bigint[], $2::bigint[]) AS move (account_id, amount)
        ), locked AS MATERIALIZED (
            SELECT id FROM accounts WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE
        )
        UPDATE accounts SET balance = balance + move.amount
        FROM move JOIN locked ON locked.id = move.account_id
        WHERE accounts.id = move.account_id
        """,
        [move[0] for move in moves],
        [move[1] for move in moves],
    )
    updated = int(status.rpartition(" ")[2])
    if updated != len(moves):
        raise LookupError(f"{len(moves) - updated} of {len(moves)} accounts do not exist")
