"""A connection that is given back is as good as new, although nothing is sent to make it so."""

from __future__ import annotations

import pytest

from server.stores import postgres


async def test_what_was_left_open_or_set_for_a_transaction_is_gone_with_it(database_url: str):
    pool = await postgres.connect(database_url, size_max=1)
    async with pool.acquire() as conn:
        await conn.execute("CREATE TABLE kept (n int)")
        before = await conn.fetchval("SHOW plan_cache_mode")

    async def fail_in_the_middle() -> None:
        async with pool.acquire() as conn:
            await conn.execute("BEGIN")
            await conn.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            await conn.execute("SELECT pg_advisory_xact_lock(1)")
            await conn.execute("INSERT INTO kept VALUES (1)")
            raise KeyError

    with pytest.raises(KeyError):
        await fail_in_the_middle()
    assert await pool.fetchval("SHOW plan_cache_mode") == before
    assert await pool.fetchval("SELECT count(*) FROM kept") == 0
    assert (
        await pool.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()") == 0
    )
    await pool.close()
