"""Coins that were given: each reward has its one credit, each claim its reward, and no budget was overdrawn."""

from server.ledger.auditing.finding import QUERY_TIMEOUT_S, find
from server.ledger.auditing.report import Check, Findings
from server.ledger.earning.challenges import live
from server.ledger.earning.progress import amounts_by_user
from server.stores.postgres import Connection


async def check_rewards(conn: Connection) -> list[Check]:
    """The promises of earning."""
    return [await _credited(conn), await _claimed(conn), await _budgets(conn), await _progress(conn)]


async def _credited(conn: Connection) -> Check:
    """Each reward has one promotional credit of its amount for its user, and no such credit is without a reward."""
    wrong = Findings("rewards_credited_once")
    await find(
        conn,
        wrong,
        """
        SELECT 'reward ' || coalesce(given.reference, credit.reference) || ': ' || coalesce(given.user_id, 'nobody')
               || ' was given ' || coalesce(given.coins, 0) || ', credited are ' || coalesce(credit.coins, 0)
               || ' to ' || coalesce(credit.user_id, 'nobody')
        FROM (SELECT source || ':' || reference AS reference, user_id, coins FROM rewards) AS given
        FULL JOIN (
            SELECT reference, user_id, coins FROM credits
            WHERE kind = 'promotion'
              AND split_part(reference, ':', 1) IN ('bonus', 'referral', 'challenge', 'contest', 'event', 'rewarded')
              AND strpos(reference, ':') > 0 AND reference NOT LIKE 'bonus:%:%'  -- given back after a dispute
        ) AS credit USING (reference)
        WHERE (given.user_id, given.coins) IS DISTINCT FROM (credit.user_id, credit.coins)
        """,
    )
    rewards: int = await conn.fetchval("SELECT count(*) FROM rewards")
    return wrong.check(f"{rewards} rewards")


async def _claimed(conn: Connection) -> Check:
    """Whatever is noted as rewarded is a reward of its amount, and nothing else is."""
    wrong = Findings("rewards_earned")
    await find(
        conn,
        wrong,
        """
        SELECT coalesce(claim.source, given.source) || ' ' || coalesce(claim.reference, given.reference)
               || ': earned ' || coalesce(claim.coins, 0) || ', given ' || coalesce(given.coins, 0)
        FROM (
            SELECT 'bonus' AS source, purchase_id AS reference, user_id, coins FROM deals
            WHERE state = 'granted' AND kind = 'bonus'
            UNION ALL
            SELECT 'contest', challenge_id || ':' || place, user_id, coins FROM contest_places WHERE paid
            UNION ALL
            SELECT terms.kind, challenge_id || ':' || user_id, user_id, reward_coins
            FROM challenge_progress
            JOIN (SELECT DISTINCT ON (id) * FROM challenges ORDER BY id, version DESC) AS terms ON id = challenge_id
            WHERE outcome = 'rewarded'
            UNION ALL
            SELECT 'rewarded', provider || ':' || transaction, user_id, coins FROM rewarded_reports
            WHERE outcome = 'rewarded'
        ) AS claim
        FULL JOIN (SELECT * FROM rewards WHERE source <> 'referral') AS given USING (source, reference)
        WHERE (claim.user_id, claim.coins) IS DISTINCT FROM (given.user_id, given.coins)
        """,
    )
    # What a referral is worth is a setting, which may have been another one then.
    await find(
        conn,
        wrong,
        """
        SELECT 'referral ' || reference || ': to ' || coalesce(claim.user_id, 'nobody') || ', given to '
               || coalesce(given.user_id, 'nobody')
        FROM (
            SELECT invited_id || ':invited' AS reference, invited_id AS user_id FROM referrals
            WHERE invited_reward = 'given'
            UNION ALL
            SELECT invited_id || ':inviter', inviter_id FROM referrals WHERE inviter_reward = 'given'
        ) AS claim
        FULL JOIN (SELECT reference, user_id FROM rewards WHERE source = 'referral') AS given USING (reference)
        WHERE claim.user_id IS DISTINCT FROM given.user_id
        """,
    )
    referrals: int = await conn.fetchval("SELECT count(*) FROM referrals")
    return wrong.check(f"{referrals} referrals, and all other claims")


async def _budgets(conn: Connection) -> Check:
    """What of a promotion is used is what purchases were promised, and within the widest budget it ever had."""
    wrong = Findings("promotion_budgets")
    await find(
        conn,
        wrong,
        """
        SELECT 'promotion ' || usage.promotion_id || ': ' || usage.coins || ' coins and ' || uses || ' uses, promised '
               || coalesce(promised.coins, 0) || ' and ' || coalesce(promised.deals, 0) || ' of '
               || coalesce(budget::text, 'any') || ' and ' || most
        FROM promotion_usage AS usage
        JOIN (SELECT id, max(budget_coins) AS budget, max(uses_max) AS most FROM promotions GROUP BY id) AS terms
            ON id = usage.promotion_id
        LEFT JOIN (
            SELECT promotion_id, sum(coins) AS coins, count(*) AS deals FROM deals WHERE state <> 'released'
            GROUP BY promotion_id
        ) AS promised ON promised.promotion_id = usage.promotion_id
        WHERE (usage.coins, uses) <> (coalesce(promised.coins, 0), coalesce(promised.deals, 0))
           OR usage.coins > budget OR uses > most
        """,
    )
    promotions: int = await conn.fetchval("SELECT count(*) FROM promotion_usage")
    return wrong.check(f"{promotions} promotions")


async def _progress(conn: Connection) -> Check:
    """Progress in a challenge is the gifts of its time behind the place it was counted to, each once."""
    wrong = Findings("challenge_progress")
    await find(
        conn,
        wrong,
        """
        SELECT 'challenge ' || states.challenge_id || ': ' || total || ' in all, ' || winners || ' winners; users have '
               || coalesce(amount, 0) || ' and ' || coalesce(rewarded, 0)
        FROM challenge_states AS states LEFT JOIN (
            SELECT challenge_id, sum(amount) AS amount, count(*) FILTER (WHERE outcome = 'rewarded') AS rewarded
            FROM challenge_progress GROUP BY challenge_id
        ) AS progress USING (challenge_id)
        WHERE (total, winners) <> (coalesce(amount, 0), coalesce(rewarded, 0))
        """,
    )
    counted = [one for one in await live(conn, ready=True) if one.by_gifts]
    for one in counted:
        gifts = await amounts_by_user(conn, one)
        rows = await conn.fetch(
            "SELECT user_id, amount FROM challenge_progress WHERE challenge_id = $1", one.id, timeout=QUERY_TIMEOUT_S
        )
        held = {row["user_id"]: row["amount"] for row in rows}
        for user_id in gifts.keys() | held.keys():
            wrong.expect(f"challenge {one.id}: {user_id} has", held.get(user_id, 0), gifts.get(user_id, 0))
    return wrong.check(f"{len(counted)} challenges")
