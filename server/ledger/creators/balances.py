"""A creator's diamonds: on which account they are, and how many of them can be paid out."""

from dataclasses import dataclass

from server.ledger.accounts import CREATOR_KINDS, AccountId, open_account
from server.stores.postgres import Connection


@dataclass(frozen=True, slots=True)
class Balances:
    """A creator's diamonds. held: reserved for payouts under way, or held back because the coins are disputed.

    accounts: the creator's own, by kind.
    """

    available: int
    held: int
    paid: int
    accounts: dict[str, AccountId]


async def balances(conn: Connection, creator_id: str, *, lock: bool = False) -> Balances:
    """A creator's balances; with lock nobody else moves them before the transaction ends.

    Somebody who never earned gets accounts if they are to be locked.
    """
    if lock:
        await open_account(conn, creator_id, CREATOR_KINDS)
    rows = await conn.fetch(_BALANCES + (" FOR NO KEY UPDATE" if lock else ""), creator_id, list(CREATOR_KINDS))
    held = {row["kind"]: row["balance"] for row in rows}
    return Balances(
        available=held.get("diamonds_available", 0),
        held=held.get("diamonds_held", 0),
        paid=held.get("diamonds_paid", 0),
        accounts={row["kind"]: AccountId(row["id"]) for row in rows},
    )


_BALANCES = "SELECT id, kind, balance FROM accounts WHERE owner = $1 AND kind = ANY($2::text[]) ORDER BY id"


async def unripe(conn: Connection, creator_id: str, hold_days: int) -> int:
    """Diamonds of gifts that are not known to be hold_days old, to the full hour.

    It is all that was settled less what was added up of old enough hours: what is not added up yet counts as young.
    Read it after the balances were locked: it then has at least what they have.
    """
    young: int = await conn.fetchval(
        """
        SELECT greatest(0, (SELECT coalesce(sum(diamonds), 0) FROM rooms WHERE creator_id = $1) - (
            SELECT coalesce(sum(diamonds), 0) FROM earned_hours
            WHERE creator_id = $1 AND hour < extract(epoch FROM now() - make_interval(days => $2))::bigint / 3600
        ))::bigint
        """,
        creator_id,
        hold_days,
    )
    return young
