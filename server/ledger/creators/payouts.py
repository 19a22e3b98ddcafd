"""Payouts: one row for each, moved from state to state together with its diamonds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from server.domain.errors import Code, Refusal
from server.ledger import pages
from server.ledger.accounts import post
from server.ledger.creators.balances import balances
from server.stores.postgres import Connection, Pool


@dataclass(frozen=True, slots=True)
class Payout:
    """A payout. amount: minor units; rate: minor units for a diamond, as a fraction; transfer: the provider's id.

    flags: why a person looks at it. reason: of a failure or return. expected_from, expected_to: when the money arrives.
    """

    id: str
    creator_id: str
    method_id: str
    provider: str
    diamonds: int
    amount: int
    currency: str
    rate: str
    state: str
    flags: list[str]
    approved_by: str | None
    sending: bool
    transfer: str | None
    reason: str | None
    requested_at: datetime
    changed_at: datetime
    expected_from: date
    expected_to: date


@dataclass(frozen=True, slots=True)
class Event:
    """A step of a payout. by_id: a user, `rules`, `demo` or the provider."""

    state: str
    by_id: str
    detail: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Moved:
    """A step to take: between states, and for the diamonds between the creator's accounts (None: they stay)."""

    state: str
    to: str
    accounts: tuple[str, str] | None


_PAYOUT = """
    SELECT id, creator_id, method_id, provider, diamonds, amount, currency, rate, state, flags, approved_by,
           sending_at IS NOT NULL AS sending, transfer, reason, requested_at, changed_at, expected_from, expected_to
    FROM payouts
"""


async def lock_creator(conn: Connection, creator_id: str) -> None:
    """Lets a creator's requests pass one after the other, for the rest of the transaction."""
    await conn.execute("INSERT INTO users (id, name) VALUES ($1, $1) ON CONFLICT DO NOTHING", creator_id)
    await conn.execute("SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE", creator_id)


async def requested_on(conn: Connection, creator_id: str, day: date) -> int:
    """What a creator asked for on one day (UTC), in minor units, less what failed or came back."""
    amount: int = await conn.fetchval(
        """
        SELECT coalesce(sum(amount), 0)::bigint FROM payouts
        WHERE creator_id = $1 AND state NOT IN ('failed', 'returned')
          AND requested_at >= $2::date::timestamp AT TIME ZONE 'UTC'
          AND requested_at < ($2::date + 1)::timestamp AT TIME ZONE 'UTC'
        """,
        creator_id,
        day,
    )
    return amount


async def add(conn: Connection, payout: Payout) -> None:
    """Keeps a new payout, and that it was requested."""
    await conn.execute(
        """
        INSERT INTO payouts (id, creator_id, method_id, provider, diamonds, amount, currency, rate, requested_at,
                             changed_at, expected_from, expected_to)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11)
        """,
        payout.id,
        payout.creator_id,
        payout.method_id,
        payout.provider,
        payout.diamonds,
        payout.amount,
        payout.currency,
        payout.rate,
        payout.requested_at,
        payout.expected_from,
        payout.expected_to,
    )
    await _tell(conn, payout.id, payout.state, payout.creator_id, None)


async def move(  # noqa: PLR0917
    conn: Connection, payout: Payout, step: Moved, by_id: str, detail: str | None, values: Mapping[str, object]
) -> bool:
    """Takes a step in the caller's transaction, with its diamonds; False when the payout is not in that state any more.

    values: columns that the step sets besides. Raises asyncpg.UniqueViolationError when its diamonds were moved before.
    """
    columns = "".join(f", {column} = ${place}" for place, column in enumerate(values, start=4))
    status = await conn.execute(
        f"UPDATE payouts SET state = $3, changed_at = now(){columns} WHERE id = $1 AND state = $2",  # noqa: S608
        payout.id,
        step.state,
        step.to,
        *values.values(),
    )
    if not status.endswith(" 1"):
        return False
    await _tell(conn, payout.id, step.to, by_id, detail)
    if step.accounts is not None:
        source, target = step.accounts
        own = (await balances(conn, payout.creator_id, lock=True)).accounts
        diamonds = {own[source]: -payout.diamonds, own[target]: payout.diamonds}
        await post(conn, "payout", f"{payout.id}:{step.to}", diamonds=diamonds)
    return True


async def _tell(conn: Connection, payout_id: str, state: str, by_id: str, detail: str | None) -> None:
    await conn.execute(
        """
        INSERT INTO payout_events (payout_id, number, state, by_id, detail)
        SELECT $1, 1 + count(*), $2, $3, $4 FROM payout_events WHERE payout_id = $1
        """,
        payout_id,
        state,
        by_id,
        detail,
    )


async def approve(conn: Connection, payout_id: str, by_id: str) -> bool:
    """Lets a payout in review be sent; False when it is not in review, or is approved already."""
    status = await conn.execute(
        "UPDATE payouts SET approved_by = $2, approved_at = now()"
        " WHERE id = $1 AND state = 'review' AND approved_at IS NULL",
        payout_id,
        by_id,
    )
    return status.endswith(" 1")


async def begin_sending(pool: Pool, payout_id: str) -> bool:
    """Notes that an approved payout goes to its provider now, or did before; False for one that may not.

    From then on nobody refuses it. A blocked or banned creator's payout stays where it is.
    """
    status = await pool.execute(
        """
        UPDATE payouts SET sending_at = coalesce(sending_at, now())
        WHERE id = $1 AND state = 'review' AND approved_at IS NOT NULL
          AND (sending_at IS NOT NULL OR NOT EXISTS (
              SELECT FROM users WHERE users.id = creator_id AND blocked
              UNION ALL SELECT FROM banned_users WHERE user_id = creator_id
          ))
        """,
        payout_id,
    )
    return status.endswith(" 1")


async def get(conn: "Connection | Pool", payout_id: str) -> Payout | None:
    """A payout."""
    row = await conn.fetchrow(f"{_PAYOUT} WHERE id = $1", payout_id)
    return None if row is None else Payout(*row.values())


async def hold(conn: Connection, payout_id: str) -> Payout | None:
    """A payout, held until the transaction ends."""
    row = await conn.fetchrow(f"{_PAYOUT} WHERE id = $1 FOR NO KEY UPDATE", payout_id)
    return None if row is None else Payout(*row.values())


async def events(conn: "Connection | Pool", payout_id: str) -> list[Event]:
    """What became of a payout, in order."""
    rows = await conn.fetch(
        "SELECT state, by_id, detail, at FROM payout_events WHERE payout_id = $1 ORDER BY number", payout_id
    )
    return [Event(*row.values()) for row in rows]


async def of_creator(pool: Pool, creator_id: str, limit: int, cursor: str | None) -> tuple[list[Payout], str | None]:
    """A page of a creator's payouts, newest first, and the next cursor. Raises Refusal (bad_request)."""
    before, after = pages.decode(cursor, str, str) if cursor else ("9999-01-01T00:00:00+00:00", "")
    rows = await pool.fetch(
        f"{_PAYOUT} WHERE creator_id = $1 AND (requested_at < $2 OR (requested_at = $2 AND id > $3))"
        " ORDER BY requested_at DESC, id LIMIT $4",
        creator_id,
        pages.moment(before),
        after,
        limit + 1,
    )
    found = [Payout(*row.values()) for row in rows[:limit]]
    return found, pages.encode(found[-1].requested_at.isoformat(), found[-1].id) if len(rows) > limit else None


async def waiting(pool: Pool, limit: int, cursor: str | None) -> tuple[list[Payout], str | None]:
    """A page of the payouts that wait for a person, longest first, and the next cursor.

    Raises Refusal (bad_request) for a wrong cursor.
    """
    since, after = pages.decode(cursor, str, str) if cursor else ("0001-01-02T00:00:00+00:00", "")
    rows = await pool.fetch(
        f"{_PAYOUT} WHERE state = 'review' AND approved_at IS NULL AND (changed_at, id) > ($1, $2)"
        " ORDER BY changed_at, id LIMIT $3",
        pages.moment(since),
        after,
        limit + 1,
    )
    found = [Payout(*row.values()) for row in rows[:limit]]
    return found, pages.encode(found[-1].changed_at.isoformat(), found[-1].id) if len(rows) > limit else None


async def paid_before(conn: Connection, payout: Payout) -> tuple[bool, bool]:
    """Whether this creator was ever paid before, and whether to this destination."""
    row = await conn.fetchrow(
        """
        SELECT bool_or(true) AS ever, bool_or(method_id = $2) AS there FROM payouts
        WHERE creator_id = $1 AND id <> $3 AND state IN ('sent', 'paid')
        """,
        payout.creator_id,
        payout.method_id,
        payout.id,
    )
    assert row is not None
    return bool(row["ever"]), bool(row["there"])


async def barred(conn: Connection, creator_id: str) -> bool:
    """Whether an operator froze a creator's wallet, or banned them."""
    found: bool = await conn.fetchval(
        """
        SELECT EXISTS (SELECT FROM users WHERE id = $1 AND blocked)
            OR EXISTS (SELECT FROM banned_users WHERE user_id = $1)
        """,
        creator_id,
    )
    return found


async def disputed(conn: Connection, creator_id: str) -> bool:
    """Whether diamonds of this creator are held because the coins behind them are disputed."""
    found: bool = await conn.fetchval(
        "SELECT EXISTS (SELECT FROM holds WHERE creator_id = $1 AND state = 'held')", creator_id
    )
    return found


async def to_drive(pool: Pool, limit: int) -> list[Payout]:
    """Payouts that the next step can be taken of without asking anybody, longest waiting first."""
    rows = await pool.fetch(
        f"{_PAYOUT} WHERE state IN ('held', 'failed') OR (state = 'review' AND approved_at IS NOT NULL)"
        " ORDER BY changed_at LIMIT $1",
        limit,
    )
    return [Payout(*row.values()) for row in rows]


async def waiting_longer(pool: Pool, age_s: float, limit: int) -> list[str]:
    """Ids of payouts that have waited for a person for so long."""
    rows = await pool.fetch(
        "SELECT id FROM payouts WHERE state = 'review' AND approved_at IS NULL"
        " AND changed_at < now() - make_interval(secs => $1) ORDER BY changed_at LIMIT $2",
        age_s,
        limit,
    )
    return [row["id"] for row in rows]


async def to_ask(pool: Pool, limit: int) -> list[Payout]:
    """Payouts of which the provider is to be asked now, longest waiting first."""
    rows = await pool.fetch(f"{_PAYOUT} WHERE ask_at <= now() ORDER BY ask_at LIMIT $1", limit)
    return [Payout(*row.values()) for row in rows]


async def ask_again(pool: Pool, payout_id: str, in_s: float | None) -> None:
    """Notes when the provider is asked next; None: there is nothing more to hear."""
    await pool.execute("UPDATE payouts SET ask_at = now() + make_interval(secs => $2) WHERE id = $1", payout_id, in_s)


def not_there() -> Refusal:
    """The refusal of an id that is no payout's."""
    return Refusal(Code.NOT_FOUND, "There is no such payout.")
