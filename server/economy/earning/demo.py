"""Demo mode: a promotion, challenges, a contest and an event that are always there, each under the id of its time.

Who does nothing about them gets nothing: the promotion is for the larger packages, and whoever wants to win says so.
"""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog

from server.domain.challenge import Challenge
from server.domain.errors import Refusal
from server.domain.promotion import Promotion
from server.ledger.earning import challenges, promotions
from server.stores.failures import STORE_AWAY
from server.stores.postgres import Connection, Pool

log = structlog.get_logger()

LOOK_EVERY_S = 60.0
MADE_BY = "demo"


def promotions_of(now: datetime) -> list[Promotion]:
    """This week's bonus."""
    monday = _monday(now)
    return [
        Promotion(
            id=f"large-{monday:%G-w%V}",
            version=0,
            name="10 % more coins with 10,000 or 50,000",
            kind="bonus",
            percent=10,
            coins=None,
            starts_at=monday,
            ends_at=monday + timedelta(days=7),
            regions=None,
            platforms=frozenset({"web"}),
            packages=frozenset({"web_10000", "web_50000"}),
            first_purchase_only=False,
            budget_coins=10_000_000,
            uses_max=100_000,
            per_user_max=5,
            active=True,
        )
    ]


def challenges_of(now: datetime) -> list[Challenge]:
    """Today's challenges, this week's contest and event."""
    today, monday = now.replace(hour=0, minute=0, second=0, microsecond=0), _monday(now)
    tomorrow, next_monday = today + timedelta(days=1), monday + timedelta(days=7)
    return [
        _goal(f"roses-{today:%Y-%m-%d}", "Send 10 roses today", today, tomorrow, goal=10, coins=20, gift="rose"),
        _goal(f"tour-{today:%Y-%m-%d}", "Watch 3 rooms today", today, tomorrow, goal=3, coins=15, visits=True),
        Challenge(
            id=f"gifters-{monday:%G-w%V}",
            version=0,
            kind="contest",
            title="Gifters of the week",
            metric="coins",
            side="viewer",
            gift_ids=None,
            starts_at=monday,
            ends_at=next_monday,
            goal=None,
            least=100,
            reward_coins=None,
            winners_max=None,
            prizes=(1_000, 500, 250, 100, 50),
            opt_in=True,
        ),
        _goal(
            f"together-{monday:%G-w%V}",
            "Everybody together: 5,000 gifts this week",
            monday,
            next_monday,
            goal=5_000,
            coins=30,
            kind="event",
            least=5,
        ),
    ]


def _goal(
    challenge_id: str,
    title: str,
    starts_at: datetime,
    ends_at: datetime,
    *,
    goal: int,
    coins: int,
    gift: str | None = None,
    visits: bool = False,
    kind: str = "challenge",
    least: int = 1,
) -> Challenge:
    return Challenge(
        id=challenge_id,
        version=0,
        kind=kind,  # type: ignore[arg-type]
        title=title,
        metric="rooms_watched" if visits else "gifts",
        side="viewer",
        gift_ids=None if gift is None else frozenset({gift}),
        starts_at=starts_at,
        ends_at=ends_at,
        goal=goal,
        least=least,
        reward_coins=coins,
        winners_max=100_000,
        prizes=None,
        opt_in=True,
    )


def _monday(now: datetime) -> datetime:
    return (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)


async def plant(conn: Connection, now: datetime) -> None:
    """Makes what there is not yet, in the caller's transaction; several gateways may do so at once."""
    for promotion in promotions_of(now):
        if not await promotions.exists(conn, promotion.id):
            await promotions.add_version(conn, promotion, MADE_BY, announced=False)
    for challenge in challenges_of(now):
        if not await challenges.exists(conn, challenge.id):
            await challenges.add_version(conn, challenge, MADE_BY)


class EarningDemo:
    """Keeps the demo's promotions and challenges of the day, week and month there."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async with self._pool.acquire() as conn, conn.transaction():
                    await plant(conn, datetime.now(UTC))
            except (Refusal, *STORE_AWAY) as error:
                log.warning("the demo has no new challenges", error=type(error).__name__)
            await asyncio.sleep(LOOK_EVERY_S)
