"""What a check of the ledger does: a query that answers one line of text for each thing that is wrong."""

from server.ledger.auditing.report import EXAMPLES_MAX, Findings
from server.stores.postgres import Connection

QUERY_TIMEOUT_S = 900.0


async def find(conn: Connection, findings: Findings, query: str, *arguments: int) -> None:
    """Adds what a query of one text column answers; counts all of it, fetches a few."""
    rows = await conn.fetch(
        f"WITH found (what) AS ({query}) SELECT what, count(*) OVER () AS total FROM found LIMIT {EXAMPLES_MAX}",  # noqa: S608
        *arguments,
        timeout=QUERY_TIMEOUT_S,
    )
    for row in rows:
        findings.add(row["what"])
    if rows:
        findings.count += rows[0]["total"] - len(rows)
