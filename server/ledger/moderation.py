"""Moderators, mutes, bans and block lists, as Postgres keeps them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from server.domain.errors import Code, Refusal
from server.ledger import pages
from server.stores.postgres import Pool


class Kind(StrEnum):
    """What can be said about a user in a place: a room, or for a block all rooms of a creator."""

    MODERATOR = "moderator"
    MUTE = "mute"
    BAN = "ban"
    BLOCK = "block"


LISTED_MAX = {Kind.MODERATOR: 50, Kind.MUTE: 2000, Kind.BAN: 2000, Kind.BLOCK: 2000}
"""Users of each kind in one place: gateways hold them all."""

_ENDS = {Kind.MODERATOR: [Kind.MUTE, Kind.BAN], Kind.MUTE: [Kind.MODERATOR], Kind.BAN: [Kind.MODERATOR]}
"""What a new entry puts an end to: who is silenced keeps no order."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds in one room. muted: user → until (seconds since the epoch); blocked: by the room's creator."""

    moderators: frozenset[str] = frozenset()
    muted: Mapping[str, float] = field(default_factory=dict)
    banned: frozenset[str] = frozenset()
    blocked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list."""

    user_id: str
    user_name: str
    until: datetime | None
    by_id: str
    at: datetime


async def load(pool: Pool, creators: Mapping[str, str]) -> dict[str, Rules]:
    """The rules of rooms, given as room → creator, all of one moment."""
    rows = await pool.fetch(
        """
        SELECT kind, place_id, user_id, until FROM moderation
        WHERE kind = ANY('{moderator,mute,ban}') AND place_id = ANY($1::text[]) AND (until IS NULL OR until > now())
        UNION ALL
        SELECT kind, place_id, user_id, until FROM moderation WHERE kind = 'block' AND place_id = ANY($2::text[])
        """,
        list(creators),
        list(set(creators.values())),
    )
    found: dict[tuple[str, str], dict[str, float]] = {}
    for row in rows:
        until = row["until"]
        found.setdefault((row["kind"], row["place_id"]), {})[row["user_id"]] = until.timestamp() if until else 0.0
    return {
        room_id: Rules(
            moderators=frozenset(found.get((Kind.MODERATOR, room_id), ())),
            muted=found.get((Kind.MUTE, room_id), {}),
            banned=frozenset(found.get((Kind.BAN, room_id), ())),
            blocked=frozenset(found.get((Kind.BLOCK, creator_id), ())),
        )
        for room_id, creator_id in creators.items()
    }


async def put(pool: Pool, kind: Kind, place_id: str, user_id: str, *, by_id: str, seconds: int | None = None) -> None:
    """Makes an entry, or makes it anew. seconds: how long a mute holds. Raises Refusal (limit_exceeded)."""
    async with pool.acquire() as conn, conn.transaction():
        # One after the other in each place, so that the count holds.
        await conn.execute("SELECT pg_advisory_xact_lock(hashtext('moderation'), hashtext($1))", place_id)
        await conn.execute(
            """
            DELETE FROM moderation
            WHERE place_id = $1 AND kind <> 'block' AND (user_id = $2 AND kind = ANY($3::text[]) OR until <= now())
            """,
            place_id,
            user_id,
            _ENDS.get(kind, []),
        )
        others = await conn.fetchval(
            "SELECT count(*) FROM moderation WHERE kind = $1 AND place_id = $2 AND user_id <> $3",
            kind,
            place_id,
            user_id,
        )
        if others >= LISTED_MAX[kind]:
            raise Refusal(Code.LIMIT_EXCEEDED, f"There can be {LISTED_MAX[kind]} here, and there are.")
        await conn.execute(
            """
            INSERT INTO moderation (kind, place_id, user_id, until, by_id)
            VALUES ($1, $2, $3, now() + make_interval(secs => $4), $5)
            ON CONFLICT (kind, place_id, user_id)
            DO UPDATE SET until = excluded.until, by_id = excluded.by_id, at = excluded.at
            """,
            kind,
            place_id,
            user_id,
            seconds,
            by_id,
        )


async def remove(pool: Pool, kind: Kind, place_id: str, user_id: str) -> None:
    """Takes an entry out; one that is not there changes nothing."""
    await pool.execute(
        "DELETE FROM moderation WHERE kind = $1 AND place_id = $2 AND user_id = $3", kind, place_id, user_id
    )


async def listing(
    pool: Pool, kind: Kind, place_id: str, limit: int, cursor: str | None
) -> tuple[list[Entry], str | None]:
    """A page of a place's entries in the order of the users' ids, and the next cursor. Raises Refusal (bad_request)."""
    after = "" if cursor is None else pages.decode(cursor, str)[0]
    rows = await pool.fetch(
        """
        SELECT user_id, coalesce(users.name, user_id) AS user_name, until, by_id, at
        FROM moderation LEFT JOIN users ON users.id = user_id
        WHERE kind = $1 AND place_id = $2 AND user_id > $3 AND (until IS NULL OR until > now())
        ORDER BY user_id LIMIT $4
        """,
        kind,
        place_id,
        after,
        limit + 1,
    )
    entries = [Entry(*row.values()) for row in rows[:limit]]
    return entries, pages.encode(entries[-1].user_id) if len(rows) > limit else None
