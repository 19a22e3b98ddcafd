"""Corrections by admins: each one that a second person approved is in the ledger once, as it was approved."""

from server.ledger.auditing.finding import find
from server.ledger.auditing.report import Check, Findings
from server.stores.postgres import Connection


async def check_adjustments(conn: Connection) -> Check:
    """Approved corrections are credits of the same coins for the same user; others are none."""
    wrong = Findings("corrections_approved_by_two")
    await find(
        conn,
        wrong,
        """
        SELECT 'adjustment ' || adjustments.id || ' (' || state || ') of ' || adjustments.coins || ' coins for '
               || adjustments.user_id || ': booked ' || coalesce(credits.coins, 0) || ' for '
               || coalesce(credits.user_id, 'nobody')
        FROM adjustments LEFT JOIN credits ON kind = 'correction' AND reference = adjustments.id
        WHERE (state = 'approved') <> (credits.user_id IS NOT NULL)
           OR credits.coins <> adjustments.coins OR credits.user_id <> adjustments.user_id
        """,
    )
    counted: int = await conn.fetchval("SELECT count(*) FROM adjustments WHERE state = 'approved'")
    return wrong.check(f"{counted} corrections")
