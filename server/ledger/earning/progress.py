"""How far users are in challenges: settled gifts counted exactly once, well behind the ledger's cursor.

Each shard has a place of its own here, moved on by the transaction that counts. A challenge that is new is first
brought up to these places from the gifts themselves, while they stand still; from then on it goes along with them.
Settlement never waits for any of this.
"""

from collections.abc import Iterable

from asyncpg import Record

from server.domain.challenge import Challenge, Gains, Given, count_up
from server.ledger.earning.challenges import live
from server.ledger.shards import Cursor
from server.stores.postgres import Connection, Pool

GIFTS_AT_ONCE_MAX = 5_000
COUNT_IN_TIMEOUT_S = 600.0

_AMOUNT = {"gifts": "sum(count)::bigint", "coins": "sum(gifts.coins)::bigint"}
_USER = {"viewer": "viewer_id", "creator": "creator_id"}


async def begin(conn: Connection) -> None:
    """Gives every shard its place, at the start."""
    await conn.execute("INSERT INTO challenge_cursors (shard) SELECT shard FROM shards ON CONFLICT DO NOTHING")


async def count_in(pool: Pool) -> int:
    """Brings new challenges up to what was counted before them; answers how many."""
    async with pool.acquire() as conn, conn.transaction():
        if not await live(conn, ready=False):
            return 0
        await conn.execute("SELECT FROM challenge_cursors ORDER BY shard FOR UPDATE")
        fresh = await live(conn, ready=False)
        for challenge in fresh:
            await _count_in(conn, challenge)
        return len(fresh)


async def _count_in(conn: Connection, challenge: Challenge) -> None:
    gains = Gains()
    if challenge.metric == "rooms_gifted":
        rows = await _behind(conn, challenge, "viewer_id, room_id", "min(at_us)")
        gains.rooms = {(challenge.id, viewer, room): at_us for viewer, room, at_us in rows}
    elif challenge.by_gifts:
        user = _USER[challenge.side]
        rows = await _behind(conn, challenge, user, f"{_AMOUNT[challenge.metric]}, max(at_us)")
        gains.amounts = {(challenge.id, found): [amount, at_us] for found, amount, at_us in rows}
    await _add(conn, gains, [challenge])
    await conn.execute("UPDATE challenge_states SET counted_in = true WHERE challenge_id = $1", challenge.id)


async def amounts_by_user(conn: Connection, challenge: Challenge) -> dict[str, int]:
    """What each user has in the gifts themselves, as far as is counted, of any stretch of time."""
    if challenge.metric == "rooms_gifted":
        rows = await _behind(conn, challenge, "viewer_id", "count(DISTINCT room_id)")
    else:
        rows = await _behind(conn, challenge, _USER[challenge.side], _AMOUNT[challenge.metric])
    return {row[0]: row[1] for row in rows}


async def _behind(conn: Connection, challenge: Challenge, by: str, sums: str) -> list[Record]:
    """The counted gifts that are in a challenge, added up."""
    return await conn.fetch(
        f"""
        SELECT {by}, {sums} FROM gifts
        JOIN challenge_cursors AS counted USING (shard) JOIN catalogue USING (gift_id, version)
        WHERE (gifts.epoch, gifts.number) <= (counted.epoch, counted.number) AND at_us >= $1 AND at_us < $2
          AND CASE WHEN $3::text[] IS NULL THEN kind = 'gift' ELSE gift_id = ANY($3) END
        GROUP BY {by}
        """,  # noqa: S608 - names of columns
        challenge.starts_us,
        challenge.ends_us,
        None if challenge.gift_ids is None else list(challenge.gift_ids),
        timeout=COUNT_IN_TIMEOUT_S,
    )


async def behind(pool: Pool) -> list[int]:
    """The shards with settled gifts that are not counted yet, in any order."""
    rows = await pool.fetch(
        """
        SELECT shard FROM challenge_cursors AS counted JOIN shards USING (shard)
        WHERE (counted.epoch, counted.number) < (shards.epoch, shards.number) ORDER BY random()
        """
    )
    return [row["shard"] for row in rows]


async def count_on(pool: Pool, shard: int) -> bool:
    """Counts the next gifts of a shard; whether there may be more. Does nothing while somebody else counts there."""
    async with pool.acquire() as conn, conn.transaction():
        place = await conn.fetchrow(
            "SELECT epoch, number FROM challenge_cursors WHERE shard = $1 FOR UPDATE SKIP LOCKED", shard
        )
        if place is None:
            return False
        # Read before the gifts: whatever is settled up to it is seen by the next statement.
        settled = await conn.fetchrow("SELECT epoch, number FROM shards WHERE shard = $1", shard)
        assert settled is not None
        challenges = [one for one in await live(conn, ready=True) if one.by_gifts]
        rows = []
        if challenges:
            rows = await conn.fetch(
                """
                SELECT viewer_id, creator_id, room_id, gift_id, count, gifts.coins, at_us, kind = 'gift' AS is_gift,
                       epoch, number
                FROM gifts JOIN catalogue USING (gift_id, version)
                WHERE shard = $1 AND (epoch, number) > ($2, $3) AND at_us >= $4 AND at_us < $5
                ORDER BY epoch, number LIMIT $6
                """,
                shard,
                *place,
                min(one.starts_us for one in challenges),
                max(one.ends_us for one in challenges),
                GIFTS_AT_ONCE_MAX,
            )
        more = len(rows) == GIFTS_AT_ONCE_MAX
        to = (rows[-1]["epoch"], rows[-1]["number"]) if more else max(tuple(settled), tuple(place))
        if rows and not more:
            to = max(to, (rows[-1]["epoch"], rows[-1]["number"]))
        await _add(conn, count_up(challenges, (Given(*list(row.values())[:8]) for row in rows)), challenges)
        await conn.execute("UPDATE challenge_cursors SET epoch = $2, number = $3 WHERE shard = $1", shard, to[0], to[1])
        return more


async def _add(conn: Connection, gains: Gains, challenges: Iterable[Challenge]) -> None:
    """Adds to progress and totals in the caller's transaction; a room that is counted already adds nothing."""
    amounts = {key: (amount, at_us) for key, (amount, at_us) in gains.amounts.items()}
    if gains.rooms:
        for challenge_id, user_id, number, at_us in await _new_rooms(conn, gains):
            amounts[challenge_id, user_id] = (number, at_us)
    if not amounts:
        return
    # In one order everywhere: creators' rows are touched by all shards.
    ordered = sorted(amounts.items())
    opt_in = {one.id: one.opt_in for one in challenges}
    await conn.execute(
        """
        INSERT INTO challenge_progress AS held (challenge_id, user_id, amount, reached_us, taking_part)
        SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::boolean[])
        ON CONFLICT (challenge_id, user_id) DO UPDATE
        SET amount = held.amount + excluded.amount, reached_us = greatest(held.reached_us, excluded.reached_us)
        """,
        [challenge_id for (challenge_id, _), _ in ordered],
        [user_id for (_, user_id), _ in ordered],
        [amount for _, (amount, _) in ordered],
        [at_us for _, (_, at_us) in ordered],
        [not opt_in[challenge_id] for (challenge_id, _), _ in ordered],
    )
    totals: dict[str, int] = {}
    for (challenge_id, _), (amount, _) in ordered:
        totals[challenge_id] = totals.get(challenge_id, 0) + amount
    for challenge_id, amount in totals.items():
        await conn.execute(
            "UPDATE challenge_states SET total = total + $2 WHERE challenge_id = $1", challenge_id, amount
        )


async def visits_count(pool: Pool) -> bool:
    """Whether some challenge that is about to come or under way counts visits."""
    async with pool.acquire() as conn:
        return any(not one.by_gifts for one in await live(conn, ready=True))


async def add_visits(pool: Pool, visits: Iterable[tuple[str, str]], at_us: int) -> None:
    """Counts visits (user, room) of now; each room once for each user and challenge."""
    async with pool.acquire() as conn, conn.transaction():
        gains, challenges = Gains(), await live(conn, ready=True)
        for one in challenges:
            if not one.by_gifts and one.starts_us <= at_us < one.ends_us:
                gains.rooms |= {(one.id, user_id, room_id): at_us for user_id, room_id in visits}
        await _add(conn, gains, challenges)


async def _new_rooms(conn: Connection, gains: Gains) -> Iterable[tuple[str, str, int, int]]:
    """(challenge, user, how many rooms are new, when the last of them came)."""
    ordered = sorted(gains.rooms)
    rows = await conn.fetch(
        """
        INSERT INTO challenge_rooms (challenge_id, user_id, room_id)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) ON CONFLICT DO NOTHING
        RETURNING challenge_id, user_id, room_id
        """,
        [challenge_id for challenge_id, _, _ in ordered],
        [user_id for _, user_id, _ in ordered],
        [room_id for _, _, room_id in ordered],
    )
    found: dict[tuple[str, str], list[int]] = {}
    for challenge_id, user_id, room_id in rows:
        found.setdefault((challenge_id, user_id), []).append(gains.rooms[challenge_id, user_id, room_id])
    return [(challenge_id, user_id, len(times), max(times)) for (challenge_id, user_id), times in found.items()]


async def places(conn: Connection) -> dict[int, Cursor]:
    """How far each shard is counted."""
    rows = await conn.fetch("SELECT shard, epoch, number FROM challenge_cursors")
    return {row["shard"]: Cursor(row["epoch"], row["number"]) for row in rows}
