"""Purchases of coins: one row for each, from the checkout to what became of it."""

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Literal

from asyncpg import Record

from server.domain.ids import new_id
from server.domain.packages import Package
from server.ledger import pages
from server.stores.postgres import Connection, Pool

Status = Literal["created", "pending", "paid", "credited", "declined", "expired", "refunded", "charged_back"]

UNDER_WAY = ("created", "pending")
"""What a provider is asked about until it knows the end of it."""

CREDITED = ("credited", "refunded", "charged_back")
"""The coins were booked, whatever became of them since."""

REGION_UNKNOWN = "ZZ"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AT_US_MAX = 2**53
"""Microseconds since the epoch up to which cursors go: past the year 2200."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """A row of `purchases`. amount: minor units. coins_back, bonus_back: what of the coins is taken back at present.

    transaction: the provider's id of the payment; checkout: its id of what the buyer was sent to.
    """

    id: str
    user_id: str
    provider: str
    method: str
    transaction: str | None
    checkout: str | None
    platform: str
    region: str
    currency: str
    amount: int
    coins: int
    bonus_coins: int
    coins_back: int
    bonus_back: int
    package_id: str
    package_version: int
    status: Status
    created_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    credited_at: datetime | None
    finished_at: datetime | None


COLUMNS = ", ".join(field.name for field in fields(Purchase))


async def add(
    conn: Connection,
    package: Package,
    *,
    user_id: str,
    provider: str,
    method: str,
    region: str,
    coins: int,
    amount: int,
    currency: str,
    expires_s: float,
    purchase_id: str | None = None,
    bonus_coins: int = 0,
) -> Purchase:
    """Writes a new purchase of a package, whose buyer has to be there. amount: minor units; bonus_coins: promised."""
    row = await conn.fetchrow(
        f"""
        INSERT INTO purchases (id, user_id, provider, method, platform, region, currency, amount, coins, bonus_coins,
                               package_id, package_version, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, now() + make_interval(secs => $13))
        RETURNING {COLUMNS}
        """,  # noqa: S608 - columns of our own
        purchase_id or new_id("p"),
        user_id,
        provider,
        method,
        package.platform,
        region,
        currency,
        amount,
        coins,
        bonus_coins,
        package.id,
        package.version,
        expires_s,
    )
    assert row is not None
    return read_row(row)


async def get(conn: "Connection | Pool", purchase_id: str) -> Purchase | None:
    """A purchase, as it is in this moment."""
    row = await conn.fetchrow(f"SELECT {COLUMNS} FROM purchases WHERE id = $1", purchase_id)  # noqa: S608
    return None if row is None else read_row(row)


async def lock_buyer(conn: Connection, user_id: str) -> None:
    """Lets nobody else book credits or move purchases of a user until the caller's transaction ends."""
    await conn.execute("SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE", user_id)


async def lock(conn: Connection, purchase_id: str) -> Purchase:
    """A purchase that nobody else changes until the caller's transaction ends; its buyer is locked with it, and first.

    Raises LookupError when there is no such purchase.
    """
    user_id = await conn.fetchval("SELECT user_id FROM purchases WHERE id = $1", purchase_id)
    await lock_buyer(conn, user_id)
    row = await conn.fetchrow(f"SELECT {COLUMNS} FROM purchases WHERE id = $1 FOR UPDATE", purchase_id)  # noqa: S608
    if row is None:
        raise LookupError(f"no purchase {purchase_id}")
    return read_row(row)


async def find(conn: Connection, provider: str, *, transaction: str | None, checkout: str | None) -> str | None:
    """The id of the purchase that a provider means by its transaction, or by its checkout."""
    found: str | None = None
    if transaction is not None:
        found = await conn.fetchval(
            "SELECT id FROM purchases WHERE provider = $1 AND transaction = $2", provider, transaction
        )
    if found is None and checkout is not None:
        found = await conn.fetchval(
            "SELECT id FROM purchases WHERE provider = $1 AND checkout = $2", provider, checkout
        )
    return found


async def find_open(conn: Connection, provider: str, user_id: str, package_id: str) -> str | None:
    """The id of a user's newest purchase of a package that no payment is known for, whatever its end seemed to be."""
    found: str | None = await conn.fetchval(
        """
        SELECT id FROM purchases
        WHERE user_id = $2 AND provider = $1 AND package_id = $3 AND transaction IS NULL AND credited_at IS NULL
        ORDER BY created_at DESC LIMIT 1
        """,
        provider,
        user_id,
        package_id,
    )
    return found


async def of_user(pool: Pool, user_id: str, limit: int, cursor: str | None) -> tuple[list[Purchase], str | None]:
    """A page of a user's purchases, newest first, and the next cursor. Raises Refusal (bad_request)."""
    at_us, before = pages.decode(cursor, int, str) if cursor else (AT_US_MAX, "")
    if not 0 <= at_us <= AT_US_MAX:
        raise pages.not_ours()
    rows = await pool.fetch(
        f"""
        SELECT {COLUMNS} FROM purchases WHERE user_id = $1 AND (created_at, id) < ($2, $3)
        ORDER BY created_at DESC, id DESC LIMIT $4
        """,  # noqa: S608
        user_id,
        _EPOCH + timedelta(microseconds=at_us),
        before,
        limit + 1,
    )
    found = [read_row(row) for row in rows[:limit]]
    if len(rows) <= limit:
        return found, None
    return found, pages.encode((found[-1].created_at - _EPOCH) // timedelta(microseconds=1), found[-1].id)


async def count_under_way(conn: Connection, user_id: str) -> int:
    """How many purchases of a user wait for their payment."""
    counted: int = await conn.fetchval(
        "SELECT count(*) FROM purchases WHERE user_id = $1 AND status = ANY($2::text[])", user_id, list(UNDER_WAY)
    )
    return counted


async def count_begun(conn: Connection, user_id: str, within_s: float) -> int:
    """How many purchases a user began in the last seconds, whatever became of them."""
    counted: int = await conn.fetchval(
        "SELECT count(*) FROM purchases WHERE user_id = $1 AND created_at > now() - make_interval(secs => $2)",
        user_id,
        within_s,
    )
    return counted


async def set_checkout(conn: Connection, purchase_id: str, checkout: str) -> None:
    """Notes what the buyer was sent to."""
    await conn.execute("UPDATE purchases SET checkout = $2 WHERE id = $1", purchase_id, checkout)


async def set_transaction(conn: Connection, purchase_id: str, transaction: str) -> None:
    """Notes the provider's id of the payment. Raises asyncpg.UniqueViolationError when it is another purchase's."""
    await conn.execute("UPDATE purchases SET transaction = $2 WHERE id = $1", purchase_id, transaction)


async def set_amount(conn: Connection, purchase_id: str, amount: int, currency: str) -> None:
    """Notes what an app store says was paid, which is what its refunds are parts of."""
    await conn.execute("UPDATE purchases SET amount = $2, currency = $3 WHERE id = $1", purchase_id, amount, currency)


async def set_status(conn: Connection, purchase_id: str, status: Status) -> None:
    """Moves a purchase on; `paid` and `credited` note when."""
    await conn.execute(
        """
        UPDATE purchases SET status = $2, updated_at = now(),
            paid_at = CASE WHEN $2 = 'paid' THEN coalesce(paid_at, now()) ELSE paid_at END,
            credited_at = CASE WHEN $2 = 'credited' THEN coalesce(credited_at, now()) ELSE credited_at END
        WHERE id = $1
        """,
        purchase_id,
        status,
    )


async def set_bonus(conn: Connection, purchase_id: str) -> int:
    """Notes the coins that were given along with a purchase, from the credits that name it, and answers how many."""
    bonus: int = await conn.fetchval(
        """
        UPDATE purchases SET bonus_coins = coalesce(
            (SELECT sum(coins) FROM credits WHERE kind = 'promotion' AND reference = 'bonus:' || $1), 0)
        WHERE id = $1 RETURNING bonus_coins
        """,
        purchase_id,
    )
    return bonus


async def set_taken_back(conn: Connection, purchase_id: str, *, coins: int, bonus: int, status: Status) -> None:
    """Notes how many of its coins are taken back at present."""
    await conn.execute(
        """
        UPDATE purchases SET coins_back = $2, bonus_back = $3, status = $4, updated_at = now() WHERE id = $1
        """,
        purchase_id,
        coins,
        bonus,
        status,
    )


async def set_finished(conn: "Connection | Pool", purchase_id: str) -> None:
    """Notes that the provider knows of the delivery."""
    await conn.execute("UPDATE purchases SET finished_at = now() WHERE id = $1", purchase_id)


def read_row(row: Record) -> Purchase:
    """A purchase from a row of COLUMNS."""
    return Purchase(**dict(row.items()))
