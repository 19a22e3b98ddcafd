"""The business in figures, and the books beside a payment provider's."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from server.stores.postgres import Connection

DIFFERENCES_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Revenue:
    """Purchases of one provider and currency that were credited in a period. Amounts: minor units."""

    provider: str
    currency: str
    purchases: int
    amount: int
    taken_back: int
    coins: int


@dataclass(frozen=True, slots=True)
class Outstanding:
    """What users and creators hold, according to the ledger."""

    coins: int
    coins_owed: int
    coins_purchased: int
    coins_promotional: int
    coins_corrected: int
    coins_spent: int
    diamonds_available: int
    diamonds_held: int
    diamonds_paid: int


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One payment in a provider's report. amount: minor units, less what was refunded."""

    transaction: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A payment that the two sides see differently; amounts are None where a side does not have it."""

    transaction: str
    purchase_id: str | None
    theirs: int | None
    ours: int | None
    currency: str


async def revenue(conn: Connection, since: date, until: date) -> list[Revenue]:
    """What was sold from one day (UTC) to before another, by provider and currency."""
    rows = await conn.fetch(
        """
        SELECT provider, currency, count(*) AS purchases, sum(amount)::bigint AS amount, sum(coins)::bigint AS coins,
               coalesce(sum((SELECT sum(least(claims.amount, purchases.amount)) FROM claims
                             WHERE purchase_id = purchases.id AND state <> 'returned')), 0)::bigint AS taken_back
        FROM purchases
        WHERE credited_at >= $1::date::timestamp AT TIME ZONE 'UTC'
          AND credited_at < $2::date::timestamp AT TIME ZONE 'UTC'
        GROUP BY provider, currency ORDER BY provider, currency
        """,
        since,
        until,
    )
    return [Revenue(**dict(row.items())) for row in rows]


async def outstanding(conn: Connection) -> Outstanding:
    """The sums of all accounts, by what they are for."""
    row = await conn.fetchrow(
        """
        SELECT coalesce(sum(balance) FILTER (WHERE kind = 'wallet' AND balance > 0), 0)::bigint AS coins,
               coalesce(-sum(balance) FILTER (WHERE kind = 'wallet' AND balance < 0), 0)::bigint AS coins_owed,
               coalesce(-sum(balance) FILTER (WHERE kind = 'coins_purchased'), 0)::bigint AS coins_purchased,
               coalesce(-sum(balance) FILTER (WHERE kind = 'coins_promotional'), 0)::bigint AS coins_promotional,
               coalesce(-sum(balance) FILTER (WHERE kind = 'coins_corrected'), 0)::bigint AS coins_corrected,
               coalesce(sum(balance) FILTER (WHERE kind = 'coins_spent'), 0)::bigint AS coins_spent,
               coalesce(sum(balance) FILTER (WHERE kind = 'diamonds_available'), 0)::bigint AS diamonds_available,
               coalesce(sum(balance) FILTER (WHERE kind = 'diamonds_held'), 0)::bigint AS diamonds_held,
               coalesce(sum(balance) FILTER (WHERE kind = 'diamonds_paid'), 0)::bigint AS diamonds_paid
        FROM accounts
        """
    )
    assert row is not None
    return Outstanding(**dict(row.items()))


async def differences(
    conn: Connection, provider: str, since: date, until: date, lines: Iterable[ReportLine]
) -> list[Difference]:
    """Where a provider's report and our purchases of a period (UTC days) differ, at most DIFFERENCES_MAX.

    Ours are purchases that were paid in the period, or whose transaction the report names, less what was taken back.
    """
    given = list(lines)
    rows = await conn.fetch(
        """
        WITH theirs AS (
            SELECT transaction, sum(amount)::bigint AS amount, min(currency) AS currency
            FROM unnest($4::text[], $5::bigint[], $6::text[]) AS line (transaction, amount, currency)
            GROUP BY transaction
        ), ours AS (
            SELECT transaction, id, currency, amount - least(amount, coalesce(
                (SELECT sum(claims.amount) FROM claims
                 WHERE purchase_id = purchases.id AND state <> 'returned'), 0))::bigint AS amount
            FROM purchases
            WHERE provider = $1 AND transaction IS NOT NULL AND paid_at IS NOT NULL AND (
                (paid_at >= $2::date::timestamp AT TIME ZONE 'UTC' AND paid_at < $3::date::timestamp AT TIME ZONE 'UTC')
                OR transaction = ANY($4::text[])
            )
        )
        SELECT transaction, ours.id AS purchase_id, theirs.amount AS theirs, ours.amount AS ours,
               coalesce(theirs.currency, ours.currency) AS currency
        FROM theirs FULL JOIN ours USING (transaction)
        WHERE (theirs.amount, theirs.currency) IS DISTINCT FROM (ours.amount, ours.currency)
        ORDER BY transaction LIMIT $7
        """,
        provider,
        since,
        until,
        [line.transaction for line in given],
        [line.amount for line in given],
        [line.currency for line in given],
        DIFFERENCES_MAX,
    )
    return [Difference(**dict(row.items())) for row in rows]
