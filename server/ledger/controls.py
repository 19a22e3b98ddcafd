"""Controls of spending as the ledger keeps them: limits, raises that wait for their day, and pauses.

A limit that is lowered counts at once, one that is raised or lifted after RAISE_AFTER_S. Whoever changes something here
brings the viewer's wallet up to date after the commit (`Wallets.refresh`); the worker does if they die (`untold`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from asyncpg import Record

from server.domain.controls import Budget, Controls, Period, microseconds
from server.domain.ids import UserId
from server.domain.money import MONEY_MAX
from server.ledger.notices import Word, notify_all
from server.ledger.wallets import ensure
from server.stores.postgres import Connection, Pool

RAISE_AFTER_S = 86_400


@dataclass(frozen=True, slots=True)
class Raise:
    """A limit that counts from effective_at on. coins: None for as many as there are."""

    coins: int | None
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a viewer has set. limits: coins of each period that has a limit; raises: of those that one waits for."""

    version: int
    limits: Mapping[Period, int]
    excluded_until: datetime | None
    raises: Mapping[Period, Raise]


async def wishes_of(conn: Connection, viewer: UserId) -> Wishes | None:
    """What a viewer has set; None for nothing ever. What is spent is in the wallet (`Wallets.balance`)."""
    row = await conn.fetchrow("SELECT * FROM controls WHERE user_id = $1", viewer)
    if row is None:
        return None
    raises = await conn.fetch("SELECT period, coins, effective_at FROM control_raises WHERE user_id = $1", viewer)
    return Wishes(
        row["version"],
        {period: row[f"{period}_limit"] for period in Period if row[f"{period}_limit"] is not None},
        row["excluded_until"],
        {Period(each["period"]): Raise(each["coins"], each["effective_at"]) for each in raises},
    )


async def change_limit(conn: Connection, viewer: UserId, period: Period, coins: int | None) -> bool:
    """Sets the limit of a period, None for none, in the caller's transaction.

    Answers whether it counts at once: a raise waits, and takes the place of one that waits already. Raises ValueError
    for what is no amount.
    """
    if coins is not None and not 0 <= coins <= MONEY_MAX:
        raise ValueError(f"not an amount of coins: {coins}")
    held = (await _hold(conn, viewer))[f"{period}_limit"]
    await conn.execute("DELETE FROM control_raises WHERE user_id = $1 AND period = $2", viewer, period)
    if coins == held:
        return True
    if coins is None or (held is not None and coins > held):
        await conn.execute(
            "INSERT INTO control_raises (user_id, period, coins, effective_at)"
            " VALUES ($1, $2, $3, now() + make_interval(secs => $4))",
            viewer,
            period,
            coins,
            float(RAISE_AFTER_S),
        )
        return False
    await conn.execute(
        f"UPDATE controls SET {period}_limit = $2, version = version + 1, changed_at = now() WHERE user_id = $1",  # noqa: S608
        viewer,
        coins,
    )
    return True


async def exclude(conn: Connection, viewer: UserId, until: datetime) -> datetime:
    """Pauses all spending of a viewer, in the caller's transaction; answers until when. A pause is never shortened."""
    await _hold(conn, viewer)
    paused: datetime = await conn.fetchval(
        """
        UPDATE controls SET excluded_until = greatest(excluded_until, $2), version = version + 1, changed_at = now()
        WHERE user_id = $1 RETURNING excluded_until
        """,
        viewer,
        until,
    )
    return paused


async def _hold(conn: Connection, viewer: UserId) -> Record:
    """The viewer's row, made when it is new, and locked."""
    await ensure(conn, viewer)
    await conn.execute("INSERT INTO controls (user_id) VALUES ($1) ON CONFLICT DO NOTHING", viewer)
    row = await conn.fetchrow("SELECT * FROM controls WHERE user_id = $1 FOR UPDATE", viewer)
    assert row is not None
    return row


async def take_up_raises(pool: Pool, limit: int) -> list[UserId]:
    """Puts raises into force whose day has come, longest waiting first, and leaves a notice of each.

    Answers whose they are, one for each raise: their wallets are to be brought up to date, or hear as `untold`.
    """
    async with pool.acquire() as conn, conn.transaction():
        due = await conn.fetch(
            """
            DELETE FROM control_raises WHERE (user_id, period) IN (
                SELECT user_id, period FROM control_raises WHERE effective_at <= now()
                ORDER BY effective_at LIMIT $1 FOR UPDATE SKIP LOCKED
            ) RETURNING user_id, period, coins
            """,
            limit,
        )
        for period in Period:
            raised = [row for row in due if row["period"] == period]
            await conn.execute(
                f"""
                UPDATE controls SET {period}_limit = raised.coins, version = version + 1, changed_at = now()
                FROM unnest($1::text[], $2::bigint[]) AS raised (user_id, coins) WHERE controls.user_id = raised.user_id
                """,  # noqa: S608
                [row["user_id"] for row in raised],
                [row["coins"] for row in raised],
            )
        await notify_all(conn, [_in_force(row["user_id"], Period(row["period"]), row["coins"]) for row in due])
    return [UserId(row["user_id"]) for row in due]


def _in_force(viewer: str, period: Period, coins: int | None) -> Word:
    now = "is lifted now" if coins is None else f"is {coins:,} coins now"
    return Word(viewer, "budget", f"Your budget for each {period} {now}, as you wished a day ago.", {"limit": period})


async def untold(pool: Pool, older_than_s: float, limit: int) -> list[UserId]:
    """Viewers whose wallet may not know of a change, longest waiting first."""
    rows = await pool.fetch(
        """
        SELECT user_id FROM controls WHERE told < version AND changed_at < now() - make_interval(secs => $1)
        ORDER BY changed_at LIMIT $2
        """,
        older_than_s,
        limit,
    )
    return [UserId(row["user_id"]) for row in rows]


async def mark_told(pool: Pool, viewer: UserId, version: int) -> None:
    """Notes that a viewer's wallet has this version, or one that is newer (or is loaded with it)."""
    await pool.execute("UPDATE controls SET told = $2 WHERE user_id = $1 AND told < $2", viewer, version)


SPENT = """
    LEFT JOIN controls ON controls.user_id = asked.viewer
    LEFT JOIN LATERAL (
        SELECT coalesce(sum(coins) FILTER (WHERE at_us >= $3), 0)::bigint AS day,
               coalesce(sum(coins) FILTER (WHERE at_us >= $4), 0)::bigint AS week,
               coalesce(sum(coins) FILTER (WHERE at_us >= $5), 0)::bigint AS month
        FROM (
            SELECT coins, at_us FROM gifts WHERE viewer_id = asked.viewer AND at_us >= $6
            UNION ALL
            SELECT -coins, spent_at_us FROM credits WHERE user_id = asked.viewer AND spent_at_us >= $6
            UNION ALL
            SELECT coins, coalesce(at_us, (extract(epoch FROM at) * 1000000)::bigint) FROM quarantine
            WHERE viewer_id = asked.viewer AND resolved_at IS NULL AND coins > 0
        ) AS debits
    ) AS spent ON true
"""
"""Joins controls, and what was spent in the periods that run, to viewers `asked`; its parameters: `period_starts`.
Coins that came back do not count. A gift in quarantine whose time could not be read counts when it was found: no
earlier than it was spent."""


def period_starts(at_us: int) -> list[int]:
    """When the day, the week and the month of a moment began, and the earliest of these; microseconds."""
    starts = [period.bounds_us(at_us)[0] for period in Period]
    return [*starts, min(starts)]


def read_controls(row: Record, at_us: int) -> Controls | None:
    """Of a row with `SPENT` and `COLUMNS`; None for a viewer who never set any."""
    if row["controls_version"] is None:
        return None
    until: datetime | None = row["excluded_until"]
    budgets = {
        period: Budget(row[f"{period}_limit"], row[f"{period}_spent"], period.bounds_us(at_us)[1]) for period in Period
    }
    return Controls(row["controls_version"], 0 if until is None else microseconds(until), budgets)


COLUMNS: Sequence[str] = (
    "controls.version AS controls_version",
    "controls.excluded_until",
    *(f"controls.{period}_limit" for period in Period),
    *(f"spent.{period} AS {period}_spent" for period in Period),
)
