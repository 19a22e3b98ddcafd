"""The books of the provider that moves no money."""

from dataclasses import dataclass
from datetime import datetime

from server.stores.postgres import Pool


@dataclass(frozen=True, slots=True)
class Kept:
    """A transfer as the sandbox keeps it. arrives_days: business days after its acceptance."""

    reference: str
    transfer: str
    kind: str
    masked: str
    amount: int
    currency: str
    outcome: str
    arrives_days: int
    accepted_at: datetime


_COLUMNS = "reference, transfer, kind, masked, amount, currency, outcome, arrives_days, accepted_at"


async def accept(pool: Pool, wanted: Kept) -> tuple[Kept, bool]:
    """Keeps a transfer unless one of its reference is there; answers what is kept, and whether it is new."""
    status = await pool.execute(
        f"INSERT INTO sandbox_transfers ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"  # noqa: S608
        " ON CONFLICT (reference) DO NOTHING",
        wanted.reference,
        wanted.transfer,
        wanted.kind,
        wanted.masked,
        wanted.amount,
        wanted.currency,
        wanted.outcome,
        wanted.arrives_days,
        wanted.accepted_at,
    )
    kept = await find(pool, wanted.reference)
    assert kept is not None, "transfers are never removed"
    return kept, status.endswith(" 1")


async def find(pool: Pool, reference: str) -> Kept | None:
    """The transfer of a reference."""
    row = await pool.fetchrow(f"SELECT {_COLUMNS} FROM sandbox_transfers WHERE reference = $1", reference)  # noqa: S608
    return None if row is None else Kept(*row.values())
