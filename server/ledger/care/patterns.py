"""Patterns that look like fraud, found in the ledger behind settlement: looked for by a worker now and then."""

from dataclasses import dataclass
from typing import Any

import orjson

from server.stores.postgres import Connection

FOUND_AT_ONCE_MAX = 200
QUERY_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Found:
    """A user in whom a pattern was found."""

    pattern: str
    user_id: str
    detail: dict[str, Any]


_GIVEN = """
    SELECT viewer_id, creator_id, sum(coins)::bigint AS coins FROM earned_gifters
    WHERE day >= $3 AND creator_id <> '' GROUP BY viewer_id, creator_id HAVING sum(coins) >= $1
"""
"""What was given from a day on (days since the Unix epoch, UTC), as it is added up for creators, behind settlement."""

_QUERIES = {
    # Somebody's first purchase is younger than a day, and most of its coins went to one creator already.
    "new_card_large_gifts": f"""
        WITH given AS ({_GIVEN})
        SELECT bought.user_id,
               jsonb_build_object('creator', given.creator_id, 'coins', given.coins, 'bought', bought.coins)
        FROM (
            SELECT user_id, sum(coins) AS coins FROM purchases
            WHERE credited_at IS NOT NULL AND user_id IN (
                SELECT user_id FROM purchases WHERE credited_at > now() - interval '1 day'
            ) GROUP BY user_id HAVING min(credited_at) > now() - interval '1 day'
        ) AS bought JOIN given ON given.viewer_id = bought.user_id AND given.coins * 10 >= bought.coins * 8
        LIMIT $2
    """,  # noqa: S608 - a query of our own in another
    # Two give to each other, much and nearly the same.
    "gift_ring": f"""
        WITH given AS ({_GIVEN})
        SELECT one.viewer_id, jsonb_build_object('with', one.creator_id, 'gave', one.coins, 'got', other.coins)
        FROM given AS one
        JOIN given AS other ON other.viewer_id = one.creator_id AND other.creator_id = one.viewer_id
        WHERE least(one.coins, other.coins) * 2 >= greatest(one.coins, other.coins)
        LIMIT $2
    """,  # noqa: S608 - a query of our own in another
    # A viewer gives much to a creator who signs in from the same place with the same program.
    "second_account": f"""
        WITH given AS ({_GIVEN})
        SELECT given.viewer_id, jsonb_build_object('creator', given.creator_id, 'coins', given.coins)
        FROM given WHERE EXISTS (
            SELECT FROM logins AS mine JOIN logins AS theirs USING (address, agent)
            WHERE mine.user_id = given.viewer_id AND theirs.user_id = given.creator_id
        ) LIMIT $2
    """,  # noqa: S608
}


async def find(conn: Connection, pattern: str, coins_min: int, since_day: int) -> list[Found]:
    """Users in whom a pattern is found in gifts from a day on, of this many coins at least."""
    rows = await conn.fetch(_QUERIES[pattern], coins_min, FOUND_AT_ONCE_MAX, since_day, timeout=QUERY_TIMEOUT_S)
    return [Found(pattern, row[0], orjson.loads(row[1])) for row in rows]


PATTERNS = tuple(_QUERIES)
