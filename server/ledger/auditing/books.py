"""The ledger by itself, in one snapshot: entries, balances, numbers, creators, rooms."""

from server.ledger.auditing.finding import QUERY_TIMEOUT_S, find
from server.ledger.auditing.report import Check, Findings
from server.ledger.shards import Cursor
from server.stores.postgres import Connection


async def check_balances(conn: Connection, negative: Findings) -> Check:
    """Invariant 2, the ledger's part: nothing is negative but contra accounts, and wallets by what was taken back."""
    await find(
        conn,
        negative,
        """
        SELECT owner || ' ' || kind || ': ' || balance FROM accounts
        WHERE balance < -taken_back
          AND kind NOT IN ('coins_purchased', 'coins_promotional', 'coins_corrected', 'diamonds_issued')
        """,
    )
    await find(
        conn,
        negative,
        """
        SELECT owner || ': ' || taken_back || ' coins are noted as taken back, its credits make '
               || coalesce(credits.coins, 0)
        FROM accounts LEFT JOIN (
            SELECT user_id, -sum(coins) AS coins FROM credits WHERE coins < 0 GROUP BY user_id
        ) AS credits ON user_id = owner
        WHERE kind = 'wallet' AND taken_back <> coalesce(credits.coins, 0)
        """,
    )
    accounts: int = await conn.fetchval("SELECT count(*) FROM accounts")
    return negative.check(f"{accounts} accounts")


async def check_entries(conn: Connection) -> Check:
    """Invariant 4: postings sum to zero, balances are their entries replayed, settled gifts are what was posted."""
    wrong = Findings("double_entry")
    await find(
        conn,
        wrong,
        """
        SELECT 'posting ' || posting_id || ' sums to ' || sum(amount) || ' ' || currency
        FROM entries GROUP BY posting_id, currency HAVING sum(amount) <> 0
        """,
    )
    await find(
        conn,
        wrong,
        """
        SELECT coalesce(owner || ' ' || kind, 'no account ' || replay.account_id)
               || ': balance ' || coalesce(balance, 0) || ', its entries make ' || coalesce(replay.amount, 0)
        FROM accounts FULL JOIN (
            SELECT account_id, currency, sum(amount) AS amount FROM entries GROUP BY account_id, currency
        ) AS replay ON replay.account_id = accounts.id AND replay.currency = accounts.currency
        WHERE coalesce(balance, 0) <> coalesce(replay.amount, 0)
        """,
    )
    await find(
        conn,
        wrong,
        """
        SELECT viewer || ': gave ' || coalesce(given.coins, 0) || ' coins, was charged ' || coalesce(charged.coins, 0)
        FROM (SELECT viewer_id AS viewer, sum(coins) AS coins FROM gifts GROUP BY viewer_id) AS given
        FULL JOIN (
            SELECT owner AS viewer, -sum(amount) AS coins
            FROM entries JOIN postings ON postings.id = posting_id JOIN accounts ON accounts.id = account_id
            WHERE postings.kind = 'settlement' AND accounts.kind = 'wallet' GROUP BY owner
        ) AS charged USING (viewer)
        WHERE coalesce(given.coins, 0) <> coalesce(charged.coins, 0)
        """,
    )
    await find(
        conn,
        wrong,
        """
        SELECT 'credit ' || user_id || ' ' || number || ': posted ' || coalesce(posted.coins, 0)
               || ' of ' || credits.coins
        FROM credits LEFT JOIN (
            SELECT user_id, credit_number AS number, sum(amount) AS coins
            FROM postings JOIN entries ON posting_id = postings.id JOIN accounts ON accounts.id = account_id
            WHERE postings.kind = 'credit' AND accounts.kind = 'wallet' AND owner = user_id
            GROUP BY user_id, credit_number
        ) AS posted USING (user_id, number)
        WHERE credits.coins <> coalesce(posted.coins, 0)
        """,
    )
    entries: int = await conn.fetchval("SELECT count(*) FROM entries")
    return wrong.check(f"{entries} entries")


async def check_creators(conn: Connection) -> Check:
    """Invariants 4 and 7: available + held + paid = earned - reversed, for each creator.

    Earned are the diamonds of settled gifts; what was reversed is what postings of that kind took back.
    """
    wrong = Findings("creators_diamonds")
    await find(
        conn,
        wrong,
        """
        SELECT creator || ': ' || coalesce(has.diamonds, 0) || ' available, held and paid, earned '
               || coalesce(earned.diamonds, 0) || ', reversed ' || coalesce(reversed.diamonds, 0)
        FROM (
            SELECT owner AS creator, sum(balance) AS diamonds FROM accounts
            WHERE kind IN ('diamonds_available', 'diamonds_held', 'diamonds_paid') GROUP BY owner
        ) AS has
        FULL JOIN (SELECT creator_id AS creator, sum(diamonds) AS diamonds FROM gifts GROUP BY creator_id) AS earned
            USING (creator)
        FULL JOIN (
            SELECT owner AS creator, -sum(amount) AS diamonds
            FROM postings JOIN entries ON posting_id = postings.id JOIN accounts ON accounts.id = account_id
            WHERE postings.kind = 'reversal'
              AND accounts.kind IN ('diamonds_available', 'diamonds_held', 'diamonds_paid') GROUP BY owner
        ) AS reversed USING (creator)
        WHERE coalesce(has.diamonds, 0) <> coalesce(earned.diamonds, 0) - coalesce(reversed.diamonds, 0)
        """,
    )
    creators: int = await conn.fetchval("SELECT count(*) FROM accounts WHERE kind = 'diamonds_available'")
    return wrong.check(f"{creators} creators")


async def check_settled_once(conn: Connection, dedupe_s: int) -> Check:
    """Invariant 3: no number is in the ledger twice, none past its cursor, and no request was charged twice."""
    wrong = Findings("gifts_settled_once")
    await find(
        conn,
        wrong,
        """
        SELECT 'shard ' || shard || ' number ' || epoch || '-' || number || ' is there ' || count(*) || ' times'
        FROM (SELECT shard, epoch, number FROM gifts UNION ALL SELECT shard, epoch, number FROM quarantine) AS settled
        GROUP BY shard, epoch, number HAVING count(*) > 1
        """,
    )
    await find(
        conn,
        wrong,
        """
        SELECT 'shard ' || shard || ' number ' || settled.epoch || '-' || settled.number || ' is past the cursor '
               || shards.epoch || '-' || shards.number
        FROM (SELECT shard, epoch, number FROM gifts UNION ALL SELECT shard, epoch, number FROM quarantine) AS settled
        JOIN shards USING (shard)
        WHERE (settled.epoch, settled.number) > (shards.epoch, shards.number)
        """,
    )
    await find(
        conn,
        wrong,
        """
        SELECT viewer_id || ': request ' || request_id || ' was charged again after ' || after_us / 1000 || ' ms'
        FROM (
            SELECT viewer_id, request_id,
                   at_us - lag(at_us) OVER (PARTITION BY viewer_id, request_id ORDER BY at_us) AS after_us
            FROM gifts
            JOIN (
                SELECT viewer_id, request_id FROM gifts GROUP BY viewer_id, request_id HAVING count(*) > 1
            ) AS repeated USING (viewer_id, request_id)
        ) AS again WHERE after_us < $1
        """,
        dedupe_s * 1_000_000,
    )
    gifts: int = await conn.fetchval("SELECT count(*) FROM gifts")
    return wrong.check(f"{gifts} settled gifts")


async def check_numbers(conn: Connection, cursors: dict[int, Cursor], gaps: Findings) -> Check:
    """Invariant 5, the ledger's part: an epoch's numbers run from 1 without a gap, up to the cursor."""
    rows = await conn.fetch(
        """
        SELECT shard, epoch, count(*) AS numbers, min(number) AS first, max(number) AS last
        FROM (SELECT shard, epoch, number FROM gifts UNION SELECT shard, epoch, number FROM quarantine) AS settled
        GROUP BY shard, epoch
        """,
        timeout=QUERY_TIMEOUT_S,
    )
    last = {(row["shard"], row["epoch"]): row["last"] for row in rows}
    for row in rows:
        if (row["first"], row["last"]) != (1, row["numbers"]):
            place = f"shard {row['shard']} epoch {row['epoch']}"
            gaps.add(f"{place}: {row['numbers']} numbers from {row['first']} to {row['last']}")
    for shard, cursor in cursors.items():
        gaps.expect(f"shard {shard}: cursor", cursor.number, last.get((shard, cursor.epoch), 0))
    return gaps.check(f"{len(cursors)} shards, {len(rows)} epochs with gifts")


async def check_room_rows(conn: Connection, wrong: Findings) -> None:
    """Invariant 6, the ledger's part: totals and gifters of a room are the sums of its settled gifts."""
    await find(
        conn,
        wrong,
        """
        SELECT 'room ' || id || ': ' || coalesce(rooms.coins, 0) || '/' || coalesce(rooms.diamonds, 0) || '/'
               || coalesce(rooms.gifts, 0) || ' coins/diamonds/gifts, its gifts make '
               || coalesce(given.coins, 0) || '/' || coalesce(given.diamonds, 0) || '/' || coalesce(given.gifts, 0)
        FROM rooms FULL JOIN (
            SELECT room_id AS id, sum(coins) AS coins, sum(diamonds) AS diamonds, sum(count) AS gifts
            FROM gifts WHERE room_id <> '' GROUP BY room_id
        ) AS given USING (id)
        WHERE (rooms.coins, rooms.diamonds, rooms.gifts) IS DISTINCT FROM
              (coalesce(given.coins, 0), coalesce(given.diamonds, 0), coalesce(given.gifts, 0))
        """,
    )
    await find(
        conn,
        wrong,
        """
        SELECT 'room ' || room_id || ' gifter ' || viewer_id || ': ' || coalesce(room_gifters.coins, 0)
               || ' coins, gave ' || coalesce(given.coins, 0)
        FROM room_gifters FULL JOIN (
            SELECT room_id, viewer_id, sum(coins) AS coins, sum(count) AS gifts FROM gifts WHERE room_id <> ''
            GROUP BY room_id, viewer_id
        ) AS given USING (room_id, viewer_id)
        WHERE (room_gifters.coins, room_gifters.gifts) IS DISTINCT FROM (given.coins, given.gifts)
        """,
    )


async def other_totals(conn: Connection) -> dict[str, int]:
    """Diamonds and gifts."""
    row = await conn.fetchrow(
        """
        SELECT coalesce(-sum(balance) FILTER (WHERE kind = 'diamonds_issued'), 0)::bigint AS diamonds_earned,
               coalesce(sum(balance) FILTER (WHERE kind = 'diamonds_available'), 0)::bigint AS diamonds_available,
               coalesce(sum(balance) FILTER (WHERE kind = 'diamonds_held'), 0)::bigint AS diamonds_held,
               coalesce(sum(balance) FILTER (WHERE kind = 'diamonds_paid'), 0)::bigint AS diamonds_paid,
               (SELECT count(*) FROM gifts) AS gifts_settled,
               (SELECT count(*) FROM quarantine WHERE resolved_at IS NULL) AS gifts_quarantined
        FROM accounts
        """,
        timeout=QUERY_TIMEOUT_S,
    )
    assert row is not None
    return dict(row.items())
