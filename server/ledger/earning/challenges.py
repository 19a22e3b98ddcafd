"""Challenges, contests and events in Postgres: their terms, and what state each is in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import asyncpg
from asyncpg import Record

from server.domain.challenge import Challenge
from server.domain.errors import Code, Refusal
from server.ledger.admin.record import record
from server.ledger.notices import announce
from server.stores.postgres import Connection, Pool

State = Literal["open", "closing", "ended", "cancelled"]

LIVE_MAX = 20
"""Challenges that are not over, at once: each settled gift is held against all of them."""

_COLUMNS = (
    "id", "version", "kind", "title", "metric", "side", "gift_ids", "starts_at", "ends_at", "goal", "least",
    "reward_coins", "winners_max", "prizes", "opt_in",
)  # fmt: skip
_NEWEST = f"SELECT DISTINCT ON (id) {', '.join(_COLUMNS)} FROM challenges ORDER BY id, version DESC"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Standing:
    """A challenge, its state and sums, and how one user stands in it. place: in a contest, from 1."""

    challenge: Challenge
    state: str
    total: int
    winners: int
    amount: int
    taking_part: bool
    outcome: str | None
    place: int | None


@dataclass(frozen=True, slots=True)
class ChallengeVersion:
    """A version of a challenge with who made it and when, and the state of the challenge."""

    challenge: Challenge
    state: State
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Ranked:
    """One place of a ranking. coins: the prize."""

    place: int
    user_id: str
    user_name: str
    amount: int
    coins: int


async def live(conn: Connection, *, ready: bool) -> list[Challenge]:
    """The challenges that still count. ready: those in whose progress is whatever was counted before them."""
    rows = await conn.fetch(
        f"""
        SELECT newest.* FROM ({_NEWEST}) AS newest JOIN challenge_states ON challenge_id = id
        WHERE state IN ('open', 'closing') AND counted_in = $1 ORDER BY id
        """,  # noqa: S608
        ready,
    )
    return [_read(row) for row in rows]


async def add_version(conn: Connection, challenge: Challenge, created_by: str) -> int:
    """Makes a challenge, or a new version of one that has not begun; answers its number.

    Raises Refusal: conflict once it has begun, limit_exceeded when there are too many, bad_request for terms that
    contradict each other or are over already.
    """
    await conn.execute("SELECT pg_advisory_xact_lock(hashtext('challenges'))")
    # Nothing is counted meanwhile: what is counted from now on goes by these terms.
    await conn.execute("SELECT FROM challenge_cursors ORDER BY shard FOR UPDATE")
    row = await conn.fetchrow(
        f"""
        SELECT version, starts_at <= now() AS begun, state FROM ({_NEWEST}) AS newest
        JOIN challenge_states ON challenge_id = id WHERE id = $1
        """,  # noqa: S608
        challenge.id,
    )
    if row is not None and (row["begun"] or row["state"] != "open"):
        raise Refusal(Code.CONFLICT, "The terms of a challenge stand once it has begun.")
    others: int = await conn.fetchval(
        "SELECT count(*) FROM challenge_states WHERE state IN ('open', 'closing') AND challenge_id <> $1", challenge.id
    )
    if others >= LIVE_MAX:
        raise Refusal(Code.LIMIT_EXCEEDED, f"There can be {LIVE_MAX} challenges at once, and there are.")
    if await conn.fetchval("SELECT $1 <= now()", challenge.ends_at):
        raise Refusal(Code.BAD_REQUEST, "A challenge that is over cannot be made.")
    version = 1 if row is None else row["version"] + 1
    values = {name: getattr(challenge, name) for name in _COLUMNS} | {"version": version, "created_by": created_by}
    for listed in ("gift_ids", "prizes"):
        values[listed] = None if values[listed] is None else list(values[listed])
    places = ", ".join(f"${place}" for place in range(1, len(values) + 1))
    try:
        await conn.execute(
            f"INSERT INTO challenges ({', '.join(values)}) VALUES ({places})",  # noqa: S608 - names of columns
            *values.values(),
        )
    except asyncpg.CheckViolationError:
        raise Refusal(Code.BAD_REQUEST, "These terms of a challenge contradict each other.") from None
    await conn.execute(
        """
        INSERT INTO challenge_states (challenge_id) VALUES ($1)
        ON CONFLICT (challenge_id) DO UPDATE SET counted_in = false, total = 0
        """,
        challenge.id,
    )
    # What an earlier version counted ahead of its start goes by other terms.
    await conn.execute("DELETE FROM challenge_progress WHERE challenge_id = $1", challenge.id)
    await conn.execute("DELETE FROM challenge_rooms WHERE challenge_id = $1", challenge.id)
    await record(
        conn, created_by, "challenge_version_added", challenge.id, {"version": version, "kind": challenge.kind}
    )
    return version


async def cancel(conn: Connection, challenge_id: str, admin: str) -> None:
    """Ends a challenge for good before its time; what was given stays given. Raises Refusal (not_found, conflict)."""
    await newest(conn, challenge_id)
    status = await conn.execute(
        "UPDATE challenge_states SET state = 'cancelled', ended_at = now() WHERE challenge_id = $1 AND state = 'open'",
        challenge_id,
    )
    if status.endswith(" 0"):
        raise Refusal(Code.CONFLICT, "This challenge is over.")
    await record(conn, admin, "challenge_called_off", challenge_id)


async def join(conn: Connection, challenge_id: str, user_id: str) -> None:
    """Lets a user take part, with all that they did in its time. Raises Refusal: not_found, conflict when over."""
    await newest(conn, challenge_id)
    status = await conn.execute(
        """
        INSERT INTO challenge_progress AS held (challenge_id, user_id, amount, reached_us, taking_part)
        SELECT $1, $2, 0, 0, true FROM challenge_states JOIN challenges ON id = challenge_id
        WHERE challenge_id = $1 AND state = 'open' AND ends_at > now() ORDER BY version DESC LIMIT 1
        ON CONFLICT (challenge_id, user_id) DO UPDATE SET taking_part = true
        """,
        challenge_id,
        user_id,
    )
    if status.endswith(" 0"):
        raise Refusal(Code.CONFLICT, "This challenge is over.")


async def standings(conn: Connection, user_id: str, ended_since: datetime) -> list[Standing]:
    """The challenges that are open or ended lately, and how a user stands in each; those that end first come first."""
    rows = await conn.fetch(
        f"""
        SELECT newest.*, state, total, winners, coalesce(mine.amount, 0) AS amount, mine.outcome,
               coalesce(mine.taking_part, NOT opt_in) AS taking_part,
               CASE WHEN kind = 'contest' AND mine.taking_part AND mine.amount >= least THEN (
                   SELECT count(*) + 1 FROM challenge_progress AS above
                   WHERE above.challenge_id = newest.id AND above.taking_part AND (
                       above.amount > mine.amount OR above.amount = mine.amount
                       AND (above.reached_us, above.user_id) < (mine.reached_us, mine.user_id))
               ) END AS place
        FROM ({_NEWEST}) AS newest
        JOIN challenge_states ON challenge_states.challenge_id = newest.id
        LEFT JOIN challenge_progress AS mine ON mine.challenge_id = newest.id AND mine.user_id = $1
        WHERE state IN ('open', 'closing') OR state = 'ended' AND ended_at >= $2
        ORDER BY state = 'ended', ends_at, id
        """,  # noqa: S608
        user_id,
        ended_since,
    )
    return [
        Standing(
            challenge=_read(row),
            state=row["state"],
            total=row["total"],
            winners=row["winners"],
            amount=row["amount"],
            taking_part=row["taking_part"],
            outcome=row["outcome"],
            place=row["place"],
        )
        for row in rows
    ]


async def ranking(conn: Connection, challenge: Challenge, limit: int) -> list[Ranked]:
    """The first places: as they are now, or as they were when the contest ended."""
    prizes: Sequence[int] = challenge.prizes or ()
    rows = await conn.fetch(
        """
        SELECT place, user_id, coalesce(name, user_id) AS name, amount
        FROM contest_places LEFT JOIN users ON users.id = user_id
        WHERE challenge_id = $1 ORDER BY place LIMIT $2
        """,
        challenge.id,
        limit,
    ) or await conn.fetch(
        """
        SELECT row_number() OVER () AS place, user_id, coalesce(name, user_id) AS name, amount FROM (
            SELECT user_id, amount, reached_us FROM challenge_progress
            WHERE challenge_id = $1 AND amount >= $3 AND taking_part
            ORDER BY amount DESC, reached_us, user_id LIMIT $2
        ) AS first LEFT JOIN users ON users.id = user_id ORDER BY amount DESC, reached_us, user_id
        """,
        challenge.id,
        limit,
        challenge.least,
    )
    return [
        Ranked(place, user_id, name, amount, prizes[place - 1] if place <= len(prizes) else 0)
        for place, user_id, name, amount in rows
    ]


async def announce_new(conn: Connection, challenge: Challenge) -> None:
    """Tells everybody, in the caller's transaction."""
    detail = {"challenge": challenge.id, "starts_at": challenge.starts_at, "ends_at": challenge.ends_at}
    await announce(conn, challenge.kind, challenge.title, detail)


async def exists(conn: Connection, challenge_id: str) -> bool:
    """Whether there is such a challenge, in any state; settled until the caller's transaction ends."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtext('challenges'))")
    found: bool = await conn.fetchval("SELECT EXISTS (SELECT FROM challenges WHERE id = $1)", challenge_id)
    return found


_MADE = "SELECT challenges.*, state FROM challenges JOIN challenge_states ON challenge_id = id"


async def newest(conn: Connection, challenge_id: str) -> ChallengeVersion:
    """The version of a challenge that holds. Raises Refusal (not_found)."""
    row = await conn.fetchrow(f"{_MADE} WHERE id = $1 ORDER BY version DESC LIMIT 1", challenge_id)
    if row is None:
        raise Refusal(Code.NOT_FOUND, "There is no such challenge.")
    return _read_version(row)


async def listing(pool: Pool, limit: int, after: str) -> list[ChallengeVersion]:
    """All versions, newest first, of a page of challenges by id."""
    rows = await pool.fetch(
        f"""
        {_MADE}
        WHERE id IN (SELECT challenge_id FROM challenge_states WHERE challenge_id > $1 ORDER BY challenge_id LIMIT $2)
        ORDER BY id, version DESC
        """,  # noqa: S608
        after,
        limit,
    )
    return [_read_version(row) for row in rows]


def _read_version(row: Record) -> ChallengeVersion:
    return ChallengeVersion(_read(row), row["state"], row["created_by"], row["created_at"])


def _read(row: Record) -> Challenge:
    values = {name: row[name] for name in _COLUMNS}
    values["gift_ids"] = None if values["gift_ids"] is None else frozenset(values["gift_ids"])
    values["prizes"] = None if values["prizes"] is None else tuple(values["prizes"])
    return Challenge(**values)
