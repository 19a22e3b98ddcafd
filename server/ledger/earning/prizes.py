"""Who gets what of challenges, contests and events: each reward once, within its cap; and how they come to an end."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.domain.challenge import ChallengeKind
from server.ledger.earning.rewards import book_reward, lock_user
from server.ledger.shards import Cursor
from server.stores.postgres import Connection, Pool

DUE_AT_ONCE_MAX = 200


@dataclass(frozen=True, slots=True)
class Winner:
    """Somebody who reached a goal, or took part in an event that did, and has not been rewarded."""

    challenge_id: str
    kind: ChallengeKind
    title: str
    user_id: str
    coins: int


@dataclass(frozen=True, slots=True)
class Place:
    """A place of a contest that is over, not paid yet. coins: its prize."""

    challenge_id: str
    title: str
    place: int
    user_id: str
    coins: int


_TERMS = """
    (SELECT DISTINCT ON (id) * FROM challenges ORDER BY id, version DESC) AS terms
    JOIN challenge_states AS states ON states.challenge_id = terms.id
"""


async def winners(conn: Connection, challenge_id: str | None = None) -> list[Winner]:
    """Who is to be rewarded, of all challenges or of one: a bounded number of them, those who were there first."""
    rows = await conn.fetch(
        f"""
        SELECT terms.id, kind, title, user_id, reward_coins FROM {_TERMS}
        JOIN challenge_progress AS progress ON progress.challenge_id = terms.id
        WHERE state IN ('open', 'closing') AND outcome IS NULL AND taking_part
          AND (kind = 'challenge' AND amount >= goal OR kind = 'event' AND total >= goal AND amount >= least)
          AND ($2::text IS NULL OR terms.id = $2)
        ORDER BY reached_us, user_id LIMIT $1
        """,  # noqa: S608
        DUE_AT_ONCE_MAX,
        challenge_id,
    )
    return [Winner(*row.values()) for row in rows]


async def reward(conn: Connection, winner: Winner) -> bool:
    """Rewards a winner in the caller's transaction, once, unless the last reward is gone; whether there are coins."""
    blocked = await lock_user(conn, winner.user_id)
    mine = await conn.execute(
        "UPDATE challenge_progress SET outcome = 'rewarded'"
        " WHERE challenge_id = $1 AND user_id = $2 AND outcome IS NULL",
        winner.challenge_id,
        winner.user_id,
    )
    if mine.endswith(" 0"):
        return False
    # The state is looked at again: a challenge may be cancelled at any time, and the rewards be gone.
    room = not blocked and await conn.execute(
        """
        UPDATE challenge_states SET winners = winners + 1
        WHERE challenge_id = $1 AND state IN ('open', 'closing') AND winners < (
            SELECT winners_max FROM challenges WHERE id = $1 ORDER BY version DESC LIMIT 1
        )
        """,
        winner.challenge_id,
    )
    if room != "UPDATE 1":
        await conn.execute(
            "UPDATE challenge_progress SET outcome = $3 WHERE challenge_id = $1 AND user_id = $2",
            winner.challenge_id,
            winner.user_id,
            "blocked" if blocked else "too_late",
        )
        return False
    source, reference = winner.kind, f"{winner.challenge_id}:{winner.user_id}"
    return await book_reward(conn, winner.user_id, winner.coins, source, reference, winner.title)


async def over(pool: Pool, at: datetime, *, gifts_slack_s: float, visits_slack_s: float) -> list[str]:
    """Challenges that were over at a moment, and for so long, and whose end is not marked yet."""
    rows = await pool.fetch(
        f"""
        SELECT terms.id FROM {_TERMS} WHERE state = 'open'
          AND ends_at + CASE metric WHEN 'rooms_watched' THEN $3::interval ELSE $2::interval END <= $1
        ORDER BY id
        """,  # noqa: S608
        at,
        timedelta(seconds=gifts_slack_s),
        timedelta(seconds=visits_slack_s),
    )
    return [row["id"] for row in rows]


async def mark_end(pool: Pool, challenge_ids: list[str], logs: list[Cursor]) -> None:
    """Notes how far the logs had come after the end. logs: [shard] → its newest number."""
    await pool.execute(
        """
        UPDATE challenge_states SET state = 'closing', closing_epochs = $2, closing_numbers = $3
        WHERE challenge_id = ANY($1::text[]) AND state = 'open'
        """,
        challenge_ids,
        [place.epoch for place in logs],
        [place.number for place in logs],
    )


async def closing(pool: Pool) -> dict[str, list[Cursor]]:
    """Challenges that are over, and how far each shard has to be counted before they can end."""
    rows = await pool.fetch(
        """
        SELECT challenge_id, closing_epochs, closing_numbers FROM challenge_states
        WHERE state = 'closing' AND counted_in
        """
    )
    return {
        row["challenge_id"]: [
            Cursor(*place) for place in zip(row["closing_epochs"], row["closing_numbers"], strict=True)
        ]
        for row in rows
    }


def is_counted(marks: list[Cursor], places: Mapping[int, Cursor]) -> bool:
    """Whether every shard is counted up to its mark."""
    return all(
        (held.epoch, held.number) >= (mark.epoch, mark.number)
        for mark, held in ((mark, places.get(shard, Cursor(0, 0))) for shard, mark in enumerate(marks))
    )


async def end(conn: Connection, challenge_id: str) -> bool:
    """Ends a challenge whose every gift is counted, and fixes a contest's places; False while rewards of it are due.

    Users whose wallets are blocked have no place.
    """
    row = await conn.fetchrow(
        f"SELECT kind, prizes, least FROM {_TERMS} WHERE id = $1 AND state = 'closing' FOR UPDATE OF states",  # noqa: S608
        challenge_id,
    )
    if row is None:
        return False
    if await winners(conn, challenge_id):
        return False
    if row["kind"] == "contest":
        await conn.execute(
            """
            INSERT INTO contest_places (challenge_id, place, user_id, amount, coins)
            SELECT $1, place, user_id, amount, ($2::bigint[])[place] FROM (
                SELECT user_id, amount, row_number() OVER (ORDER BY amount DESC, reached_us, user_id) AS place
                FROM challenge_progress JOIN users ON users.id = user_id
                WHERE challenge_id = $1 AND amount >= $3 AND taking_part AND NOT blocked
                ORDER BY amount DESC, reached_us, user_id LIMIT cardinality($2::bigint[])
            ) AS first
            """,
            challenge_id,
            row["prizes"],
            row["least"],
        )
    await conn.execute(
        "UPDATE challenge_states SET state = 'ended', ended_at = now() WHERE challenge_id = $1", challenge_id
    )
    return True


async def unpaid(pool: Pool) -> list[Place]:
    """Places whose prizes are to be paid, a bounded number of them."""
    rows = await pool.fetch(
        """
        SELECT places.challenge_id, terms.title, place, user_id, coins FROM contest_places AS places
        JOIN (SELECT DISTINCT ON (id) id, title FROM challenges ORDER BY id, version DESC) AS terms
            ON terms.id = challenge_id
        WHERE NOT paid ORDER BY challenge_id, place LIMIT $1
        """,
        DUE_AT_ONCE_MAX,
    )
    return [Place(*row.values()) for row in rows]


async def pay(conn: Connection, place: Place) -> bool:
    """Pays the prize of a place in the caller's transaction, once; whether there are coins."""
    await lock_user(conn, place.user_id)
    status = await conn.execute(
        "UPDATE contest_places SET paid = true WHERE challenge_id = $1 AND place = $2 AND NOT paid",
        place.challenge_id,
        place.place,
    )
    if status.endswith(" 0"):
        return False
    reference = f"{place.challenge_id}:{place.place}"
    message = f"Place {place.place}: {place.title}"
    return await book_reward(conn, place.user_id, place.coins, "contest", reference, message)
