"""Partitions of the gifts table: one for each UTC day, made ahead of their time."""

import time

from server.stores.postgres import Connection

DAYS_AHEAD = 7
DAY_US = 86_400_000_000


async def make_ahead(conn: Connection, now_s: float | None = None) -> list[str]:
    """Makes what is missing from yesterday to a week from now; answers the names of the partitions made.

    Gifts of such a day that had to go to the default partition move to their own. Several processes may call this
    at once.
    """
    today = int((time.time() if now_s is None else now_s) * 1_000_000) // DAY_US
    made = []
    for day in range(today - 1, today + DAYS_AHEAD + 1):
        name = f"gifts_{time.strftime('%Y%m%d', time.gmtime(day * 86_400))}"
        if await conn.fetchval("SELECT to_regclass($1) IS NULL", name) and await _make(conn, name, day * DAY_US):
            made.append(name)
    return made


async def _make(conn: Connection, name: str, from_us: int) -> bool:
    until_us = from_us + DAY_US
    async with conn.transaction():
        # The same lock that attaching takes: a second maker waits here, and then sees the partition.
        await conn.execute("LOCK TABLE gifts IN SHARE UPDATE EXCLUSIVE MODE")
        if not await conn.fetchval("SELECT to_regclass($1) IS NULL", name):
            return False
        await conn.execute("LOCK TABLE gifts_default IN ACCESS EXCLUSIVE MODE")
        # The names and bounds are made of digits here; DDL takes no parameters.
        await conn.execute(f"CREATE TABLE {name} (LIKE gifts INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
        await conn.execute(
            f"WITH strays AS (DELETE FROM gifts_default WHERE at_us >= $1 AND at_us < $2 RETURNING *) "  # noqa: S608
            f"INSERT INTO {name} SELECT * FROM strays",
            from_us,
            until_us,
        )
        await conn.execute(f"ALTER TABLE gifts ATTACH PARTITION {name} FOR VALUES FROM ({from_us}) TO ({until_us})")
    return True
