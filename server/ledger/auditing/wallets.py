"""Coins: what viewers hold in Redis against the ledger, and every coin that was ever issued against where it is."""

from dataclasses import dataclass

from server.ledger.auditing.redis_view import ShardView
from server.ledger.auditing.report import Check, Findings
from server.stores.postgres import Connection

VIEWERS_PER_QUERY = 5_000
QUERY_TIMEOUT_S = 900.0


@dataclass(slots=True)
class CoinSums:
    """Where coins are, as counted wallet by wallet."""

    held: int = 0
    """In Redis, and in the ledger for wallets that are not loaded."""
    unsettled: int = 0
    unapplied: int = 0
    wallets_loaded: int = 0


async def check_wallets(conn: Connection, shards: list[ShardView], negative: Findings) -> tuple[Check, CoinSums]:
    """Compares every wallet in Redis with the ledger's snapshot.

    In Redis = in the ledger - in quarantine - credits on their way - gifts in the log past the cursor.
    """
    wrong = Findings("wallets_match_ledger")
    sums = CoinSums()
    for view in shards:
        viewers = sorted(view.wallets.keys() | set(view.window.viewers_after(view.cursor.number)))
        for start in range(0, len(viewers), VIEWERS_PER_QUERY):
            page = viewers[start : start + VIEWERS_PER_QUERY]
            await _compare(conn, view, page, sums, wrong=wrong, negative=negative)
    rest = await conn.fetchrow(
        """
        SELECT (SELECT coalesce(sum(balance), 0) FROM accounts WHERE kind = 'wallet')::bigint AS wallets,
               (SELECT coalesce(sum(coins), 0) FROM quarantine
                WHERE resolved_at IS NULL AND viewer_id IS NOT NULL)::bigint AS quarantined
        """
    )
    assert rest is not None
    sums.held += rest["wallets"] - rest["quarantined"]  # _compare took the loaded wallets' share out again
    return wrong.check(f"{sums.wallets_loaded} wallets in Redis"), sums


async def _compare(
    conn: Connection, view: ShardView, viewers: list[str], sums: CoinSums, *, wrong: Findings, negative: Findings
) -> None:
    held = [view.wallets.get(viewer) for viewer in viewers]
    rows = await conn.fetch(
        """
        SELECT viewer.id, accounts.balance, accounts.taken_back, users.credit_number,
               coalesce((SELECT sum(coins) FROM quarantine
                         WHERE viewer_id = viewer.id AND resolved_at IS NULL), 0)::bigint AS quarantined,
               coalesce((SELECT sum(coins) FROM credits
                         WHERE user_id = viewer.id AND number > viewer.credit), 0)::bigint AS unapplied
        FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS viewer (id, credit, place)
        LEFT JOIN users ON users.id = viewer.id
        LEFT JOIN accounts ON accounts.owner = viewer.id AND accounts.kind = 'wallet'
        ORDER BY viewer.place
        """,
        viewers,
        [2**62 if wallet is None else wallet.credit for wallet in held],
        timeout=QUERY_TIMEOUT_S,
    )
    for row, wallet in zip(rows, held, strict=True):
        viewer = row["id"]
        if row["balance"] is None:
            wrong.add(f"{viewer}: has no account in the ledger")
            continue
        ledger = row["balance"] - row["quarantined"]
        if wallet is None:
            unsettled = view.window.coins_of(viewer, view.cursor.number, view.window.to)
            if any(view.window.gifts_of(viewer, view.cursor.number, view.looked_to)):
                wrong.add(f"{viewer}: has {unsettled} unsettled coins and no wallet in Redis")
            sums.held -= unsettled
            sums.unsettled += unsettled
            continue
        unsettled = view.window.coins_of(viewer, view.cursor.number, wallet.number)
        wrong.expect(f"{viewer}: coins in Redis", wallet.coins, ledger - row["unapplied"] - unsettled)
        wrong.expect(
            f"{viewer}: pending in Redis", wallet.pending, view.window.coins_of(viewer, wallet.settled, wallet.number)
        )
        if wallet.credit > row["credit_number"]:
            wrong.add(f"{viewer}: Redis applied credit {wallet.credit}, the ledger has {row['credit_number']}")
        if wallet.coins < -row["taken_back"]:
            negative.add(f"{viewer}: {wallet.coins} coins in Redis, {row['taken_back']} were taken back")
        sums.held += wallet.coins - ledger
        sums.unsettled += unsettled
        sums.unapplied += row["unapplied"]
        sums.wallets_loaded += 1


async def coin_totals(conn: Connection, sums: CoinSums) -> tuple[Check, dict[str, int]]:
    """Invariant 1: issued = held + on their way + unsettled + in quarantine + settled."""
    row = await conn.fetchrow(
        """
        SELECT coalesce(-sum(balance) FILTER (WHERE kind = 'coins_purchased'), 0)::bigint AS purchased,
               coalesce(-sum(balance) FILTER (WHERE kind = 'coins_promotional'), 0)::bigint AS promotional,
               coalesce(-sum(balance) FILTER (WHERE kind = 'coins_corrected'), 0)::bigint AS corrected,
               coalesce(sum(balance) FILTER (WHERE kind = 'coins_spent'), 0)::bigint AS settled,
               (SELECT coalesce(sum(coins), 0) FROM credits WHERE kind <> 'return')::bigint AS credited,
               (SELECT coalesce(sum(coins), 0) FROM credits WHERE kind = 'return')::bigint AS returned,
               (SELECT coalesce(sum(coins), 0) FROM gifts)::bigint AS given,
               (SELECT coalesce(sum(coins), 0) FROM quarantine
                WHERE resolved_at IS NULL AND viewer_id IS NOT NULL)::bigint AS quarantined
        FROM accounts
        """,
        timeout=QUERY_TIMEOUT_S,
    )
    assert row is not None
    issued = row["purchased"] + row["promotional"] + row["corrected"]
    wrong = Findings("coins_conserved")
    wrong.expect("coins issued by the accounts against credits", issued, row["credited"])
    wrong.expect("coins spent by the accounts against gifts", row["settled"], row["given"] - row["returned"])
    found = sums.held + sums.unapplied + sums.unsettled + row["quarantined"] + row["settled"]
    wrong.expect("held + on their way + unsettled + in quarantine + settled", found, issued)
    totals = {
        "coins_issued": issued,
        "coins_purchased": row["purchased"],
        "coins_promotional": row["promotional"],
        "coins_corrected": row["corrected"],
        "coins_held": sums.held,
        "coins_unapplied": sums.unapplied,
        "coins_unsettled": sums.unsettled,
        "coins_quarantined": row["quarantined"],
        "coins_settled": row["settled"],
        "coins_returned": row["returned"],
    }
    return wrong.check(f"{issued:,} coins issued, all accounted for"), totals
