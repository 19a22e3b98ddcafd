"""Double entry: the one place that writes postings, entries and balances."""

from collections.abc import Collection, Mapping
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
    conn: Connection, posting: PostingId, *, coins: Mapping[AccountId, int], diamonds: Mapping[AccountId, int]
) -> None:
    """Writes all entries of a posting, in one statement; amounts are not zero.

    Postgres refuses them unless each currency sums to zero.
    """
    entries = [(posting, account, amount, "coins") for account, amount in coins.items()]
    entries += [(posting, account, amount, "diamonds") for account, amount in diamonds.items()]
    entries.sort()
    await conn.copy_records_to_table(
        "entries", records=entries, columns=("posting_id", "account_id", "amount", "currency")
    )


async def post(
    conn: Connection,
    kind: str,
    reference: str,
    *,
    coins: Mapping[AccountId, int] | None = None,
    diamonds: Mapping[AccountId, int] | None = None,
) -> PostingId:
    """Books one movement between accounts that many may move: entries and balances, once for each kind and reference.

    Viewers' wallets are not for this: only settlements and credits touch them, as Redis has to follow. Raises
    asyncpg.UniqueViolationError when it was booked before, CheckViolationError when a balance would become negative.
    """
    coins, diamonds = coins or {}, diamonds or {}
    posting_id: int = await conn.fetchval(
        "INSERT INTO postings (kind, reference) VALUES ($1, $2) RETURNING id", kind, reference
    )
    posting = PostingId(posting_id)
    await add_entries(conn, posting, coins=coins, diamonds=diamonds)
    await move_shared(conn, posting, [*coins, *diamonds])
    return posting


async def move_wallets(conn: Connection, posting: PostingId, wallets: Collection[AccountId]) -> None:
    """Adds a posting's entries to the balances of these wallets. Only a viewer's own shard and credits touch a wallet.

    Raises asyncpg.CheckViolationError when one would become negative that must not.
    """
    # The accounts are named although the entries do that too: no plan may look at all accounts for it.
    status = await conn.execute(
        """
        UPDATE accounts SET balance = balance + entries.amount FROM entries
        WHERE accounts.id = ANY($2::bigint[]) AND entries.posting_id = $1 AND entries.account_id = accounts.id
        """,
        posting,
        list(wallets),
    )
    _all_moved(status, wallets)


async def move_shared(conn: Connection, posting: PostingId, shared: Collection[AccountId]) -> None:
    """Adds a posting's entries to balances that others move too, taking the rows in the order of their ids.

    Raises asyncpg.CheckViolationError as `move_wallets`.
    """
    status = await conn.execute(
        """
        WITH locked AS MATERIALIZED (
            SELECT id FROM accounts WHERE id = ANY($2::bigint[]) ORDER BY id FOR NO KEY UPDATE
        )
        UPDATE accounts SET balance = balance + entries.amount FROM locked, entries
        WHERE accounts.id = locked.id AND entries.posting_id = $1 AND entries.account_id = locked.id
        """,
        posting,
        list(shared),
    )
    _all_moved(status, shared)


async def allow_debt(conn: Connection, wallet: AccountId, coins: int) -> None:
    """Lets a wallet be below zero by as many coins more: they are taken back, and may be spent already."""
    await conn.execute("UPDATE accounts SET taken_back = taken_back + $2 WHERE id = $1", wallet, coins)


def _all_moved(status: str, accounts: Collection[AccountId]) -> None:
    """Raises RuntimeError unless every account was there and had its entry: then nothing may be committed."""
    moved = int(status.rpartition(" ")[2])
    if moved != len(accounts):
        raise RuntimeError(f"{moved} of {len(accounts)} balances were moved")
