"""What providers took back, as facts: refunds, and disputes that a bank opened."""

from dataclasses import dataclass
from typing import Literal

from server.stores.postgres import Connection

Kind = Literal["refund", "chargeback"]
State = Literal["open", "stands", "returned"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a purchase's claims come to. taken: minor units that the provider has at present, of all claims together;
    chargeback: whether a bank is behind any of it.
    """

    taken: int
    chargeback: bool


def share_of(coins: str) -> str:
    """SQL: how many of a row's coins (a column of `purchases`, as `amount` is) go back when `taken` of its amount did.

    As `taking_back.share`: rounded up, which holds only if nothing was rounded before, so the quotient is that of whole
    numbers, of any size.
    """
    return f"least({coins}, div({coins} * taken::numeric + purchases.amount - 1, purchases.amount))::bigint"


async def state_of(conn: Connection, provider: str, claim: str) -> State | None:
    """How a claim stands; None for one that was not heard of."""
    found: State | None = await conn.fetchval(
        "SELECT state FROM claims WHERE provider = $1 AND claim = $2", provider, claim
    )
    return found


async def put(  # noqa: PLR0917
    conn: Connection,
    provider: str,
    claim: str,
    purchase_id: str,
    kind: Kind,
    amount: int,
    state: State,
    final_in_s: float,
) -> None:
    """Writes down how a claim stands now. amount: minor units; stays as it was first said.

    final_in_s: if it stands, when the diamonds of its coins are taken; heard again, the earlier date counts.
    """
    await conn.execute(
        """
        INSERT INTO claims (provider, claim, purchase_id, kind, amount, state, decided_at, final_at)
        VALUES ($1, $2, $3, $4, $5, $6, CASE WHEN $6 = 'open' THEN NULL ELSE now() END,
                CASE WHEN $6 = 'stands' THEN now() + make_interval(secs => $7) END)
        ON CONFLICT (provider, claim) DO UPDATE
        SET state = excluded.state, decided_at = excluded.decided_at,
            final_at = CASE WHEN excluded.state = 'stands' THEN least(claims.final_at, excluded.final_at) END
        """,
        provider,
        claim,
        purchase_id,
        kind,
        amount,
        state,
        final_in_s,
    )


async def standing(conn: Connection, purchase_id: str) -> Standing:
    """What all claims on a purchase come to."""
    row = await conn.fetchrow(
        """
        SELECT coalesce(sum(amount) FILTER (WHERE state <> 'returned'), 0)::bigint AS taken,
               coalesce(bool_or(kind = 'chargeback') FILTER (WHERE state <> 'returned'), false) AS chargeback
        FROM claims WHERE purchase_id = $1
        """,
        purchase_id,
    )
    assert row is not None
    return Standing(row["taken"], row["chargeback"])
