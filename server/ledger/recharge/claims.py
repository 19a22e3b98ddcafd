"""What providers took back, as facts: refunds, and disputes that a bank opened."""

from dataclasses import dataclass
from typing import Literal

from server.stores.postgres import Connection

Kind = Literal["refund", "chargeback"]
State = Literal["open", "stands", "returned"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a purchase's claims come to. taken: minor units that the provider has at present, of all claims together;
    gone: of these, what is not disputed any more.

    chargeback: whether a bank is behind any of it. final: whether some of it is gone for good: `chargeback` when a
    dispute was lost, else `refund`; None while all of it is still disputed.
    """

    taken: int
    gone: int
    chargeback: bool
    final: Kind | None


async def state_of(conn: Connection, provider: str, claim: str) -> State | None:
    """How a claim stands; None for one that was not heard of."""
    found: State | None = await conn.fetchval(
        "SELECT state FROM claims WHERE provider = $1 AND claim = $2", provider, claim
    )
    return found


async def put(  # noqa: PLR0917
    conn: Connection, provider: str, claim: str, purchase_id: str, kind: Kind, amount: int, state: State
) -> None:
    """Writes down how a claim stands now. amount: minor units; stays as it was first said."""
    await conn.execute(
        """
        INSERT INTO claims (provider, claim, purchase_id, kind, amount, state, decided_at)
        VALUES ($1, $2, $3, $4, $5, $6, CASE WHEN $6 = 'open' THEN NULL ELSE now() END)
        ON CONFLICT (provider, claim) DO UPDATE SET state = excluded.state, decided_at = excluded.decided_at
        """,
        provider,
        claim,
        purchase_id,
        kind,
        amount,
        state,
    )


async def standing(conn: Connection, purchase_id: str) -> Standing:
    """What all claims on a purchase come to."""
    row = await conn.fetchrow(
        """
        SELECT coalesce(sum(amount) FILTER (WHERE state <> 'returned'), 0)::bigint AS taken,
               coalesce(sum(amount) FILTER (WHERE state = 'stands'), 0)::bigint AS gone,
               coalesce(bool_or(kind = 'chargeback') FILTER (WHERE state <> 'returned'), false) AS chargeback,
               min(kind) FILTER (WHERE state = 'stands') AS final  -- 'chargeback' before 'refund'
        FROM claims WHERE purchase_id = $1
        """,
        purchase_id,
    )
    assert row is not None
    return Standing(row["taken"], row["gone"], row["chargeback"], row["final"])
