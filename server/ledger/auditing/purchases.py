"""Coins for money: what providers said, what was credited, what was taken back, and the diamonds held for that."""

from server.ledger.auditing.finding import find
from server.ledger.auditing.report import Check, Findings
from server.ledger.recharge.claims import share_of
from server.stores.postgres import Connection

_CREDITED = "('credited', 'refunded', 'charged_back')"


async def check_purchases(conn: Connection) -> Check:
    """Each purchase was credited once if its provider said that it was paid, and else not at all."""
    wrong = Findings("purchases_credited_once")
    await find(
        conn,
        wrong,
        f"""
        SELECT 'purchase ' || id || ' is ' || status || ' for ' || purchases.coins || ' coins, credited were '
               || coalesce(booked.coins, 0)
        FROM purchases LEFT JOIN credits AS booked ON booked.kind = 'purchase' AND reference = id
        WHERE coalesce(booked.coins, 0) <> CASE WHEN status IN {_CREDITED} THEN purchases.coins ELSE 0 END
           OR booked.user_id <> purchases.user_id
        """,  # noqa: S608 - of our own
    )
    await find(
        conn,
        wrong,
        f"""
        SELECT 'purchase ' || id || ' is ' || status || ', and its provider never said that it was paid'
        FROM purchases
        WHERE (status IN {_CREDITED} OR status = 'paid') AND NOT EXISTS (
            SELECT FROM payment_events
            WHERE purchase_id = id AND outcome = 'applied' AND kind NOT IN ('pending', 'declined', 'expired')
        )
        """,  # noqa: S608
    )
    await find(
        conn,
        wrong,
        """
        SELECT 'purchase ' || id || ' is ' || status || ', and was paid by ' || kind || ' ' || event
        FROM payment_events JOIN purchases ON id = purchase_id
        WHERE outcome = 'applied' AND kind NOT IN ('pending', 'declined', 'expired')
          AND status IN ('created', 'pending', 'declined', 'expired')
        """,
    )
    await find(
        conn,
        wrong,
        f"""
        SELECT 'purchase ' || id || ' is ' || status || ', in the books of the sandbox it is ' || state
        FROM purchases JOIN sandbox_payments ON purchase_id = id
        WHERE status IN {_CREDITED} AND state IN ('open', 'declined', 'expired')
           OR (purchases.amount, purchases.currency) <> (sandbox_payments.amount, sandbox_payments.currency)
        """,  # noqa: S608
    )
    purchases: int = await conn.fetchval("SELECT count(*) FROM purchases")
    return wrong.check(f"{purchases} purchases")


async def check_taken_back(conn: Connection) -> Check:
    """As much is taken back of each purchase as its claims ask for, and as its credits say."""
    wrong = Findings("refunds_follow_claims")
    await find(
        conn,
        wrong,
        f"""
        SELECT 'purchase ' || id || ': ' || coins_back || ' and ' || bonus_back || ' coins are back, its claims make '
               || wanted.coins || ' and ' || wanted.bonus
        FROM purchases CROSS JOIN LATERAL (
            SELECT coalesce(sum(claims.amount), 0) AS taken FROM claims
            WHERE claims.purchase_id = purchases.id AND state <> 'returned'
        ) AS claimed
        CROSS JOIN LATERAL (
            SELECT {share_of("purchases.coins")} AS coins, {share_of("bonus_coins")} AS bonus
        ) AS wanted
        WHERE (coins_back, bonus_back) <> (wanted.coins, wanted.bonus)
        """,  # noqa: S608
    )
    await find(
        conn,
        wrong,
        """
        SELECT 'purchase ' || id || ': ' || coins_back || ' and ' || bonus_back || ' coins are back, booked were '
               || coalesce(booked.coins, 0) || ' and ' || coalesce(booked.bonus, 0)
        FROM purchases LEFT JOIN (
            SELECT purchase_id, -sum(coins) FILTER (WHERE NOT bonus) AS coins, -sum(coins) FILTER (WHERE bonus) AS bonus
            FROM (
                SELECT CASE WHEN bonus THEN split_part(reference, ':', 2) ELSE split_part(reference, ':', 1) END
                           AS purchase_id, bonus, coins
                FROM (SELECT *, reference LIKE 'bonus:%' AS bonus FROM credits) AS credits
                WHERE (kind, bonus) IN (('refund', false), ('forfeit', true))
                   OR (kind, bonus) IN (('purchase', false)) AND reference LIKE '%:%'
                   OR (kind, bonus) IN (('promotion', true)) AND reference LIKE 'bonus:%:%'
            ) AS named GROUP BY purchase_id
        ) AS booked ON purchase_id = id
        WHERE (coins_back, bonus_back) <> (coalesce(booked.coins, 0), coalesce(booked.bonus, 0))
        """,
    )
    claims: int = await conn.fetchval("SELECT count(*) FROM claims")
    return wrong.check(f"{claims} claims")


async def check_holds(conn: Connection) -> Check:
    """What is held of each creator for refunds is what the postings moved, and no gift is held beyond its price."""
    wrong = Findings("holds_match_postings")
    await find(
        conn,
        wrong,
        """
        SELECT 'creator ' || creator || ': ' || coalesce(held.diamonds, 0) || ' diamonds are held for refunds, posted '
               || coalesce(posted.diamonds, 0)
        FROM (
            SELECT creator_id AS creator, sum(diamonds) AS diamonds FROM holds WHERE state = 'held' GROUP BY creator_id
        ) AS held FULL JOIN (
            SELECT owner AS creator, sum(amount) AS diamonds
            FROM postings JOIN entries ON posting_id = postings.id JOIN accounts ON accounts.id = account_id
            WHERE postings.kind IN ('hold', 'reversal') AND postings.reference LIKE 'refund:%'
              AND accounts.kind = 'diamonds_held' GROUP BY owner
        ) AS posted USING (creator)
        WHERE coalesce(held.diamonds, 0) <> coalesce(posted.diamonds, 0)
        """,
    )
    await find(
        conn,
        wrong,
        """
        SELECT 'gift ' || number || ' of ' || viewer_id || ': ' || held.coins || ' coins and ' || held.diamonds
               || ' diamonds are held of ' || coalesce(gifts.coins, 0) || ' and ' || coalesce(gifts.diamonds, 0)
        FROM (
            SELECT viewer_id, shard, epoch, number, sum(coins) AS coins, sum(diamonds) AS diamonds
            FROM holds WHERE state <> 'released' GROUP BY viewer_id, shard, epoch, number
        ) AS held LEFT JOIN gifts USING (viewer_id, shard, epoch, number)
        WHERE held.coins > coalesce(gifts.coins, 0) OR held.diamonds > coalesce(gifts.diamonds, 0)
        """,
    )
    await find(
        conn,
        wrong,
        """
        SELECT 'purchase ' || purchase_id || ': gifts of ' || held.coins || ' coins are held, taken back were '
               || coins_back + bonus_back
        FROM (SELECT purchase_id, sum(coins) AS coins FROM holds WHERE state = 'held' GROUP BY purchase_id) AS held
        JOIN purchases ON id = purchase_id WHERE held.coins > coins_back + bonus_back
        """,
    )
    await find(
        conn,
        wrong,
        f"""
        SELECT 'purchase ' || purchase_id || ': the diamonds of ' || held.coins || ' coins were taken back for good, '
               || 'its claims that are final make ' || wanted.coins
        FROM (
            SELECT purchase_id, sum(coins) AS coins FROM holds WHERE state = 'reversed' GROUP BY purchase_id
        ) AS held JOIN purchases ON id = purchase_id
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(claims.amount), 0) AS taken FROM claims
            WHERE claims.purchase_id = purchases.id AND final_at <= now()
        ) AS gone
        CROSS JOIN LATERAL (
            SELECT {share_of("purchases.coins")} + {share_of("bonus_coins")} AS coins
        ) AS wanted
        WHERE held.coins > wanted.coins
        """,  # noqa: S608
    )
    holds: int = await conn.fetchval("SELECT count(*) FROM holds WHERE state = 'held'")
    return wrong.check(f"{holds} gifts held")


async def purchase_totals(conn: Connection) -> dict[str, int]:
    """Purchases, what of them is taken back, and diamonds that were taken back from creators."""
    row = await conn.fetchrow(
        """
        SELECT (SELECT count(*) FROM purchases) AS purchases,
               (SELECT coalesce(sum(coins_back + bonus_back), 0) FROM purchases)::bigint AS coins_taken_back,
               (SELECT coalesce(-sum(balance), 0) FROM accounts WHERE kind = 'wallet' AND balance < 0)::bigint
                   AS coins_owed,
               (SELECT coalesce(sum(diamonds), 0) FROM holds WHERE state = 'held')::bigint AS diamonds_held_for_refunds,
               (SELECT count(*) FROM payment_events WHERE outcome <> 'applied') AS payment_events_open
        """
    )
    assert row is not None
    return dict(row.items())
