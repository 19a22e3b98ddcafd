"""What was added up for creators, against the gifts it was added up from."""

from server.ledger.auditing.finding import find
from server.ledger.auditing.report import Check, Findings
from server.stores.postgres import Connection


async def check_earnings(conn: Connection) -> Check:
    """Sums by hour are those of the settled gifts up to the marks; those by gift and by gifter are the same sums."""
    wrong = Findings("earnings_added_up")
    await find(
        conn,
        wrong,
        """
        SELECT creator_id || ' hour ' || hour || ': ' || coalesce(kept.diamonds, 0) || '/' || coalesce(kept.coins, 0)
               || '/' || coalesce(kept.gifts, 0) || ' diamonds/coins/gifts, its gifts make '
               || coalesce(given.diamonds, 0) || '/' || coalesce(given.coins, 0) || '/' || coalesce(given.gifts, 0)
        FROM earned_hours AS kept FULL JOIN (
            SELECT creator_id, gifts.at_us / 3600000000 AS hour,
                   sum(diamonds) AS diamonds, sum(coins) AS coins, sum(count) AS gifts
            FROM gifts JOIN earning_marks AS mark USING (shard)
            WHERE (gifts.epoch, gifts.number) <= (mark.epoch, mark.number) GROUP BY 1, 2
        ) AS given USING (creator_id, hour)
        WHERE (kept.diamonds, kept.coins, kept.gifts) IS DISTINCT FROM (given.diamonds, given.coins, given.gifts)
        """,
    )
    for table in ("earned_gifts", "earned_gifters"):
        await find(
            conn,
            wrong,
            f"""
            SELECT '{table} of ' || creator_id || ' day ' || day || ': ' || coalesce(kept.diamonds, 0)
                   || ' diamonds, by hour ' || coalesce(hours.diamonds, 0)
            FROM (
                SELECT creator_id, day, sum(diamonds) AS diamonds, sum(coins) AS coins, sum(gifts) AS gifts
                FROM {table} GROUP BY 1, 2
            ) AS kept FULL JOIN (
                SELECT creator_id, hour / 24 AS day, sum(diamonds) AS diamonds, sum(coins) AS coins, sum(gifts) AS gifts
                FROM earned_hours GROUP BY 1, 2
            ) AS hours USING (creator_id, day)
            WHERE (kept.diamonds, kept.coins, kept.gifts) IS DISTINCT FROM (hours.diamonds, hours.coins, hours.gifts)
            """,  # noqa: S608 - one of the two names above
        )
    hours: int = await conn.fetchval("SELECT count(*) FROM earned_hours")
    return wrong.check(f"{hours} hours of creators")
