"""What providers told: each event once, with what became of it."""

from collections.abc import Mapping
from typing import Any, Literal

import orjson

from server.stores.postgres import Connection, Pool

Outcome = Literal["applied", "unmatched", "mismatch"]

REPLAYED_AT_ONCE_MAX = 100
WAITED_FOR_DAYS = 30


async def take_turn(conn: Connection, provider: str, transaction: str) -> None:
    """Lets the events of one payment come one after the other: each sees what the one before it left."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"payment {provider} {transaction}")


async def claim(  # noqa: PLR0917
    conn: Connection, provider: str, event: str, kind: str, transaction: str | None, detail: Mapping[str, Any]
) -> bool:
    """Writes an event down in the caller's transaction; False when it was heard before.

    Waits for whoever is at the same event in this moment.
    """
    status = await conn.execute(
        """
        INSERT INTO payment_events (provider, event, kind, transaction, outcome, detail)
        VALUES ($1, $2, $3, $4, 'unmatched', $5) ON CONFLICT DO NOTHING
        """,
        provider,
        event,
        kind,
        transaction,
        orjson.dumps(dict(detail)).decode(),
    )
    return status.endswith(" 1")


async def conclude(conn: Connection, provider: str, event: str, purchase_id: str | None, outcome: Outcome) -> None:
    """Notes which purchase an event was about, and what became of it."""
    await conn.execute(
        "UPDATE payment_events SET purchase_id = $3, outcome = $4 WHERE provider = $1 AND event = $2",
        provider,
        event,
        purchase_id,
        outcome,
    )


async def unmatched(conn: Connection, provider: str, transaction: str) -> list[dict[str, Any]]:
    """The details of events of a payment that came before its purchase was known, in their order."""
    rows = await conn.fetch(
        """
        SELECT detail FROM payment_events WHERE provider = $1 AND transaction = $2 AND outcome = 'unmatched'
        ORDER BY at, event LIMIT $3
        """,
        provider,
        transaction,
        REPLAYED_AT_ONCE_MAX,
    )
    return [orjson.loads(row["detail"]) for row in rows]


async def waiting(pool: Pool, limit: int) -> list[tuple[str, str]]:
    """Payments of the last WAITED_FOR_DAYS whose purchase is still not known: (provider, event), newest first."""
    rows = await pool.fetch(
        """
        SELECT provider, event FROM payment_events
        WHERE outcome = 'unmatched' AND kind = 'paid' AND at > now() - make_interval(days => $1)
        ORDER BY at DESC LIMIT $2
        """,
        WAITED_FOR_DAYS,
        limit,
    )
    return [(row["provider"], row["event"]) for row in rows]


async def take_waiting(conn: Connection, provider: str, event: str) -> dict[str, Any] | None:
    """The detail of an event that is still unmatched, held for the caller's transaction; else None."""
    found = await conn.fetchval(
        "SELECT detail FROM payment_events WHERE provider = $1 AND event = $2 AND outcome = 'unmatched' FOR UPDATE",
        provider,
        event,
    )
    return None if found is None else dict(orjson.loads(found))
