"""The rows that hold something sealed, to be sealed anew when the server's key changes."""

from collections.abc import Callable
from dataclasses import dataclass

from server.stores.postgres import Pool

PAGE_ROWS = 500


@dataclass(frozen=True, slots=True)
class Column:
    """Where something sealed is kept. fingerprint: a column beside it that follows the key too, or None."""

    table: str
    key: str
    sealed: str
    fingerprint: str | None


STEP_UP_SECRETS = Column("step_up", "user_id", "secret", None)
PAYOUT_DESTINATIONS = Column("payout_methods", "id", "sealed", "fingerprint")


async def replace_all(pool: Pool, column: Column, renew: Callable[[bytes], tuple[bytes, bytes] | None]) -> int:
    """Puts what `renew` makes of it (sealed, fingerprint; None: it stays) in place of each; answers how many changed.

    Whatever somebody else changed meanwhile stays as they left it.
    """
    changed, after = 0, ""
    fingerprint = f", {column.fingerprint} = $4" if column.fingerprint else ""
    while True:
        rows = await pool.fetch(
            f"SELECT {column.key} AS key, {column.sealed} AS sealed FROM {column.table}"  # noqa: S608 - the names above
            f" WHERE {column.key} > $1 ORDER BY 1 LIMIT $2",
            after,
            PAGE_ROWS,
        )
        for row in rows:
            renewed = renew(row["sealed"])
            if renewed is not None:
                status = await pool.execute(
                    f"UPDATE {column.table} SET {column.sealed} = $3{fingerprint}"  # noqa: S608
                    f" WHERE {column.key} = $1 AND {column.sealed} = $2",
                    row["key"],
                    row["sealed"],
                    *(renewed if column.fingerprint else renewed[:1]),
                )
                changed += int(status.rpartition(" ")[2])
        if len(rows) < PAGE_ROWS:
            return changed
        after = rows[-1]["key"]
