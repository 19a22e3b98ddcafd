"""What a creator's statement of a month is made of: earned, paid, come back, given back. Months are UTC."""

from dataclasses import dataclass
from datetime import datetime

from server.stores.postgres import Connection


@dataclass(frozen=True, slots=True)
class Moves:
    """Diamonds of a stretch of time. came_back: of payouts that had been paid; given_back: of gifts undone."""

    earned: int
    paid: int
    came_back: int
    given_back: int

    @property
    def balance(self) -> int:
        """What they make of what is neither paid nor given back."""
        return self.earned - self.paid + self.came_back - self.given_back


@dataclass(frozen=True, slots=True)
class EarnedOn:
    """What a day brought, by days since the Unix epoch."""

    day: int
    gifts: int
    diamonds: int


@dataclass(frozen=True, slots=True)
class PayoutMove:
    """A payout that was paid, or came back after it was. amount: minor units."""

    at: datetime
    payout_id: str
    state: str
    diamonds: int
    amount: int
    currency: str
    masked: str


@dataclass(frozen=True, slots=True)
class GivenBack:
    """Diamonds taken back because the coins behind them were."""

    at: datetime
    diamonds: int


async def moves(conn: Connection, creator_id: str, since: datetime, until: datetime) -> Moves:
    """A creator's moves from one moment, on a full hour, until another."""
    row = await conn.fetchrow(
        """
        SELECT (
            SELECT coalesce(sum(diamonds), 0) FROM earned_hours
            WHERE creator_id = $1 AND hour >= extract(epoch FROM $2::timestamptz)::bigint / 3600
              AND hour < extract(epoch FROM $3::timestamptz)::bigint / 3600
        )::bigint AS earned,
        coalesce(sum(diamonds) FILTER (WHERE event.state = 'paid'), 0)::bigint AS paid,
        coalesce(sum(diamonds) FILTER (WHERE event.state = 'returned'), 0)::bigint AS came_back
        FROM payouts JOIN payout_events AS event ON payout_id = id
        WHERE creator_id = $1 AND at >= $2 AND at < $3
          AND (event.state = 'paid' OR event.state = 'returned' AND EXISTS (
              SELECT FROM payout_events AS before WHERE before.payout_id = id AND before.state = 'paid'
          ))
        """,
        creator_id,
        since,
        until,
    )
    assert row is not None
    given_back = sum(each.diamonds for each in await reversals(conn, creator_id, since, until))
    return Moves(row["earned"], row["paid"], row["came_back"], given_back)


async def first_earned(conn: Connection, creator_id: str) -> datetime | None:
    """The hour of a creator's first gift."""
    hour: datetime | None = await conn.fetchval(
        "SELECT to_timestamp(min(hour) * 3600.0) FROM earned_hours WHERE creator_id = $1", creator_id
    )
    return hour


async def earned_by_day(conn: Connection, creator_id: str, from_day: int, to_day: int) -> list[EarnedOn]:
    """What each day with gifts brought, in order."""
    rows = await conn.fetch(
        """
        SELECT hour / 24 AS day, sum(gifts)::bigint AS gifts, sum(diamonds)::bigint AS diamonds FROM earned_hours
        WHERE creator_id = $1 AND hour >= $2::bigint * 24 AND hour < $3::bigint * 24 GROUP BY 1 ORDER BY 1
        """,
        creator_id,
        from_day,
        to_day,
    )
    return [EarnedOn(*row.values()) for row in rows]


async def payout_moves(conn: Connection, creator_id: str, since: datetime, until: datetime) -> list[PayoutMove]:
    """Payouts that were paid, or came back after they were, in order."""
    rows = await conn.fetch(
        """
        SELECT at, payouts.id, event.state, diamonds, amount, currency, masked
        FROM payouts JOIN payout_events AS event ON payout_id = payouts.id
        JOIN payout_methods ON payout_methods.id = method_id
        WHERE payouts.creator_id = $1 AND at >= $2 AND at < $3
          AND (event.state = 'paid' OR event.state = 'returned' AND EXISTS (
              SELECT FROM payout_events AS before WHERE before.payout_id = payouts.id AND before.state = 'paid'
          ))
        ORDER BY at, payouts.id
        """,
        creator_id,
        since,
        until,
    )
    return [PayoutMove(*row.values()) for row in rows]


async def reversals(conn: Connection, creator_id: str, since: datetime, until: datetime) -> list[GivenBack]:
    """What had to be given back, in order."""
    rows = await conn.fetch(
        """
        SELECT at, -sum(amount)::bigint AS diamonds
        FROM postings JOIN entries ON posting_id = postings.id JOIN accounts ON accounts.id = account_id
        WHERE postings.kind = 'reversal' AND reference IS NOT NULL AND owner = $1 AND at >= $2 AND at < $3
          AND accounts.kind IN ('diamonds_available', 'diamonds_held', 'diamonds_paid')
        GROUP BY postings.id, at ORDER BY at, postings.id
        """,
        creator_id,
        since,
        until,
    )
    return [GivenBack(*row.values()) for row in rows]
