"""The schema comes up to date at every start, and refuses what it must not touch."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from server.ledger.installation import check_installation
from server.ledger.migrate import MigrationError, SchemaFile, migrate, schema_files
from server.stores import postgres
from tests.conftest import WALLET_SHARDS


async def test_a_second_start_applies_nothing_and_changes_nothing(empty_database_url: str) -> None:
    applied = await migrate(empty_database_url, wallet_shards=WALLET_SHARDS)
    assert applied == [step.name for step in schema_files()]
    before = await _rows(empty_database_url)
    assert await migrate(empty_database_url, wallet_shards=WALLET_SHARDS) == []
    assert await _rows(empty_database_url) == before


async def test_processes_that_start_together_migrate_once(empty_database_url: str) -> None:
    applied = await asyncio.gather(*(migrate(empty_database_url, wallet_shards=WALLET_SHARDS) for _ in range(4)))
    assert sorted(len(names) for names in applied) == [0, 0, 0, len(schema_files())]


async def test_an_upgrade_applies_only_what_is_new(empty_database_url: str) -> None:
    old = schema_files()
    await migrate(empty_database_url, wallet_shards=WALLET_SHARDS, steps=old)
    new = SchemaFile(old[-1].version + 1, "999_more.sql", "CREATE TABLE more (id integer PRIMARY KEY)")
    assert await migrate(empty_database_url, wallet_shards=WALLET_SHARDS, steps=[*old, new]) == ["999_more.sql"]
    conn = await postgres.connect_once(empty_database_url)
    try:
        assert await conn.fetchval("SELECT count(*) FROM more") == 0
    finally:
        await conn.close()


async def test_a_step_that_fails_leaves_nothing_of_itself(empty_database_url: str) -> None:
    old = schema_files()
    bad = SchemaFile(old[-1].version + 1, "999_bad.sql", "CREATE TABLE half (id integer); SELECT 1 / 0")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(empty_database_url, wallet_shards=WALLET_SHARDS, steps=[*old, bad])
    conn = await postgres.connect_once(empty_database_url)
    try:
        assert await conn.fetchval("SELECT to_regclass('half')") is None
        assert await conn.fetchval("SELECT max(version) FROM schema_files") == old[-1].version
    finally:
        await conn.close()


async def test_a_changed_old_file_is_refused_by_name(database_url: str) -> None:
    first, *rest = schema_files()
    changed = replace(first, sql=first.sql + "\n-- changed")
    with pytest.raises(MigrationError, match=first.name) as refused:
        await migrate(database_url, wallet_shards=WALLET_SHARDS, steps=[changed, *rest])
    assert "\n" not in str(refused.value)


async def test_a_database_of_a_newer_release_is_refused(database_url: str) -> None:
    with pytest.raises(MigrationError, match="newer release"):
        await migrate(database_url, wallet_shards=WALLET_SHARDS, steps=schema_files()[:-1])


async def test_another_number_of_wallet_shards_is_refused(database_url: str) -> None:
    with pytest.raises(MigrationError, match=f"WALLET_SHARDS is {WALLET_SHARDS + 1}") as refused:
        await migrate(database_url, wallet_shards=WALLET_SHARDS + 1)
    assert "\n" not in str(refused.value)


async def test_a_process_refuses_a_database_that_is_not_its_own(empty_database_url: str) -> None:
    pool = await postgres.connect(empty_database_url)
    try:
        with pytest.raises(MigrationError, match="giftstream migrate"):
            await check_installation(pool, WALLET_SHARDS)
        await migrate(empty_database_url, wallet_shards=WALLET_SHARDS)
        await check_installation(pool, WALLET_SHARDS)
        with pytest.raises(MigrationError, match="WALLET_SHARDS"):
            await check_installation(pool, WALLET_SHARDS * 2)
    finally:
        await pool.close()


async def _rows(url: str) -> list[tuple[str, int]]:
    conn = await postgres.connect_once(url)
    try:
        tables = await conn.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        return [(row["tablename"], await conn.fetchval(f"SELECT count(*) FROM {row['tablename']}")) for row in tables]
    finally:
        await conn.close()
