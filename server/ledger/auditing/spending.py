"""Items other than gifts, against the gifts they were paid as; tickets and placements against what was given back."""

from server.ledger.auditing.finding import find
from server.ledger.auditing.report import Check, Findings
from server.ledger.spending.gift_id_text import GIFT_ID
from server.stores.postgres import Connection

_ROWS = {
    "shown": ("'highlight', 'effect', 'sticker'", "made.lasting_s = (effect ->> 'seconds')::bigint * gifts.count"),
    "tickets": ("'ticket'", "(made.room_id, made.diamonds) = (gifts.room_id, gifts.diamonds)"),
    "placements": ("'promote'", "made.impressions = (effect ->> 'impressions')::bigint * gifts.count"),
    "upgrades": ("'upgrade'", "made.item_id = gifts.gift_id"),
}
"""Table → the kinds of items that make a row there, and what that row must say."""

_COINS = {"shown", "tickets", "placements"}
"""Tables that keep what was paid."""


async def checks(conn: Connection) -> list[Check]:
    """All of them."""
    return [await check_items(conn), await check_returns(conn), await check_boards(conn)]


async def check_items(conn: Connection) -> Check:
    """Every settled item did once what it is for, for what was paid; and nothing was done unpaid."""
    wrong = Findings("items_delivered")
    rows = 0
    for table, (kinds, right) in _ROWS.items():
        same_coins = "made.coins = gifts.coins" if table in _COINS else "true"
        await find(
            conn,
            wrong,
            f"""
            SELECT '{table} ' || {GIFT_ID} || ': ' || CASE
                WHEN gifts.shard IS NULL THEN 'without a gift' WHEN made.shard IS NULL THEN 'is missing'
                ELSE 'is not what was paid' END
            FROM (
                SELECT gifts.*, effect FROM gifts JOIN catalogue USING (gift_id, version) WHERE kind IN ({kinds})
            ) AS gifts
            FULL JOIN {table} AS made USING (shard, epoch, number)
            WHERE gifts.shard IS NULL OR made.shard IS NULL
               OR NOT (made.viewer_id = gifts.viewer_id AND {same_coins} AND {right})
            """,  # noqa: S608 - names and conditions from the table above
        )
        rows += await conn.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608
    return wrong.check(f"{rows} items")


async def check_returns(conn: Connection) -> Check:
    """What was returned came back once, coins to the buyer and diamonds from the creator; the rest is still held."""
    wrong = Findings("returns_booked_once")
    await find(
        conn,
        wrong,
        f"""
        SELECT coalesce(returned.reference, credits.reference) || ': ' || coalesce(credits.coins, 0)
               || ' coins came back, ' || coalesce(returned.coins, 0) || ' were to'
        FROM (
            SELECT 'ticket:' || {GIFT_ID} AS reference, viewer_id AS user_id, coins FROM tickets
            WHERE returned_at IS NOT NULL
            UNION ALL
            SELECT 'placement:' || {GIFT_ID}, viewer_id, returned_coins FROM placements WHERE returned_coins > 0
        ) AS returned
        FULL JOIN (
            SELECT reference, user_id, coins FROM credits
            WHERE kind = 'return' AND (reference LIKE 'ticket:%' OR reference LIKE 'placement:%')
        ) AS credits USING (reference, user_id)
        WHERE returned.coins IS DISTINCT FROM credits.coins
        """,  # noqa: S608 - the one expression above
    )
    await find(
        conn,
        wrong,
        f"""
        SELECT coalesce(returned.reference, posted.reference) || ': ' || coalesce(posted.diamonds, 0)
               || ' diamonds were taken back of ' || coalesce(returned.diamonds, 0)
        FROM (
            SELECT 'ticket:' || {GIFT_ID} AS reference, diamonds FROM tickets
            WHERE returned_at IS NOT NULL AND diamonds > 0
        ) AS returned
        FULL JOIN (
            SELECT reference, sum(amount) AS diamonds
            FROM postings JOIN entries ON posting_id = postings.id JOIN accounts ON accounts.id = account_id
            WHERE postings.kind = 'reversal' AND reference LIKE 'ticket:%' AND accounts.kind = 'diamonds_issued'
            GROUP BY reference
        ) AS posted USING (reference)
        WHERE returned.diamonds IS DISTINCT FROM posted.diamonds
        """,  # noqa: S608 - the one expression above
    )
    await find(
        conn,
        wrong,
        """
        SELECT creator_id || ': ' || coalesce(balance, 0) || ' diamonds held, tickets that may come back make '
               || open.diamonds
        FROM (
            SELECT creator_id, sum(diamonds) AS diamonds FROM tickets
            WHERE released_at IS NULL AND returned_at IS NULL GROUP BY creator_id
        ) AS open
        LEFT JOIN accounts ON owner = creator_id AND kind = 'diamonds_held'
        WHERE coalesce(balance, 0) < open.diamonds
        """,
    )
    await find(
        conn,
        wrong,
        """
        SELECT 'room ' || id || ': cancelled, and tickets of it were released' FROM rooms
        WHERE cancelled AND EXISTS (SELECT FROM tickets WHERE room_id = id AND released_at IS NOT NULL)
        """,
    )
    tickets: int = await conn.fetchval("SELECT count(*) FROM tickets WHERE returned_at IS NOT NULL")
    return wrong.check(f"{tickets} tickets returned")


async def check_boards(conn: Connection) -> Check:
    """Boards and levels are the sums over the gifts up to the marks."""
    wrong = Findings("boards_added_up")
    await find(
        conn,
        wrong,
        """
        WITH given AS (
            SELECT board, at::date AS day, user_id, sum(amount) AS amount
            FROM gifts JOIN catalogue USING (gift_id, version) JOIN earning_marks AS mark USING (shard),
            LATERAL (VALUES ('creators', creator_id, gifts.diamonds), ('gifters', viewer_id, gifts.coins))
                AS got (board, user_id, amount),
            LATERAL (SELECT to_timestamp(gifts.at_us / 1000000) AT TIME ZONE 'UTC' AS at) AS moment
            WHERE (gifts.epoch, gifts.number) <= (mark.epoch, mark.number) AND room_id <> '' AND kind <> 'ticket'
              AND amount > 0
            GROUP BY 1, 2, 3
        ), summed AS (
            SELECT board, period, starts, user_id, sum(amount) AS amount FROM given,
            LATERAL (VALUES
                ('day', day), ('week', date_trunc('week', day)::date), ('month', date_trunc('month', day)::date)
            ) AS span (period, starts)
            GROUP BY 1, 2, 3, 4
        )
        SELECT board || ' of the ' || period || ' ' || starts || ', ' || user_id || ': ' || coalesce(kept.amount, 0)
               || ', the gifts make ' || coalesce(summed.amount, 0)
        FROM board_totals AS kept FULL JOIN summed USING (board, period, starts, user_id)
        WHERE kept.amount IS DISTINCT FROM summed.amount
        """,
    )
    await find(
        conn,
        wrong,
        """
        SELECT viewer_id || ': level at ' || coalesce(kept.coins, 0) || ' coins, spent ' || coalesce(spent.coins, 0)
        FROM gifters AS kept FULL JOIN (
            SELECT viewer_id, sum(gifts.coins) AS coins
            FROM gifts JOIN catalogue USING (gift_id, version) JOIN earning_marks AS mark USING (shard)
            WHERE (gifts.epoch, gifts.number) <= (mark.epoch, mark.number) AND kind NOT IN ('ticket', 'promote')
            GROUP BY viewer_id
        ) AS spent USING (viewer_id)
        WHERE kept.coins IS DISTINCT FROM spent.coins
        """,
    )
    places: int = await conn.fetchval("SELECT count(*) FROM board_totals")
    return wrong.check(f"{places} places")
