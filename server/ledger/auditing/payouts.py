"""Payouts against their postings, the creators' balances against both, and the provider's books against the payouts."""

from server.ledger.auditing.finding import find
from server.ledger.auditing.report import Check, Findings
from server.stores.postgres import Connection


async def check_payouts(conn: Connection) -> Check:
    """Each diamond is in one payout at most, and each payout was ordered once, for its own amount."""
    wrong = Findings("payouts")
    await find(conn, wrong, _POSTINGS)
    await find(conn, wrong, _STRAY_POSTINGS)
    await find(conn, wrong, _BALANCES)
    await find(conn, wrong, _STATES)
    await find(conn, wrong, _SANDBOX)
    counted: int = await conn.fetchval("SELECT count(*) FROM payouts")
    return wrong.check(f"{counted} payouts")


_POSTINGS = """
    SELECT 'payout ' || id || ' (' || state || ', ' || payouts.diamonds || ' diamonds): its postings make '
           || coalesce(booked.available, 0) || '/' || coalesce(booked.held, 0) || '/' || coalesce(booked.paid, 0)
           || ' available/held/paid'
    FROM payouts LEFT JOIN (
        SELECT split_part(reference, ':', 1) AS id,
               sum(amount) FILTER (WHERE accounts.kind = 'diamonds_available') AS available,
               sum(amount) FILTER (WHERE accounts.kind = 'diamonds_held') AS held,
               sum(amount) FILTER (WHERE accounts.kind = 'diamonds_paid') AS paid,
               min(owner) AS owner, max(owner) AS other
        FROM postings JOIN entries ON posting_id = postings.id JOIN accounts ON accounts.id = account_id
        WHERE postings.kind = 'payout' GROUP BY 1
    ) AS booked USING (id)
    WHERE (coalesce(available, 0), coalesce(held, 0), coalesce(paid, 0)) <> (
        CASE WHEN state IN ('requested', 'returned') THEN 0 ELSE -payouts.diamonds END,
        CASE WHEN state IN ('held', 'review', 'sent', 'failed') THEN payouts.diamonds ELSE 0 END,
        CASE WHEN state = 'paid' THEN payouts.diamonds ELSE 0 END
    ) OR owner <> creator_id OR other <> creator_id
"""
"""A payout's diamonds are where its state says, and were always its creator's."""

_STRAY_POSTINGS = """
    SELECT 'posting ' || postings.id || ' is of no payout: ' || reference FROM postings
    WHERE kind = 'payout' AND NOT EXISTS (SELECT FROM payouts WHERE payouts.id = split_part(reference, ':', 1))
"""

_BALANCES = """
    SELECT owner || ': ' || coalesce(has.held, 0) || ' diamonds held, ' || coalesce(has.paid, 0)
           || ' paid; payouts make ' || coalesce(payout.held, 0) || ' and ' || coalesce(payout.paid, 0)
           || ', disputes ' || coalesce(dispute.held, 0) || ', tickets ' || coalesce(ticket.held, 0)
    FROM (
        SELECT owner, sum(balance) FILTER (WHERE kind = 'diamonds_held') AS held,
               sum(balance) FILTER (WHERE kind = 'diamonds_paid') AS paid
        FROM accounts WHERE kind IN ('diamonds_held', 'diamonds_paid') GROUP BY owner
    ) AS has
    FULL JOIN (
        SELECT creator_id AS owner, sum(diamonds) FILTER (WHERE state IN ('held', 'review', 'sent', 'failed')) AS held,
               sum(diamonds) FILTER (WHERE state = 'paid') AS paid
        FROM payouts GROUP BY creator_id
    ) AS payout USING (owner)
    LEFT JOIN (
        SELECT creator_id AS owner, sum(diamonds) AS held FROM holds WHERE state = 'held' GROUP BY creator_id
    ) AS dispute USING (owner)
    LEFT JOIN (
        SELECT creator_id AS owner, sum(diamonds) AS held FROM tickets
        WHERE released_at IS NULL AND returned_at IS NULL GROUP BY creator_id
    ) AS ticket USING (owner)
    WHERE coalesce(has.held, 0) <> coalesce(payout.held, 0) + coalesce(dispute.held, 0) + coalesce(ticket.held, 0)
       OR coalesce(has.paid, 0) <> coalesce(payout.paid, 0)
"""
"""Diamonds are held for three reasons: a payout under way, coins that were taken back, a ticket of a room to come."""

_STATES = """
    SELECT 'payout ' || id || ' is ' || state || ', its events end with ' || coalesce(last.told, 'none')
           || coalesce(', after ' || last.wrong, '')
    FROM payouts LEFT JOIN (
        SELECT payout_id AS id, (array_agg(state ORDER BY number DESC))[1] AS told,
               min(before || ' → ' || state) FILTER (WHERE (before, state) NOT IN (
                   ('requested', 'held'), ('held', 'review'), ('review', 'sent'), ('review', 'failed'),
                   ('sent', 'paid'), ('sent', 'failed'), ('failed', 'returned'), ('paid', 'returned')
               )) AS wrong
        FROM (
            SELECT payout_id, number, state, coalesce(
                       lag(state) OVER (PARTITION BY payout_id ORDER BY number),
                       CASE WHEN state <> 'requested' THEN 'nothing' END
                   ) AS before
            FROM payout_events
        ) AS steps
        GROUP BY payout_id
    ) AS last USING (id)
    WHERE last.told IS DISTINCT FROM state OR last.wrong IS NOT NULL
"""
"""A payout is where its last step led, and took no step that there is not (server/economy/payouts/states.py)."""

_SANDBOX = """
    SELECT coalesce('payout ' || id || ' (' || state || ')', 'no payout') || ' of ' || coalesce(payouts.amount, 0)
           || ' ' || coalesce(payouts.currency, '') || ', the sandbox has ' || coalesce(sent.transfer, 'nothing')
           || ' of ' || coalesce(sent.amount, 0) || ' ' || coalesce(sent.currency, '')
    FROM (SELECT * FROM payouts WHERE provider = 'sandbox') AS payouts
    FULL JOIN sandbox_transfers AS sent ON sent.reference = payouts.id
    WHERE (sent.reference IS NULL AND state IN ('sent', 'paid'))
       OR (sent.reference IS NOT NULL AND (
           payouts.id IS NULL OR sending_at IS NULL
           OR (payouts.amount, payouts.currency) <> (sent.amount, sent.currency)
           OR coalesce(payouts.transfer, sent.transfer) <> sent.transfer
           OR (state IN ('failed', 'returned') AND outcome = 'pays')
           OR (state = 'paid' AND outcome = 'fails')
       ))
"""
"""What the provider took is a payout that was to be sent, and the other way round; both say the same of its end."""
