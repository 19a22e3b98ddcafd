"""The worker's part in earning: counts gifts into challenges, gives what is due, gives back what purchases left."""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import asyncpg
import structlog
from redis.asyncio import Redis

from server.economy.news import tell, tell_notices
from server.ledger.earning import deals, prizes, progress, promotions, referrals, rewarded
from server.ledger.notices import EVERYBODY
from server.ledger.shards import Cursor, read_states
from server.ledger.wallets import CreditConflictError
from server.settings import Settings
from server.stores.postgres import Connection, Pool
from server.wallet.wallets import Wallets

log = structlog.get_logger()

CLOCK_SLACK_S = 2.0
"""A gift's time is its Redis server's: an end is marked only when every clock is past it."""
VISITS_SLACK_S = 30.0
"""How long gateways may take to bring visits of the last moments."""
STRETCHES_PER_PASS_MAX = 20
"""Stretches of gifts counted before everything else has its turn again."""

Give = Callable[[Connection], Awaitable[bool]]


class EarningDuty:
    """One pass after the other; several workers may do this at once, each reward is given once all the same."""

    def __init__(self, redis: Redis, pool: Pool, wallets: Wallets, settings: Settings) -> None:
        self._redis = redis
        self._pool = pool
        self._wallets = wallets
        self._settings = settings
        self._begun = False

    async def work(self) -> None:
        """One pass. Raises what the stores raise, and Refusal (unavailable); the next pass goes on where it ended."""
        if not self._begun:
            async with self._pool.acquire() as conn:
                await progress.begin(conn)
            self._begun = True
        await self._promotions()
        await self._referrals()
        await self._count()
        await self._challenges()
        await self._ends()

    async def forget(self) -> None:
        """Drops what only mattered for a while."""
        await rewarded.forget(self._pool)

    async def _promotions(self) -> None:
        if await promotions.announce_begun(self._pool):
            await tell_notices(self._redis, self._settings.worker_id, [EVERYBODY])
        for purchase_id in await deals.ended(self._pool):
            async with self._pool.acquire() as conn, conn.transaction():
                await deals.release(conn, purchase_id)

    async def _referrals(self) -> None:
        coins = {
            "invited": self._settings.referral_invited_coins,
            "inviter": self._settings.referral_inviter_coins,
        }
        most = self._settings.referrals_per_month_max
        for one in await referrals.due(self._pool):
            await self._give(
                one.user_id,
                lambda conn, one=one: referrals.reward(conn, one, coins[one.side], per_month_max=most),  # type: ignore[misc]
            )

    async def _count(self) -> None:
        await progress.count_in(self._pool)
        shards = await progress.behind(self._pool)
        for _ in range(STRETCHES_PER_PASS_MAX):
            if not shards:
                return
            shard = shards.pop(0)
            if await progress.count_on(self._pool, shard):
                shards.append(shard)

    async def _challenges(self) -> None:
        async with self._pool.acquire() as conn:
            winners = await prizes.winners(conn)
        for winner in winners:
            await self._give(winner.user_id, lambda conn, winner=winner: prizes.reward(conn, winner))  # type: ignore[misc]
        for place in await prizes.unpaid(self._pool):
            await self._give(place.user_id, lambda conn, place=place: prizes.pay(conn, place))  # type: ignore[misc]

    async def _ends(self) -> None:
        over = await prizes.over(self._pool, _now(), gifts_slack_s=CLOCK_SLACK_S, visits_slack_s=VISITS_SLACK_S)
        if over:
            states = await read_states(self._redis, self._settings.wallet_shards)
            await prizes.mark_end(self._pool, over, [Cursor(state.epoch, state.number) for state in states])
        marks = await prizes.closing(self._pool)
        if not marks:
            return
        async with self._pool.acquire() as conn:
            places = await progress.places(conn)
        for challenge_id, logs in marks.items():
            if prizes.is_counted(logs, places):
                async with self._pool.acquire() as conn, conn.transaction():
                    ended = await prizes.end(conn, challenge_id)
                if ended:
                    log.info("challenge ended", challenge=challenge_id)

    async def _give(self, user_id: str, give: Give) -> None:
        try:
            async with self._pool.acquire() as conn, conn.transaction():
                given = await give(conn)
        except (CreditConflictError, asyncpg.IntegrityConstraintViolationError) as error:
            # Its own fault: the others' rewards do not wait for it.
            log.error("a reward cannot be booked", user=user_id, error=f"{type(error).__name__}: {error}")  # noqa: TRY400
            return
        if given:
            await self._wallets.refresh(user_id)
            await tell(self._redis, self._settings.worker_id, [user_id])


def _now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)
