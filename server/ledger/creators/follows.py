"""Followers: each is one row, and their number another, moved together."""

from dataclasses import dataclass
from datetime import datetime

from server.domain.errors import Code, Refusal
from server.ledger import pages
from server.stores.postgres import Connection, Pool


@dataclass(frozen=True, slots=True)
class Followed:
    """A creator as one user sees them. following: whether that user follows."""

    creator_id: str
    name: str
    followers: int
    following: bool


@dataclass(frozen=True, slots=True)
class FollowedSince:
    """A creator whom somebody follows, and since when. room_id, room_title: of the latest room that is live, if any."""

    creator_id: str
    name: str
    followers: int
    since: datetime
    room_id: str | None
    room_title: str | None


async def follow(conn: Connection, creator_id: str, follower_id: str) -> None:
    """Follows a creator in the caller's transaction; once more changes nothing.

    Raises Refusal: not_found for nobody, forbidden for oneself and for whom the creator blocks.
    """
    if creator_id == follower_id:
        raise Refusal(Code.FORBIDDEN, "Nobody follows themselves.")
    known = await conn.fetchrow(
        """
        SELECT EXISTS (SELECT FROM users WHERE id = $1) AS creator,
               EXISTS (SELECT FROM moderation WHERE kind = 'block' AND place_id = $1 AND user_id = $2) AS blocked
        """,
        creator_id,
        follower_id,
    )
    assert known is not None
    if not known["creator"]:
        raise Refusal(Code.NOT_FOUND, "There is no such creator.")
    if known["blocked"]:
        raise Refusal(Code.FORBIDDEN, "This creator does not want that.")
    await conn.execute("INSERT INTO users (id, name) VALUES ($1, $1) ON CONFLICT DO NOTHING", follower_id)
    status = await conn.execute(
        "INSERT INTO follows (creator_id, follower_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", creator_id, follower_id
    )
    if status.endswith(" 1"):
        await conn.execute(
            "INSERT INTO followed (creator_id, followers) VALUES ($1, 1)"
            " ON CONFLICT (creator_id) DO UPDATE SET followers = followed.followers + 1",
            creator_id,
        )


async def unfollow(conn: Connection, creator_id: str, follower_id: str) -> None:
    """Follows no more, in the caller's transaction; of whom one does not follow, nothing changes."""
    status = await conn.execute(
        "DELETE FROM follows WHERE creator_id = $1 AND follower_id = $2", creator_id, follower_id
    )
    if status.endswith(" 1"):
        await conn.execute("UPDATE followed SET followers = followers - 1 WHERE creator_id = $1", creator_id)


async def seen_by(conn: Connection, creator_id: str, viewer_id: str) -> Followed:
    """A creator as a viewer sees them. Raises Refusal (not_found)."""
    row = await conn.fetchrow(
        """
        SELECT id, name, coalesce(followers, 0) AS followers,
               EXISTS (SELECT FROM follows WHERE creator_id = id AND follower_id = $2) AS following
        FROM users LEFT JOIN followed ON creator_id = id WHERE id = $1
        """,
        creator_id,
        viewer_id,
    )
    if row is None:
        raise Refusal(Code.NOT_FOUND, "There is no such creator.")
    return Followed(*row.values())


async def followers_of(conn: Connection, creator_id: str) -> int:
    """How many follow a creator."""
    counted: int = await conn.fetchval(
        "SELECT coalesce((SELECT followers FROM followed WHERE creator_id = $1), 0)", creator_id
    )
    return counted


async def followed_by(
    pool: Pool, follower_id: str, limit: int, cursor: str | None
) -> tuple[list[FollowedSince], str | None]:
    """A page of the creators whom somebody follows, the latest first, and the next cursor.

    Raises Refusal (bad_request) for a wrong cursor.
    """
    before, after = pages.decode(cursor, str, str) if cursor else ("9999-01-01T00:00:00+00:00", "")
    rows = await pool.fetch(
        """
        SELECT follows.creator_id, name, followers, at, live.id, live.title
        FROM follows JOIN users ON users.id = follows.creator_id JOIN followed USING (creator_id)
        LEFT JOIN LATERAL (
            SELECT id, title FROM rooms WHERE rooms.creator_id = follows.creator_id AND state = 'live'
            ORDER BY started_at DESC LIMIT 1
        ) AS live ON true
        WHERE follower_id = $1 AND (at < $2 OR (at = $2 AND follows.creator_id > $3))
        ORDER BY at DESC, follows.creator_id LIMIT $4
        """,
        follower_id,
        pages.moment(before),
        after,
        limit + 1,
    )
    found = [FollowedSince(*row.values()) for row in rows[:limit]]
    return found, pages.encode(found[-1].since.isoformat(), found[-1].creator_id) if len(rows) > limit else None
