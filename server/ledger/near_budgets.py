"""Budgets that are nearly spent: a notice for each, once in its time for as long as the budget stays what it is."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.domain.controls import Period, told
from server.ledger.notices import Word, notify_all
from server.stores.postgres import Pool


@dataclass(frozen=True, slots=True)
class NearBudget:
    """A budget of which a debit left a fifth or less. ends_us: when its period ends, microseconds since the epoch."""

    user_id: str
    period: Period
    ends_us: int


async def warn(pool: Pool, near: Sequence[NearBudget]) -> set[str]:
    """Leaves the notices that are not there yet; answers whose they are.

    A budget that was lifted meanwhile is passed over. One that was raised or lowered is another budget.
    """
    async with pool.acquire() as conn, conn.transaction():
        rows = await conn.fetch(
            """
            SELECT asked.user_id, asked.period, asked.ends_us,
                   CASE asked.period WHEN 'day' THEN day_limit WHEN 'week' THEN week_limit ELSE month_limit END AS coins
            FROM unnest($1::text[], $2::text[], $3::bigint[]) AS asked (user_id, period, ends_us)
            JOIN controls USING (user_id)
            """,
            [each.user_id for each in near],
            [each.period for each in near],
            [each.ends_us for each in near],
        )
        held = [(NearBudget(row["user_id"], Period(row["period"]), row["ends_us"]), row["coins"]) for row in rows]
        return await notify_all(conn, [_word(each, coins) for each, coins in held if coins is not None])


def _word(near: NearBudget, coins: int) -> Word:
    # Without the figure: between the debit and now the budget may have become another one.
    begins = f"The next {near.period} begins {told(near.ends_us)}."
    return Word(
        near.user_id,
        "budget",
        f"80 % or more of your budget for this {near.period} is spent. {begins}",
        {"limit": near.period, "near": True, "ends_at": near.ends_us},
        once=f"near {near.period} {near.ends_us} {coins}",
    )
